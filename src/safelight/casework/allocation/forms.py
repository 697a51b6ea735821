"""The forms that give and move cases, and say what bears on it."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.accounts.models import User
from safelight.casework.allocation.models import Complexity
from safelight.casework.allocation.reasons import REASONS

SENSITIVE = "The reason is sensitive"
SENSITIVE_HINT = "Then only supervisors of the unit read it; the pages of the case say that there is one."
SUGGESTED = "suggested"


class AllocateForm(forms.Form):
    """Another person than the one suggested, with the supervisor's reason."""

    investigator = forms.ModelChoiceField(label="Investigator", queryset=User.objects.none())
    reason = forms.CharField(label="Why this person", widget=forms.Textarea, max_length=1_000)
    sensitive = forms.BooleanField(label=SENSITIVE, required=False, help_text=SENSITIVE_HINT)

    display = {"investigator": {"search": True}}

    def __init__(self, *args: Any, people: list[User], labels: dict[int, str], moving: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if moving:
            reasons = [("", "Choose"), *REASONS.items()]
            code = forms.ChoiceField(label="Why the case moves", choices=reasons)
            self.fields = {"code": code, **self.fields}
        field = self.fields["investigator"]
        field.queryset = User.objects.filter(pk__in=[person.pk for person in people])  # type: ignore[attr-defined]
        field.choices = [("", "Choose"), *((person.pk, labels[person.pk]) for person in people)]  # type: ignore[attr-defined]


class HandOverForm(forms.Form):
    """Which cases of one person move, to whom, and why."""

    cases = forms.TypedMultipleChoiceField(label="Cases to move", coerce=int, widget=forms.CheckboxSelectMultiple)
    taker = forms.ChoiceField(label="Who takes them")
    code = forms.ChoiceField(label="Why the cases move")
    reason = forms.CharField(label="In your words, for all of them", widget=forms.Textarea, max_length=1_000)
    sensitive = forms.BooleanField(label=SENSITIVE, required=False, help_text=SENSITIVE_HINT)

    def __init__(
        self, *args: Any, cases: dict[int, str], hints: dict[int, str], people: dict[int, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["cases"].choices = list(cases.items())  # type: ignore[attr-defined]
        takers = [("", "Choose"), (SUGGESTED, "Each case to whom it is suggested"), *people.items()]
        self.fields["taker"].choices = takers  # type: ignore[attr-defined]
        self.fields["code"].choices = [("", "Choose"), *REASONS.items()]  # type: ignore[attr-defined]
        self.display = {"cases": {"small": True, "hints": hints}, "taker": {"search": True}}


class ComplexityForm(forms.Form):
    """How complex a case is, and why."""

    level = forms.ChoiceField(label="Complexity", choices=Complexity.Level.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label="What makes it so",
        widget=forms.Textarea,
        max_length=1_000,
        help_text="For example: many devices, several victims, other countries, encrypted material.",
    )


class ConflictForm(forms.Form):
    """A conflict of interest with one case or person."""

    user = forms.ModelChoiceField(label="Whose conflict", queryset=User.objects.none())
    reference = forms.CharField(
        label="Case or person", max_length=20, help_text="Its reference, such as C-000123 or P-000123."
    )
    reason = forms.CharField(
        label="What the conflict is",
        widget=forms.Textarea,
        max_length=1_000,
        help_text="Supervisors of the unit read this, and nobody else.",
    )

    display = {"user": {"search": True}}

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if people is None:
            del self.fields["user"]
        else:
            self.fields["user"].queryset = people  # type: ignore[attr-defined]
