"""Forms of the hash set pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from safelight.casework.hashsets.services import KINDS

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
