from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.fleet.models import Block
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


class SubmitForm(forms.Form):
    """What a full examination is to answer."""

    asked_for = forms.CharField(
        label="What the examination is to answer",
        widget=forms.Textarea,
        max_length=2_000,
        help_text="For example: who used the account, contact with children, what was sent to whom and when",
    )


class BlockForm(forms.Form):
    """Why it cannot go on, and who has to act."""

    reason = forms.CharField(
        label="What keeps it from going on", max_length=300, help_text="For example: no passcode, a part is missing"
    )
    lifter = forms.ChoiceField(label="Who has to act", choices=Block.Lifter.choices, widget=forms.RadioSelect)
    who = forms.CharField(label="Name or office", max_length=120, required=False)

    reveals = {"lifter": {"outside": ("who",)}}


class UnblockForm(forms.Form):
    """How the obstacle was removed."""

    how = forms.CharField(label="How the obstacle was removed", max_length=300)


class CompleteForm(forms.Form):
    """What came of it."""

    result = forms.CharField(
        label="Result",
        widget=forms.Textarea,
        max_length=4_000,
        help_text="What was answered and where the report is. No description of pictures.",
    )


class WithdrawForm(forms.Form):
    """Why it is no longer wanted."""

    reason = forms.CharField(label="Why it is no longer wanted", widget=forms.Textarea, max_length=2_000)
