"""Forms of the submission pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from safelight.casework.accounts.models import User
from safelight.casework.base.fields import MomentField
from safelight.casework.submissions.material import File

LARGEST_UPLOAD = 16 * 1024 * 1024
GRADES = [
    ("", "Not yet graded"),
    ("A", "Category A"),
    ("B", "Category B"),
    ("C", "Category C"),
    ("not_pertinent", "Not pertinent"),
]


class GradesForm(forms.Form):
    """The categories that the person gave to several files in the grading tool; a file left open stays open."""

    graded_in = forms.CharField(
        label="Grading tool and version",
        max_length=120,
        help_text="Pictures are looked at there, never here. You record what you decided.",
    )
    graded_at = MomentField(label="When you graded", required=False, help_text="Leave empty for now")

    def __init__(self, *args: Any, files: Sequence[File], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.files = {f"grade-{file.md5}": file for file in files}
        self.display: dict[str, dict[str, Any]] = {}
        for name, file in self.files.items():
            first = file.first
            how = "exact match" if first.kind == "exact" else f"similar picture, {first.distance} of 256 bits differ"
            places = f", and {len(file.findings) - 1} more" if len(file.findings) > 1 else ""
            self.fields[name] = forms.ChoiceField(
                label=first.path,
                choices=GRADES,
                required=False,
                help_text=f"{first.run.device.exhibit}{places}; {how}; MD5 {file.md5}",
            )
            self.display[name] = {"mark_optional": False}

    def grades(self) -> dict[str, str]:
        """MD5 to category, for the files that were given one."""
        return {file.md5: self.cleaned_data[name] for name, file in self.files.items() if self.cleaned_data.get(name)}


class SettleGradeForm(forms.Form):
    """What a third person decides."""

    category = forms.ChoiceField(label="Category", choices=GRADES[1:], widget=forms.RadioSelect)
    reason = forms.CharField(
        label="Reason", widget=forms.Textarea, max_length=2_000, help_text="No description of the picture"
    )


class ImportGradesForm(forms.Form):
    """What the grading tool exported."""

    file = forms.FileField(
        label="Export of the grading tool", help_text="CSV with md5 and category, or VICS JSON; at most 16 MB"
    )
    graded_in = forms.CharField(label="Grading tool and version", max_length=120)
    graded_at = MomentField(label="When you graded", required=False, help_text="Leave empty for now")

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_UPLOAD:
            raise ValidationError("The file is larger than 16 MB. Export fewer files at a time.")
        return file


class SentForm(forms.Form):
    """When the file went to the national database."""

    at = MomentField(label="When it was sent", required=False, help_text="Leave empty for now")


class ReceiptForm(forms.Form):
    """What the national database answered."""

    receipt = forms.CharField(label="Reference of the receipt", max_length=120)
    rejected = forms.CharField(
        label="Rejected items",
        widget=forms.Textarea,
        required=False,
        max_length=200_000,
        help_text="One a line: the MD5, a blank, and the reason given. Leave empty if all were taken.",
    )
    owner = forms.ModelChoiceField(
        label="Who looks after the rejected items",
        queryset=User.objects.none(),
        required=False,
        empty_label="The investigator of the case",
    )
    at = MomentField(label="When the receipt came", required=False, help_text="Leave empty for now")

    def __init__(self, *args: Any, case: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(
            is_active=True, unit=case.unit_id, role__in=["investigator", "examiner", "supervisor"]
        )
        self.fields["owner"].queryset = people.order_by("name")  # type: ignore[attr-defined]

    def clean_rejected(self) -> dict[str, str]:
        made: dict[str, str] = {}
        for number, line in enumerate(self.cleaned_data["rejected"].splitlines(), 1):
            if not line.strip():
                continue
            md5, _, reason = line.strip().replace("\t", " ").replace(",", " ", 1).partition(" ")
            if len(md5) != 32 or not reason.strip():
                raise ValidationError(f"Line {number}: write the MD5 (32 characters), a blank, and the reason")
            made[md5.lower()] = reason.strip()
        return made


class SettleForm(forms.Form):
    """How a rejected item was settled."""

    settled_note = forms.CharField(
        label="How it was settled", max_length=300, help_text="For example: already held by the database"
    )


class NothingForm(forms.Form):
    """Why nothing is submitted from a device."""

    reason = forms.CharField(label="Why there is nothing to submit", widget=forms.Textarea, max_length=2_000)
