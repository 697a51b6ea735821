from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.fleet.services import MINUTES


class ImportForm(forms.Form):
    """The report of a field bench."""

    file = forms.FileField(
        label="Report folder as a ZIP file", help_text="The whole folder that safelight triage wrote for this device"
    )
    seal = forms.CharField(
        label="Seal",
        max_length=100,
        required=False,
        help_text="What the bench printed at the end, at least its first 12 digits. Without it, a report that was "
        "changed as a whole cannot be told; whether it was given is recorded.",
    )
    image = forms.ChoiceField(label="Which image was read", required=False)

    def __init__(self, *args: Any, images: Any = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "One that is kept at the bench"), *((str(i.pk), i.path) for i in images)]
        self.fields["image"].choices = choices  # type: ignore[attr-defined]


class AskForm(forms.Form):
    """How long a first answer may take."""

    minutes = forms.TypedChoiceField(
        label="At most", coerce=int, choices=[(str(n), words) for n, words in MINUTES.items()], initial="5"
    )
    image = forms.CharField(required=False)
