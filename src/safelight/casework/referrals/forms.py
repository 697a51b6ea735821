"""Forms of the referral desk."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.base.fields import DayField, MomentField
from safelight.casework.people.boroughs import boroughs
from safelight.casework.people.models import Identifier, Sex
from safelight.casework.referrals.importers.record import LONGEST_SUMMARY
from safelight.casework.referrals.models import Source

OUTSIDE = "Outside the force area"


def borough_choices(empty: str = "Not known") -> list[tuple[str, str]]:
    """Every borough of the standards, with an empty choice before and 'outside' after."""
    return [("", empty), *((name, name) for name in boroughs()), (OUTSIDE, OUTSIDE)]


def lines(text: str) -> list[str]:
    """The lines of a box where one value stands on each."""
    return [line.strip() for line in text.splitlines() if line.strip()]


class ReferralForm(forms.Form):
    """A report that arrived by telephone, letter or in person."""

    source = forms.ChoiceField(label="Who sent it", choices=[("", "Choose"), *Source.choices])
    source_reference = forms.CharField(
        label="The sender's reference",
        max_length=120,
        help_text="As it stands on the report, so that the same report is not recorded twice. "
        "If there is none, write who called and when",
    )
    received_at = MomentField(label="When it was received", required=False, help_text="Leave empty for now")
    live_contact = forms.ChoiceField(
        label="Is the suspect in contact with a child now?",
        choices=[("yes", "Yes"), ("no", "No, or nothing says so")],
        widget=forms.RadioSelect,
    )
    high_priority = forms.BooleanField(label="The sender marks it as urgent", required=False)
    summary = forms.CharField(label="What is reported", widget=forms.Textarea, max_length=LONGEST_SUMMARY)
    platform = forms.CharField(label="Platform or website", max_length=120, required=False)
    incident_type = forms.CharField(label="Kind of incident", max_length=120, required=False)
    incident_at = MomentField(label="When it happened", required=False)

    family_name = forms.CharField(label="Family name", max_length=200, required=False)
    given_names = forms.CharField(label="Given names", max_length=200, required=False)
    born = DayField(label="Date of birth", required=False, help_text="For example, 27 3 1985")
    age = forms.IntegerField(
        label="Age, if the date is not known", required=False, min_value=0, max_value=120, help_text="About how old"
    )
    sex = forms.ChoiceField(label="Sex", choices=Sex.choices, initial=Sex.NOT_KNOWN)
    address = forms.CharField(label="Address", max_length=300, required=False)
    postcode = forms.CharField(label="Postcode", max_length=10, required=False)
    borough = forms.ChoiceField(
        label="Borough", required=False, help_text="Decides which unit works on it", choices=borough_choices
    )
    screen_names = forms.CharField(
        label="On-line names", widget=forms.Textarea, required=False, help_text="One on each line", max_length=4_000
    )
    emails = forms.CharField(
        label="E-mail addresses", widget=forms.Textarea, required=False, help_text="One on each line", max_length=4_000
    )
    phones = forms.CharField(
        label="Telephone numbers", widget=forms.Textarea, required=False, help_text="One on each line", max_length=4_000
    )

    display = {
        "borough": {"search": True},
        "live_contact": {"inline": True},
        "age": {"width": 3},
        "postcode": {"width": 10},
        "screen_names": {"rows": 2},
        "emails": {"rows": 2},
        "phones": {"rows": 2},
        "summary": {"rows": 8},
    }
    report = (
        "source", "source_reference", "received_at", "live_contact", "high_priority", "summary", "platform",
        "incident_type", "incident_at",
    )  # fmt: skip
    suspect = (
        "family_name", "given_names", "born", "age", "sex", "address", "postcode", "borough", "screen_names", "emails",
        "phones",
    )  # fmt: skip

    def arguments(self) -> dict[str, Any]:
        """What record_referral takes. Call after is_valid."""
        data = self.cleaned_data
        identifiers = [
            (kind, value)
            for name, kind in (
                ("screen_names", Identifier.Kind.SCREEN_NAME),
                ("emails", Identifier.Kind.EMAIL),
                ("phones", Identifier.Kind.PHONE),
            )
            for value in lines(data[name])
        ]
        names = ("family_name", "given_names", "born", "age", "sex", "address", "postcode", "borough")
        person: dict[str, Any] = {name: data[name] for name in names}
        known = identifiers or any(data[name] not in ("", None, Sex.NOT_KNOWN) for name in names if name != "borough")
        direct = ("source", "source_reference", "received_at", "summary", "platform", "incident_type", "incident_at")
        return {
            **{name: data[name] for name in direct},
            "high_priority": data["high_priority"],
            "live_contact": data["live_contact"] == "yes",
            "borough": data["borough"],
            "suspect": {**person, "identifiers": identifiers} if known else None,
        }


class ImportForm(forms.Form):
    """A file of referrals."""

    file = forms.FileField(label="The file", help_text="CSV, XLSX, ODS, JSON or XML, at most 10 MB. Never a picture.")


class CloseForm(forms.Form):
    """Why a referral does not become a case."""

    reason = forms.CharField(
        label="Why no case is opened",
        widget=forms.Textarea,
        max_length=4_000,
        help_text="What was looked at, and why no child is in danger and no offence is to be investigated",
    )


class ResolveForm(forms.Form):
    """What was done about a quarantined record."""

    resolution = forms.CharField(
        label="What was done about it",
        widget=forms.Textarea,
        max_length=500,
        help_text="For example: recorded by hand as R-000123; or the sender was asked for a corrected file",
    )
