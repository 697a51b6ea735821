"""Forms of oversight."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.accounts.models import User


class AccountableForm(forms.Form):
    """Who answers for the whole, by which decision."""

    officer = forms.ModelChoiceField(label="Chief officer", queryset=User.objects.none())
    basis = forms.CharField(
        label="By which decision", max_length=300, help_text="Such as: minute 4 of the management board, 3 March 2026"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chiefs = User.objects.filter(role="chief_officer", is_active=True).order_by("name")
        self.fields["officer"].queryset = chiefs  # type: ignore[attr-defined]


class SaveForm(forms.Form):
    """The name under which a question is kept."""

    title = forms.CharField(label="Keep this question as", max_length=120)
