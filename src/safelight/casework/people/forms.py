"""The form of a person's record."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.base.fields import DayField
from safelight.casework.people.boroughs import boroughs
from safelight.casework.people.models import Identifier, Sex


class PersonForm(forms.Form):
    """What is known of a person. All of it may be empty."""

    family_name = forms.CharField(label="Family name", max_length=200, required=False)
    given_names = forms.CharField(label="Given names", max_length=200, required=False)
    born = DayField(label="Date of birth", required=False, help_text="For example, 27 3 1985")
    born_precision = forms.ChoiceField(
        label="How exact the date is",
        choices=[
            ("day", "Exact day"),
            ("month", "Only the month and year are known"),
            ("year", "Only the year is known"),
        ],
        required=False,
        help_text="For a month or a year, write 1 in the boxes that are not known",
    )
    sex = forms.ChoiceField(label="Sex", choices=Sex.choices)
    address = forms.CharField(label="Address", max_length=300, required=False)
    postcode = forms.CharField(label="Postcode", max_length=10, required=False)
    borough = forms.ChoiceField(label="Borough", required=False)
    identifier_kind = forms.ChoiceField(
        label="Add a name, number or address used to reach them",
        choices=[("", "Nothing to add"), *Identifier.Kind.choices],
        required=False,
    )
    identifier = forms.CharField(label="What it is", max_length=400, required=False)

    display = {"borough": {"search": True}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = boroughs()
        here = self.initial.get("borough")
        if here and here not in names:
            names.append(here)
        self.fields["borough"].choices = [("", "Not known"), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("identifier")) != bool(data.get("identifier_kind")):
            self.add_error("identifier", "Choose what kind it is and write it, or leave both empty")
        return data
