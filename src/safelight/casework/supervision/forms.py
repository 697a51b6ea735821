"""The review form."""

from __future__ import annotations

from django import forms

from safelight.casework.base.fields import DayField

_LONGEST = 4_000


class ReviewForm(forms.Form):
    """What was looked at, and what happens next by when."""

    safeguarding = forms.CharField(
        label="Safeguarding: is every child safe now, and how do you know",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=_LONGEST,
    )
    plan = forms.CharField(
        label="The plan: does it still lead to an end", widget=forms.Textarea(attrs={"rows": 3}), max_length=_LONGEST
    )
    devices = forms.CharField(
        label="Devices: is each triaged, and what was not read",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=_LONGEST,
    )
    victim = forms.CharField(
        label="The victim: identified, told, supported", widget=forms.Textarea(attrs={"rows": 3}), max_length=_LONGEST
    )
    next_action = forms.CharField(label="Next action", widget=forms.Textarea(attrs={"rows": 2}), max_length=_LONGEST)
    next_action_by = DayField(label="By when")
    drifting = forms.BooleanField(label="This case is drifting", required=False)
