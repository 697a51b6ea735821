"""The form that gives or moves a case."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.accounts.models import User
from safelight.casework.allocation.reasons import REASONS


class AllocateForm(forms.Form):
    """Another person than the one suggested, with the supervisor's reason."""

    investigator = forms.ModelChoiceField(label="Investigator", queryset=User.objects.none())
    reason = forms.CharField(label="Why this person", widget=forms.Textarea, max_length=1_000)

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
