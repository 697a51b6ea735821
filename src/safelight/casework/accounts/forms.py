"""The form for a new account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from safelight.casework.accounts.models import User
from safelight.casework.base.standards import standards
from safelight.casework.workforce.models import Unit


class AccountForm(forms.Form):
    """Who, in which role, where."""

    username = forms.CharField(label="Username", max_length=60, validators=[UnicodeUsernameValidator()])
    name = forms.CharField(label="Name, as colleagues know it", max_length=120)
    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect)
    unit = forms.ModelChoiceField(
        label="Unit", queryset=Unit.objects.all(), to_field_name="code", required=False, empty_label="No unit"
    )
    password = forms.CharField(
        label="First password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        required=False,
        help_text="At least 12 characters. Leave empty for an account that cannot sign in with a password.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [(role.id, role.title) for role in standards().roles.values() if role.available]
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        hints = {role.id: role.does for role in standards().roles.values()}
        self.display = {"role": {"hints": hints}}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("password"):
            try:
                validate_password(data["password"], User(username=data.get("username", ""), name=data.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        if data.get("role") == "supervisor" and "unit" in data and data["unit"] is None:
            self.add_error("unit", "A supervisor needs a unit: it says whose cases they answer for")
        return data
