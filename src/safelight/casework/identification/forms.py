"""Forms of victim identification."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from safelight.casework.accounts.models import User
from safelight.casework.base.fields import DayField
from safelight.casework.cases.models import Case
from safelight.casework.identification.feedback import COLUMNS, LARGEST
from safelight.casework.identification.models import Lead, Series, Victim
from safelight.casework.safeguarding.forms import NewChildForm

NO_CONTENT = "No name, no picture, no description of abuse"


class SeriesForm(forms.Form):
    """A series."""

    name = forms.CharField(
        label="Name of the series", max_length=120, help_text="As the national database has it, if it has"
    )
    source = forms.ChoiceField(
        label="Where it was put together", choices=Series.Source.choices, widget=forms.RadioSelect
    )
    about = forms.CharField(
        label="What ties it together", widget=forms.Textarea, max_length=2_000, required=False, help_text=NO_CONTENT
    )


class FilesForm(forms.Form):
    """Files of a series."""

    files = forms.CharField(
        label="Files",
        widget=forms.Textarea,
        max_length=800_000,
        help_text="One a line: the MD5, and after a blank the category A, B or C if it is known",
    )


class VictimForm(forms.Form):
    """A child whom nobody has named."""

    label = forms.CharField(label="What the child is called here", max_length=120, help_text=NO_CONTENT)
    series = forms.ModelChoiceField(label="Series", queryset=Series.objects.none(), required=False)
    case = forms.CharField(
        label="Or the case in whose material the child is shown",
        max_length=20,
        required=False,
        help_text="Such as C-000123",
    )
    age_from = forms.IntegerField(label="Apparent age, from", min_value=0, max_value=17)
    age_to = forms.IntegerField(label="Apparent age, to", min_value=0, max_value=17)
    sex = forms.ChoiceField(
        label="Sex", choices=Victim.Sex.choices, initial=Victim.Sex.NOT_KNOWN, widget=forms.RadioSelect
    )
    first_made = DayField(label="When the oldest material was made, if metadata tell", required=False)

    display = {"age_from": {"width": 2}, "age_to": {"width": 2}, "series": {"search": True}, "sex": {"small": True}}

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        self.fields["series"].queryset = Series.objects.visible_to(user)  # type: ignore[attr-defined]

    def clean_case(self) -> Case | None:
        return find_case(self._user, self.cleaned_data["case"])


def find_case(user: Any, reference: str) -> Case | None:
    """The case of a reference that was typed; None for an empty box. Raises ValidationError."""
    if not reference.strip():
        return None
    digits = reference.strip().upper().removeprefix(f"{Case.PREFIX}-")
    found = None
    if digits.isdecimal() and len(digits) <= 15:
        found = Case.objects.visible_to(user).select_related("unit").filter(pk=int(digits)).first()
    if found is None:
        raise ValidationError("There is no such case that you may see")
    return found


class LeadForm(forms.Form):
    """A lead and its source."""

    kind = forms.ChoiceField(label="Kind", choices=Lead.Kind.choices, widget=forms.RadioSelect)
    text = forms.CharField(label="The lead", widget=forms.Textarea, max_length=4_000, help_text=NO_CONTENT)
    source = forms.CharField(label="Where it comes from", max_length=200)
    owner = forms.ModelChoiceField(
        label="Who follows it", queryset=User.objects.none(), required=False, empty_label="I do"
    )

    display = {"kind": {"small": True}}

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(
            is_active=True, unit=user.unit_id, role__in=["investigator", "examiner", "supervisor"]
        )
        self.fields["owner"].queryset = people.exclude(pk=user.pk).order_by("name")  # type: ignore[attr-defined]


class CloseLeadForm(forms.Form):
    """What came of a lead."""

    led = forms.TypedChoiceField(
        label="Did it lead to the child?",
        choices=[("yes", "Yes"), ("no", "No")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    outcome = forms.CharField(label="What came of it", widget=forms.Textarea, max_length=2_000)


class IdentifyForm(NewChildForm):
    """The child has a name, or at least a place: the record of a child at risk."""

    case = forms.CharField(
        label="In which case the child is protected", max_length=20, required=False, help_text="Such as C-000123"
    )
    how = forms.CharField(label="How the child was identified", widget=forms.Textarea, max_length=4_000)

    field_order = ("case", "how", *NewChildForm.field_order)

    def __init__(self, *args: Any, user: Any, ask_case: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        if not ask_case:
            del self.fields["case"]

    def clean_case(self) -> Case | None:
        return find_case(self._user, self.cleaned_data["case"])


class FeedbackForm(forms.Form):
    """A file of answers."""

    file = forms.FileField(
        label="File of answers", help_text=f"CSV, XLSX or ODS with the columns {', '.join(COLUMNS)}; at most 8 MB"
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise ValidationError("The file is larger than 8 MB. Split it")
        return file


class SettleFeedbackForm(forms.Form):
    """What was done about an answer."""

    words = forms.CharField(label="What was done about it", widget=forms.Textarea, max_length=2_000)
    take_over = forms.BooleanField(
        label="I have looked at the file in the grading tool and give it this category too", required=False
    )

    def __init__(self, *args: Any, category: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not category:
            del self.fields["take_over"]
