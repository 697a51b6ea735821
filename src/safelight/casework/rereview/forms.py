"""Forms of re-reviews."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid
from safelight.casework.base.fields import DayField
from safelight.casework.base.standards import standards
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.people.boroughs import boroughs
from safelight.casework.rereview.choosing import Criteria, references_in
from safelight.casework.rereview.models import Entry, ReReview
from safelight.casework.rereview.questions import ANSWERS, QUESTIONS
from safelight.casework.rereview.rules import REVIEWERS
from safelight.casework.workforce.models import Unit


def _area(label: str, help_text: str = "", *, required: bool = True, longest: int = 4_000) -> forms.CharField:
    return forms.CharField(
        label=label, widget=forms.Textarea, max_length=longest, help_text=help_text, required=required
    )


class FreezeForm(forms.Form):
    """Which cases, why, and by when."""

    title = forms.CharField(label="Title", max_length=160, help_text="Says nothing about a child or a suspect")
    why = forms.ChoiceField(label="Why", choices=[("", "Choose"), *ReReview.Why.choices])
    reason = _area("The reason in words", "Kept with the set; the ledger binds it")
    due_on = DayField(label="Every case answered by")
    unit = forms.ModelChoiceField(label="Unit", queryset=Unit.objects.all(), to_field_name="code", required=False)
    officer = forms.ModelChoiceField(
        label="Officer who had the case", queryset=User.objects.none(), to_field_name="username", required=False
    )
    first = DayField(label="Closed on or after", required=False, help_text="Open cases: opened")
    last = DayField(label="Closed on or before", required=False)
    outcome = forms.ChoiceField(label="Outcome", required=False)
    status = forms.ChoiceField(
        label="Which cases", choices=[("closed", "Closed"), ("open", "Open"), ("all", "Open and closed")],
        initial="closed",
    )  # fmt: skip
    hash_set = forms.ModelChoiceField(
        label="A newer list knows files of a device in it", queryset=HashSetRecord.objects.none(), required=False
    )
    references = _area(
        "Or these cases", "References such as C-000123, one on each line; then nothing above narrows the set",
        required=False, longest=60_000,
    )  # fmt: skip

    display = {"officer": {"search": True}, "outcome": {"search": True}, "hash_set": {"search": True}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        officers = User.objects.filter(role="investigator").order_by("name")
        self.fields["officer"].queryset = officers  # type: ignore[attr-defined]
        self.fields["hash_set"].queryset = HashSetRecord.objects.filter(kind="known").order_by("name")  # type: ignore[attr-defined]
        outcomes = [(row.id, row.title) for row in standards().outcomes.values()]
        self.fields["outcome"].choices = [("", "Any"), *outcomes]  # type: ignore[attr-defined]

    def clean_references(self) -> tuple[str, ...]:
        try:
            return references_in(self.cleaned_data["references"])
        except Invalid as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        names = ("unit", "officer", "first", "last", "outcome", "hash_set", "references")
        if not self.errors and not any(data.get(name) for name in names):
            self.add_error(None, "Say which cases: a unit, an officer, a time, an outcome, a list or references")
        if data.get("first") and data.get("last") and data["last"] < data["first"]:
            self.add_error("last", "The last day lies before the first")
        return data

    def criteria(self) -> Criteria:
        names = ("unit", "officer", "first", "last", "outcome", "status", "hash_set", "references")
        return Criteria(**{name: self.cleaned_data[name] for name in names})


def reviewers() -> Any:
    """Who may examine."""
    return User.objects.filter(is_active=True, role__in=REVIEWERS).select_related("unit").order_by("name")


class AssignForm(forms.Form):
    reviewers = forms.ModelMultipleChoiceField(
        label="Who examines", queryset=User.objects.none(),
        help_text="The cases are spread evenly, and nobody gets a case in which they worked",
    )  # fmt: skip
    display = {"reviewers": {"small": True}}

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reviewers"].queryset = people  # type: ignore[attr-defined]


class MoveForm(forms.Form):
    reviewer = forms.ModelChoiceField(label="Who examines it instead", queryset=User.objects.none())
    display = {"reviewer": {"search": True}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reviewer"].queryset = reviewers()  # type: ignore[attr-defined]


class AnswerForm(forms.Form):
    """Every question, and what follows."""

    text = _area("What was looked at, and what was found or not found", longest=8_000)
    action = forms.ChoiceField(label="What follows", choices=Entry.Action.choices, widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in QUESTIONS:
            self.fields[one.field] = forms.ChoiceField(label=one.text, choices=ANSWERS, widget=forms.RadioSelect)
        self.order_fields([*(one.field for one in QUESTIONS), "text", "action"])

    display = {one.field: {"inline": True} for one in QUESTIONS}

    def answers(self) -> dict[str, str]:
        return {one.field: self.cleaned_data[one.field] for one in QUESTIONS}


class ChildForm(forms.Form):
    """A child who was missed, as far as known."""

    given_names = forms.CharField(label="Given names", max_length=200, required=False)
    family_name = forms.CharField(label="Family name", max_length=200, required=False)
    age = forms.IntegerField(label="Age, about", min_value=0, max_value=17, required=False)
    borough = forms.ChoiceField(label="Borough where the child lives", choices=())
    lives_with = forms.BooleanField(label="Lives with the suspect", required=False)
    seen_by = forms.BooleanField(label="Is seen by the suspect", required=False)
    works_with = forms.BooleanField(label="Is reached through the suspect's work", required=False)
    online = forms.BooleanField(label="Is in contact on line", required=False)
    immediate_danger = forms.BooleanField(label="Is in immediate danger", required=False)
    relationship = forms.CharField(label="Relationship to the suspect", max_length=120, required=False)

    display = {"age": {"width": 3}, "borough": {"search": True}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["borough"].choices = [("", "Choose"), *((name, name) for name in boroughs())]  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        names = ("given_names", "family_name", "age")
        person = {name: data.pop(name) for name in names}
        return {"person": {name: value for name, value in person.items() if value not in ("", None)}, **data}


class CloseForm(forms.Form):
    conclusion = _area("The conclusion", "What was found, what was done, what changes", longest=8_000)
