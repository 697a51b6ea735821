"""Forms about victims."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.base.fields import DayField, MomentField
from safelight.casework.people.models import Person
from safelight.casework.victims.models import Victim, VictimUpdate


class EntitlementForm(forms.Form):
    """What a victim is entitled to, and why."""

    entitlement = forms.ChoiceField(label="Which rights", widget=forms.RadioSelect, choices=Victim.Entitlement.choices)
    reason = forms.ChoiceField(
        label="Why",
        choices=Victim.Reason.choices,
        help_text="While it is not assessed, enhanced rights count",
    )


class VictimForm(EntitlementForm):
    """A victim of the case, from the people in it."""

    person = forms.ModelChoiceField(label="Who", queryset=Person.objects.none())
    field_order = ("person", "entitlement", "reason")

    def __init__(self, *args: Any, case: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        there = case.people.exclude(role="suspect").values("person")
        children = case.children.values("person")
        people = Person.objects.filter(pk__in=there) | Person.objects.filter(pk__in=children)
        free = people.exclude(pk__in=Victim.objects.filter(case=case).values("person"))
        self.fields["person"].queryset = free.distinct().order_by("pk")  # type: ignore[attr-defined]


class WishForm(forms.Form):
    """That a victim does not wish updates, or wishes them again."""

    since = DayField(label="When they said so", required=False, help_text="Leave empty for today")


class ToldForm(forms.Form):
    """How and when the victim was told."""

    how = forms.ChoiceField(label="How the victim was told", widget=forms.RadioSelect, choices=VictimUpdate.How.choices)
    at = MomentField(label="When", required=False, help_text="Leave empty for now")
