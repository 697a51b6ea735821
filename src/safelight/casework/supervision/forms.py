"""The forms of supervision: the review, and the plan's actions."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.accounts.models import User
from safelight.casework.base.fields import DayField
from safelight.casework.supervision.models import PlanAction, Review

_LONGEST = 4_000


class ReviewForm(forms.Form):
    """What was looked at, and who does what next by when."""

    children_safe = forms.ChoiceField(
        label="Is every child in this case safe now", choices=Review.Safe.choices, widget=forms.RadioSelect
    )
    safeguarding = forms.CharField(
        label="Safeguarding: how do you know, and what protects each child",
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
    owner = forms.ModelChoiceField(label="By whom", queryset=User.objects.none(), empty_label="Choose")
    next_action_by = DayField(label="By when")
    drifting = forms.BooleanField(label="This case is drifting", required=False)

    display = {"owner": {"search": True}}

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["owner"], people)


def _offer(field: Any, people: list[User]) -> None:
    """These people, in this order."""
    field.queryset = User.objects.filter(pk__in=[person.pk for person in people])
    field.choices = [("", "Choose"), *((person.pk, f"{person.name}, {person.unit or 'no unit'}") for person in people)]


class ActionForm(forms.Form):
    """An action of the plan."""

    text = forms.CharField(label="What is to be done", widget=forms.Textarea(attrs={"rows": 2}), max_length=_LONGEST)
    owner = forms.ModelChoiceField(label="By whom", queryset=User.objects.none(), empty_label="Choose")
    due_on = DayField(label="By when")

    display = {"owner": {"search": True}}

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["owner"], people)


class EndActionForm(forms.Form):
    """How an action ended."""

    state = forms.ChoiceField(
        label="How it ended",
        choices=[(PlanAction.State.DONE, "Done"), (PlanAction.State.CANCELLED, "Cancelled, it is no longer needed")],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="What was done, or why it is cancelled",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=_LONGEST,
        help_text="What was done counts as a meaningful action of the case, and stands in its chronology.",
    )
