"""Forms about one colleague's time and place."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.base.fields import DayField
from safelight.casework.workforce.models import Absence, Reduction, Unit

OPEN_END = "The last day. Leave empty while nobody knows."


class AbsenceForm(forms.Form):
    """When somebody is away. Why is a code: nothing about health or family is written here."""

    kind = forms.ChoiceField(label="What kind", choices=Absence.Kind.choices, widget=forms.RadioSelect)
    from_day = DayField(label="First day")
    until_day = DayField(label="Last day", required=False, help_text=OPEN_END)


class PostingForm(forms.Form):
    """Where somebody works for a time, or from a day on."""

    unit = forms.ModelChoiceField(
        label="Unit they go to", queryset=Unit.objects.all(), to_field_name="code", empty_label="Choose"
    )
    from_day = DayField(label="First day")
    until_day = DayField(label="Last day", required=False, help_text="Leave empty when they do not come back.")

    display = {"unit": {"search": True}}


class HoursForm(forms.Form):
    """Contracted hours from a day on."""

    hours = forms.DecimalField(label="Hours a week", max_digits=4, decimal_places=1)
    from_day = DayField(label="From")

    display = {"hours": {"width": 4, "suffix": "hours"}}


class ReductionForm(forms.Form):
    """Hours for which somebody is not there for cases."""

    kind = forms.ChoiceField(label="Why", choices=Reduction.Kind.choices, widget=forms.RadioSelect)
    hours = forms.DecimalField(label="Hours a week taken from their own", max_digits=4, decimal_places=1)
    from_day = DayField(label="First day")
    until_day = DayField(label="Last day", required=False, help_text=OPEN_END)

    display: dict[str, dict[str, Any]] = {"hours": {"width": 4, "suffix": "hours"}}


class EndForm(forms.Form):
    """The last day."""

    until_day = DayField(label="Last day")


class CancelForm(forms.Form):
    """Why it no longer counts."""

    reason = forms.CharField(
        label="Why it is taken back",
        widget=forms.Textarea,
        max_length=300,
        help_text="It stays written, as taken back.",
    )
