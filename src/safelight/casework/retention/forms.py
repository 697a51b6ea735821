"""Forms of the pages of retention."""

from __future__ import annotations

from django import forms

from safelight.casework.base.fields import DayField
from safelight.casework.retention.models import Decision, Hold, Schedule

AREA = forms.Textarea(attrs={"rows": 4})


class GroupForm(forms.Form):
    """The review group."""

    group = forms.ChoiceField(label="Review group", choices=Schedule.Group.choices, widget=forms.RadioSelect)


class DecideForm(forms.Form):
    """Keep or erase."""

    outcome = forms.ChoiceField(label="Decision", choices=Decision.Outcome.choices, widget=forms.RadioSelect)
    keep_until = DayField(label="If kept: day of the next review", required=False)
    reason = forms.CharField(
        label="Reason", max_length=4_000, widget=AREA, help_text="Without names: it stays when the case is erased."
    )


class HoldForm(forms.Form):
    """A hold on erasure."""

    kind = forms.ChoiceField(label="What for", choices=Hold.Kind.choices, widget=forms.RadioSelect)
    reason = forms.CharField(label="Which proceedings or inquiry, and who asked", max_length=4_000, widget=AREA)


class SettleForm(forms.Form):
    """Approve or refuse."""

    approve = forms.ChoiceField(
        label="Your answer",
        choices=[("yes", "Approve: I have read the case and agree"), ("no", "Refuse")],
        widget=forms.RadioSelect,
    )


class LiftForm(forms.Form):
    """Why a hold is lifted."""

    reason = forms.CharField(label="Why it is lifted", max_length=4_000, widget=AREA)
