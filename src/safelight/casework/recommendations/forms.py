"""Forms of the pages of recommendations."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.accounts.models import User
from safelight.casework.base.fields import DayField
from safelight.casework.inspection.models import AuditPlan
from safelight.casework.recommendations.models import Recommendation
from safelight.casework.recommendations.services import OWNERS


def owners() -> Any:
    """Who can own a recommendation."""
    return User.objects.filter(is_active=True, role__in=OWNERS).order_by("role", "name", "pk")


def area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class ReportForm(forms.Form):
    """A published report."""

    title = forms.CharField(label="Title of the report", max_length=160)
    body = forms.CharField(label="Published by", max_length=80, initial="HMICFRS")
    published_on = DayField(label="Day of publication")
    source = forms.CharField(label="Where it can be read", max_length=300, required=False)
    audit = forms.ModelChoiceField(
        label="The force's own audit that it reports", required=False, queryset=None, empty_label="None of ours"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        closed = AuditPlan.objects.filter(closed_at__isnull=False).order_by("-pk")
        self.fields["audit"].queryset = closed  # type: ignore[attr-defined]


class RecommendationForm(forms.Form):
    """One recommendation of a report."""

    kind = forms.ChoiceField(label="Kind", choices=Recommendation.Kind.choices, widget=forms.RadioSelect)
    text = forms.CharField(label="What is recommended, in the inspector's words", max_length=8_000, widget=area(5))
    term = forms.ChoiceField(label="By when", choices=Recommendation.Term.choices, widget=forms.RadioSelect)
    owner = forms.ModelChoiceField(label="Owner", required=False, queryset=None, empty_label="Nobody yet")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = owners()  # type: ignore[attr-defined]


class OwnerForm(forms.Form):
    """Who answers for a recommendation."""

    owner = forms.ModelChoiceField(label="Owner", queryset=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = owners()  # type: ignore[attr-defined]


class ActionForm(forms.Form):
    """The action plan."""

    plan = forms.CharField(label="What will be done, by whom, by when", max_length=8_000, widget=area(8))


class ProofForm(forms.Form):
    """Evidence that it is met, or on the way."""

    text = forms.CharField(label="What shows it", max_length=4_000, widget=area(4))
    where = forms.CharField(label="Where it can be seen", max_length=300, required=False)
    audit = forms.ModelChoiceField(
        label="An own audit that shows it", required=False, queryset=None, empty_label="None"
    )
    done = forms.BooleanField(label="With this it is met: ask an inspector to judge", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        closed = AuditPlan.objects.filter(closed_at__isnull=False).order_by("-pk")
        self.fields["audit"].queryset = closed  # type: ignore[attr-defined]


class JudgeForm(forms.Form):
    """An inspector's word."""

    met = forms.ChoiceField(
        label="Is it met?", widget=forms.RadioSelect, choices=[("yes", "Yes: close it"), ("no", "No: it runs on")]
    )
    note = forms.CharField(label="What you saw", max_length=4_000, widget=area(4))
