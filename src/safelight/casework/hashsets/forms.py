"""Forms of the hash set pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from safelight.casework.hashsets.services import KINDS

FRESH_DAYS = 90
LARGEST_UPLOAD = 32 * 1024 * 1024


class ImportForm(forms.Form):
    """A list as a file."""

    file = forms.FileField(
        label="List of hashes", help_text="VICS JSON (cases or media, 1.1 to 2.0), CSV or plain text; at most 32 MB"
    )
    name = forms.CharField(
        label="Name", max_length=120, help_text="A new version under the same name takes the place of the old one"
    )
    kind = forms.ChoiceField(label="What it lists", choices=list(KINDS.items()), widget=forms.RadioSelect)
    version = forms.CharField(label="Version", max_length=60, help_text="As its publisher names it, or its date")
    source = forms.CharField(label="From whom it came", max_length=160)
    legal_basis = forms.CharField(label="Legal basis for holding it", max_length=300)
    fresh_days = forms.IntegerField(
        label="Days until it needs a newer version", min_value=1, max_value=3650, initial=FRESH_DAYS, required=False,
        help_text="After that the list is shown as stale; 90 if left out",
    )  # fmt: skip
    size_confirmed = forms.BooleanField(
        label="Its size is right", required=False,
        help_text="Where a new version has far more or far fewer entries, and its publisher says that it is right",
    )  # fmt: skip

    def clean_fresh_days(self) -> int:
        return self.cleaned_data["fresh_days"] or FRESH_DAYS

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_UPLOAD:
            raise ValidationError(
                "The file is larger than 32 MB. Import it on the machine itself: safelight hashset import FILE"
            )
        return file


class RetireForm(forms.Form):
    """Why a hash set is taken out of use."""

    reason = forms.CharField(label="Why it is retired", max_length=300)


class HoldForm(forms.Form):
    """An entry to put into quarantine."""

    pdq = forms.CharField(
        label="PDQ of the entry", max_length=80, help_text="64 hexadecimal digits, as the finding shows"
    )
    reason = forms.CharField(label="Why likenesses to it are not to count", max_length=300)


class NegativeForm(forms.Form):
    """A picture that is not what it resembles."""

    pdq = forms.CharField(
        label="PDQ of the picture", max_length=80, help_text="64 hexadecimal digits, as the finding shows"
    )
    md5 = forms.CharField(label="MD5 of the file (optional)", max_length=40, required=False)
    reason = forms.CharField(
        label="How it was confirmed",
        max_length=300,
        help_text="Who looked, and what it is in truth; no names of people",
    )


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label="Why", max_length=300)
