"""Forms of the inspection pages."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.base.fields import DayField
from safelight.casework.base.standards import standards
from safelight.casework.inspection.models import Assessment, AuditCase
from safelight.casework.inspection.population import DIMENSIONS, STATUSES, Query
from safelight.casework.referrals.models import Source
from safelight.casework.workforce.models import Unit
from safelight.standards import CriteriaSet, GradeScale

LINES = forms.Textarea(attrs={"rows": 3})
NOT_APPLICABLE = "not_applicable"
SEVERAL = forms.CheckboxSelectMultiple


class PlanForm(forms.Form):
    """An audit before anybody looks."""

    title = forms.CharField(label="What is audited", max_length=120, help_text="Such as: online cases, third quarter")
    criteria = forms.ChoiceField(label="By which criteria", widget=forms.RadioSelect)
    opened_from = DayField(label="Cases opened from", required=False, help_text="Left empty: from the beginning")
    opened_to = DayField(label="Cases opened until", required=False, help_text="That day is taken in")
    status = forms.ChoiceField(
        label="Open or closed", choices=list(STATUSES.items()), widget=forms.RadioSelect, initial="all"
    )
    risks = forms.MultipleChoiceField(label="Risk", required=False, widget=SEVERAL, help_text="None chosen: all")
    units = forms.MultipleChoiceField(label="Units", required=False, widget=SEVERAL, help_text="None chosen: all")
    sources = forms.MultipleChoiceField(
        label="Where cases came from",
        required=False,
        widget=SEVERAL,
        choices=Source.choices,
        help_text="None chosen: all",
    )
    strata_by = forms.MultipleChoiceField(
        label="Draw from each", required=False, widget=SEVERAL, choices=list(DIMENSIONS.items()), initial=["unit"],
        help_text="Each combination is a stratum, and each is looked at",
    )  # fmt: skip
    margin = forms.IntegerField(
        label="How sure the whole must be, in points", min_value=1, max_value=40, initial=10,
        help_text="10 means: plus or minus 10 points. Fewer points need more cases.",
    )  # fmt: skip
    size = forms.IntegerField(
        label="Or: how many cases", required=False, min_value=1, max_value=100_000,
        help_text="Left empty: as many as the points above need, with the correction for a small population",
    )  # fmt: skip
    minimum = forms.IntegerField(label="At least of each stratum", min_value=1, max_value=50, initial=2,
                                 help_text="With one case, no interval can be given")  # fmt: skip
    reserve = forms.IntegerField(label="In reserve of each stratum", min_value=0, max_value=20, initial=2,
                                 help_text="For files that cannot be had, never for files that look bad")  # fmt: skip
    seed = forms.CharField(
        label="Seed", max_length=120,
        help_text="Any words. The root of the ledger's next seal is added to them, which nobody knows today.",
    )  # fmt: skip
    self_days = forms.IntegerField(label="Days for the units' own assessment", min_value=1, max_value=90, initial=14)

    display = {name: {"width": 4} for name in ("margin", "size", "minimum", "reserve", "self_days")} | {
        name: {"small": True} for name in ("status", "risks", "units", "sources", "strata_by")
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = standards()
        sets = [(one.id, f"{one.title}, version {one.version}") for one in known.criteria.values()]
        self.fields["criteria"].choices = sets  # type: ignore[attr-defined]
        risks = [(level.id, level.title) for level in known.risks.values()]
        self.fields["risks"].choices = [*risks, ("none", "Not assessed")]  # type: ignore[attr-defined]
        self.fields["units"].choices = list(Unit.objects.order_by("code").values_list("code", "name"))  # type: ignore[attr-defined]

    def query(self) -> Query:
        """The declared population."""
        data = self.cleaned_data
        return Query(
            data["opened_from"], data["opened_to"], data["status"], tuple(data["risks"]), tuple(data["units"]),
            tuple(data["sources"]),
        )  # fmt: skip


class AssessForm(forms.Form):
    """Headings, then the grade of the whole case: fields ``<heading>``, ``<heading>_note``, ``grade``, ``summary``."""

    def __init__(
        self, criteria: CriteriaSet, scale: GradeScale, *args: Any, row: Assessment | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        grades = [(grade.id, grade.title) for grade in scale]
        given = {one.heading: one for one in row.headings.all()} if row else {}
        for heading in criteria:
            said = given.get(heading.id)
            first = (said.grade or NOT_APPLICABLE) if said else None
            self.fields[heading.id] = forms.ChoiceField(
                label=heading.title, help_text=heading.asks, required=False, widget=forms.RadioSelect, initial=first,
                choices=[*grades, (NOT_APPLICABLE, "Does not apply to this case")],
            )  # fmt: skip
            self.fields[f"{heading.id}_note"] = forms.CharField(
                label=f"{heading.title}: what you saw", required=False, max_length=4_000, widget=LINES,
                initial=said.note if said else "",
            )  # fmt: skip
        self.fields["grade"] = forms.ChoiceField(
            label="The whole case", help_text="Last, after the headings; it is nobody's sum.", required=False,
            widget=forms.RadioSelect, choices=grades, initial=row.grade if row else None,
        )  # fmt: skip
        self.fields["summary"] = forms.CharField(
            label="What decided it", required=False, max_length=8_000, widget=forms.Textarea(attrs={"rows": 5}),
            initial=row.summary if row else "",
        )  # fmt: skip
        self.display = {heading.id: {"inline": True} for heading in criteria} | {"grade": {"inline": True}}
        self._headings = [heading.id for heading in criteria]

    def values(self) -> dict[str, Any]:
        """As :func:`inspection.assessing.write` takes them; headings without an answer are left out."""
        data = self.cleaned_data
        headings = {
            name: ("" if data[name] == NOT_APPLICABLE else data[name], data[f"{name}_note"])
            for name in self._headings
            if data[name]
        }
        return {"grade": data["grade"], "summary": data["summary"], "headings": headings}


class EvidenceForm(forms.Form):
    """Records of the case under one heading."""

    heading = forms.ChoiceField(label="Heading")
    records = forms.MultipleChoiceField(label="Records of the case", widget=SEVERAL)

    display = {"records": {"small": True}}

    def __init__(self, headings: Any, records: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["heading"].choices = headings  # type: ignore[attr-defined]
        self.fields["records"].choices = records  # type: ignore[attr-defined]


class MissingForm(forms.Form):
    """Why a file cannot be had."""

    reason = forms.CharField(label="Why the file cannot be had", max_length=2_000, widget=LINES)


class SettleForm(forms.Form):
    """How a disagreement was settled."""

    grade = forms.ChoiceField(label="The grade that stands", widget=forms.RadioSelect)
    unit_person = forms.ModelChoiceField(label="Talked through with", queryset=None)
    reason = forms.CharField(label="Why", max_length=4_000, widget=LINES)

    def __init__(self, scale: GradeScale, people: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["grade"].choices = [(grade.id, grade.title) for grade in scale]  # type: ignore[attr-defined]
        self.fields["unit_person"].queryset = people  # type: ignore[attr-defined]


class SendBackForm(forms.Form):
    """A case goes back: to whom, why, what must be done."""

    reason = forms.ChoiceField(label="Why", widget=forms.RadioSelect)
    recipient = forms.ModelChoiceField(label="To whom", queryset=None)
    note = forms.CharField(label="What must be done", max_length=4_000, widget=LINES)

    def __init__(self, people: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reasons = standards().refer_back_reasons.values()
        self.fields["reason"].choices = [(one.id, f"{one.title}: answer within {_span(one.hours)}") for one in reasons]  # type: ignore[attr-defined]
        self.fields["recipient"].queryset = people  # type: ignore[attr-defined]


class AnswerForm(forms.Form):
    """What came of a case that was sent back."""

    outcome = forms.ChoiceField(label="Outcome", widget=forms.RadioSelect)
    note = forms.CharField(label="What was done, and what was found", max_length=4_000, widget=LINES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = standards().refer_back_outcomes.values()
        self.fields["outcome"].choices = [(one.id, one.title) for one in rows]  # type: ignore[attr-defined]


def _span(hours: int) -> str:
    if hours % 24 == 0:
        return f"{hours // 24} days" if hours > 24 else "24 hours"
    return f"{hours} hours"


def supervisors_of(audit: AuditCase) -> Any:
    """Active supervisors of the unit that had the case."""
    from safelight.casework.accounts.models import User

    return User.objects.filter(is_active=True, role="supervisor", unit=audit.unit_id).order_by("name", "pk")
