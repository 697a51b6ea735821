"""The form for a new account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from safelight.casework.accounts.models import User
from safelight.casework.base.standards import standards
from safelight.casework.workforce.models import Unit


class AccountForm(forms.Form):
    """Who, in which role, where."""

    username = forms.CharField(label="User name", max_length=60, validators=[UnicodeUsernameValidator()])
    name = forms.CharField(label="Name, as colleagues know it", max_length=120)
    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect)
    unit = forms.ModelChoiceField(
        label="Unit", queryset=Unit.objects.all(), to_field_name="code", required=False, empty_label="No unit"
    )
    with_password = forms.BooleanField(
        label="Draw a first password, for a week",
        required=False,
        help_text="It is shown to you once. Without it the account cannot sign in with a password.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [(role.id, role.title) for role in standards().roles.values() if role.available]
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        hints = {role.id: role.does for role in standards().roles.values()}
        self.display = {"role": {"hints": hints}}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("role") == "supervisor" and "unit" in data and data["unit"] is None:
            self.add_error("unit", "A supervisor needs a unit: it says whose cases they answer for")
        return data


class RecoveryForm(forms.Form):
    """Why somebody needs a new way in, and how the administrator knows that it is them."""

    reason = forms.CharField(
        label="What happened", widget=forms.Textarea, max_length=2_000, help_text="For example: telephone lost on duty."
    )
    identity = forms.CharField(
        label="How you know that it is this person",
        widget=forms.Textarea,
        max_length=2_000,
        help_text="For example: met in person with warrant card; called back on the number of the duty list.",
    )
    password = forms.BooleanField(label="The password is lost too: give a new one for one day", required=False)


class DecisionForm(forms.Form):
    """The second person's yes or no."""

    approve = forms.ChoiceField(
        label="May this person set up a new second factor?",
        choices=(("yes", "Yes: I know of it and have no doubt who asks"), ("no", "No")),
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label="Note", widget=forms.Textarea, max_length=2_000, required=False)


class ReasonForm(forms.Form):
    """Why an account is closed, or opened again."""

    reason = forms.CharField(label="Reason", max_length=500)


class ConnectForm(forms.Form):
    """Which account somebody of the sign-in service is."""

    username = forms.CharField(
        label="User name of the account",
        max_length=150,
        help_text="Leave empty to turn this person away.",
        required=False,
    )

    def clean_username(self) -> User | None:
        name = self.cleaned_data["username"].strip().lower()
        if not name:
            return None
        found = User.objects.filter(username=name).first()
        if found is None:
            raise ValidationError(f"There is no account {name}. Make it first, or correct the name.")
        return found
