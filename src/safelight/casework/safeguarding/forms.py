"""Forms of the child pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory

from safelight.casework.base.fields import DayField, MomentField
from safelight.casework.clocks.services import longest_hold_hours
from safelight.casework.people.boroughs import boroughs, social_care_for
from safelight.casework.people.models import Sex
from safelight.casework.safeguarding.content import QUESTIONS
from safelight.casework.safeguarding.models import Answer, ChildAtRisk, SafeguardingReferral
from safelight.casework.safeguarding.social_care import LONGEST_CONCERN

NOT_KNOWN_WHERE = "Not known yet"
ELSEWHERE = "Outside the force area"
CONTACT = [
    ("lives_with", "Lives with the suspect"),
    ("seen_by", "Is seen by the suspect"),
    ("works_with", "Is reached through the suspect's work or volunteering"),
    ("online", "Is in contact on line"),
]


class CheckForm(forms.Form):
    """The three questions. 'Not known yet' is an honest answer; it stays on the work list until it is answered."""

    lives_with = forms.ChoiceField(
        label="Does the suspect live with children?",
        choices=Answer.choices,
        widget=forms.RadioSelect,
        help_text="In the same home, also for part of the time; own children, those of a partner or lodger",
    )
    sees = forms.ChoiceField(
        label="Does the suspect see children?",
        choices=Answer.choices,
        widget=forms.RadioSelect,
        help_text="Own children who live elsewhere, family, friends, neighbours, on line",
    )
    works_with = forms.ChoiceField(
        label="Does the suspect work or volunteer with children?", choices=Answer.choices, widget=forms.RadioSelect
    )
    basis = forms.CharField(
        label="What these answers rest on",
        widget=forms.Textarea,
        max_length=4_000,
        help_text="Records that were looked at, people who were asked, and when",
    )


class ContactFields(forms.Form):
    """How a child and the suspect are in contact: the same questions for a new child and for one on record."""

    contact = forms.MultipleChoiceField(
        label="How the child and the suspect are in contact",
        choices=CONTACT,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    immediate_danger = forms.BooleanField(label="The child is in immediate danger", required=False)
    relationship = forms.CharField(
        label="Relationship to the suspect",
        max_length=120,
        required=False,
        help_text="Such as daughter, pupil, neighbour",
    )
    school = forms.CharField(label="School or nursery", max_length=160, required=False)
    borough = forms.ChoiceField(label="Borough where the child lives", help_text="Decides which social care is told")
    voice = forms.CharField(
        label="What the child says, in the child's words", widget=forms.Textarea, max_length=4_000, required=False
    )

    display = {"borough": {"search": True}, "voice": {"rows": 3}, "contact": {"small": True}, "age": {"width": 3}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [*boroughs(), ELSEWHERE, NOT_KNOWN_WHERE]
        here = self.initial.get("borough")
        if here and here not in names:
            names.append(here)
        self.fields["borough"].choices = [("", "Choose"), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def flags(self) -> dict[str, Any]:
        """Contact, danger and texts as the services take them. Call after is_valid."""
        data = self.cleaned_data
        made: dict[str, Any] = {name: name in data["contact"] for name, _ in CONTACT}
        return made | {n: data[n] for n in ("immediate_danger", "relationship", "school", "borough", "voice")}


class ChildForm(ContactFields):
    """A child whose person record exists, newly found to be at risk."""

    identified_at = MomentField(
        label="When police first knew of this child",
        required=False,
        help_text="Leave empty for now. The 24 hours to tell social care count from then",
    )


class NewChildForm(ChildForm):
    """A child without a record: whatever is known, and nothing that is not."""

    given_names = forms.CharField(label="Given names", max_length=200, required=False)
    family_name = forms.CharField(label="Family name", max_length=200, required=False)
    born = DayField(label="Date of birth", required=False, help_text="For example, 5 6 2016. Not for an unborn child")
    age = forms.IntegerField(label="Or about how old", required=False, min_value=0, max_value=17)
    sex = forms.ChoiceField(label="Sex", choices=Sex.choices, initial=Sex.NOT_KNOWN, required=False)
    address = forms.CharField(label="Address", max_length=300, required=False)
    postcode = forms.CharField(label="Postcode", max_length=10, required=False)

    field_order = ("given_names", "family_name", "born", "age", "sex", "contact", "immediate_danger", "relationship",
                   "borough", "address", "postcode", "school", "identified_at", "voice")  # fmt: skip

    def person(self) -> dict[str, Any]:
        """The arguments of create_person. Call after is_valid."""
        names = ("given_names", "family_name", "born", "age", "sex", "address", "postcode")
        return {name: self.cleaned_data[name] for name in names}


class _AtLeastOne(BaseFormSet):  # type: ignore[type-arg]
    def clean(self) -> None:
        if not any(self.errors) and not any(form.has_changed() for form in self.forms):
            raise ValidationError("Say what is known of at least one child")


NewChildren = formset_factory(NewChildForm, formset=_AtLeastOne, extra=1, max_num=20, validate_max=True)


class FindForm(forms.Form):
    """Looking for a child who is on record already."""

    family_name = forms.CharField(label="Family name", max_length=200, required=False)
    given_names = forms.CharField(label="Given names", max_length=200, required=False)
    born = DayField(label="Date of birth", required=False)


class HoldForm(forms.Form):
    """Why social care is told later, and for how long."""

    reason = forms.CharField(
        label="Why social care cannot be told now",
        widget=forms.Textarea,
        max_length=4_000,
        help_text="What would go wrong, and how the child is kept safe meanwhile",
    )
    hours = forms.IntegerField(label="For how many hours")

    display = {"hours": {"width": 2, "suffix": "hours"}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        longest = longest_hold_hours()
        self.fields["hours"] = forms.IntegerField(
            label="For how many hours", min_value=1, max_value=longest, help_text=f"1 to {longest}"
        )


class ReferForm(forms.Form):
    """A referral to children's social care."""

    children = forms.ModelMultipleChoiceField(
        label="About which children", queryset=ChildAtRisk.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    authority = forms.ChoiceField(label="To which social care")
    other_authority = forms.CharField(label="Its name, if it is not in the list", max_length=60, required=False)
    recipient = forms.CharField(
        label="Who received it", max_length=160, help_text="The person, desk or address, such as the duty desk"
    )
    concern = forms.CharField(
        label="What is feared for the children",
        widget=forms.Textarea,
        max_length=LONGEST_CONCERN,
        help_text="Facts with their source, time and place. Keep fact and opinion apart",
    )
    sent_at = MomentField(label="When it was sent", required=False, help_text="Leave empty for now")

    display = {"authority": {"search": True}, "concern": {"rows": 10}, **{name: {"rows": 2} for name in QUESTIONS}}

    def __init__(self, *args: Any, children: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["children"].queryset = children  # type: ignore[attr-defined]
        self.fields["children"].label_from_instance = _child_label  # type: ignore[attr-defined]
        names = [social_care_for(borough) for borough in boroughs()]
        self.fields["authority"].choices = [("", "Choose"), *((n, n) for n in names), ("other", "Another authority")]  # type: ignore[attr-defined]
        for name, label in QUESTIONS.items():
            self.fields[name] = forms.CharField(label=label, widget=forms.Textarea, required=False, max_length=4_000)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("authority") == "other" and not data.get("other_authority"):
            self.add_error("other_authority", "Write the name of the authority")
        return data

    def arguments(self) -> dict[str, Any]:
        """What send_safeguarding_referral takes. Call after is_valid."""
        data = self.cleaned_data
        authority = data["other_authority"] if data["authority"] == "other" else data["authority"]
        return {
            "children": list(data["children"]),
            "authority": authority,
            "recipient": data["recipient"],
            "concern": data["concern"],
            "sent_at": data["sent_at"],
            "answers": {name: data[name] for name in QUESTIONS},
        }


def _child_label(child: ChildAtRisk) -> str:
    return f"{child.reference} {child.person.name} ({child.borough})"


class ChaseForm(forms.Form):
    """That social care was asked for its answer."""

    text = forms.CharField(
        label="Who was asked, and what they said", widget=forms.Textarea, max_length=2_000, required=False
    )


class AnswerForm(forms.Form):
    """What social care answered."""

    by = forms.CharField(label="Who answered", max_length=160, help_text="Name or desk at social care")
    decision = forms.ChoiceField(
        label="What they decided",
        choices=[("none", "No decision yet, only that they have it"), *SafeguardingReferral.Decision.choices],
        widget=forms.RadioSelect,
    )
    at = MomentField(label="When", required=False, help_text="Leave empty for now")
