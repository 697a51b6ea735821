"""Forms of break-glass access."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from safelight.casework.base.permissions import permissions
from safelight.casework.breakglass.models import Opening


class AskForm(forms.Form):
    """Which case, why it cannot wait, and for how long."""

    reference = forms.CharField(label="Reference of the case", max_length=20, help_text="Such as C-000123")
    why = forms.ChoiceField(label="Why can it not wait?", widget=forms.RadioSelect)
    reason = forms.CharField(
        label="What has happened, and what you need to find out",
        widget=forms.Textarea,
        max_length=4_000,
        help_text="Whoever reviews this reads it. Ordinary work is no reason.",
    )
    hours = forms.IntegerField(label="For how many hours", min_value=1)

    display = {"reference": {"width": 10}, "hours": {"width": 2}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = permissions().break_glass
        self.fields["why"].choices = list(said.reasons.items())  # type: ignore[attr-defined]
        self.fields["hours"].initial = settings.BREAK_GLASS_HOURS
        self.fields["hours"].help_text = f"It ends by itself. At most {said.most_hours}"


class ReviewForm(forms.Form):
    """Was it justified, and what shows that."""

    verdict = forms.ChoiceField(label="Was it justified?", widget=forms.RadioSelect, choices=Opening.Verdict.choices)
    note = forms.CharField(
        label="What you found",
        widget=forms.Textarea,
        max_length=4_000,
        help_text="What was looked at, and whether it was needed for the reason given. Say what follows if it was not.",
    )
