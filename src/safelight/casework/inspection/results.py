"""What an audit found: grades weighted to the population, the units' own grades against the auditor's, units in a
funnel. Only cases whose independent audit is finished count, so that no figure tells an auditor what a unit thinks of a
case that is still to be audited."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from safelight.casework.inspection.assessing import INSPECTOR, SELF, criteria_of, scale_of
from safelight.casework.inspection.models import Assessment, AuditPlan, HeadingGrade, ReferredBack
from safelight.errors import CaseworkError
from safelight.measures import (
    Audited,
    Interval,
    MeasuresError,
    bound_from_margins,
    compare_grades,
    funnel,
    grade_table,
    proportion,
    weighted_change,
    weighted_proportion,
)
from safelight.measures.agreement import GradeComparison, MarginBound
from safelight.measures.drawing import Drawing, funnel_chart, grades_chart, pairs_chart


@dataclass
class StratumLine:
    """One stratum of the result: cases in it, drawn, audited, and how many of each grade."""

    name: str
    population: int
    drawn: int
    audited: int
    counts: dict[str, int]


@dataclass
class HeadingLine:
    """One heading: cases it applied to, the share with the best grade, and the bias in grades."""

    title: str
    applied: int
    best: Interval | None
    bias: Interval | None


@dataclass
class Result:
    """The result of one audit; see :func:`result_of`. ``refused`` says what could not be computed, and why."""

    plan: AuditPlan
    grades: dict[str, str]
    drawn: int
    audited: int
    missing: int
    both: int
    shares: list[tuple[str, Interval | None]] = field(default_factory=list)
    strata: list[StratumLine] = field(default_factory=list)
    comparison: GradeComparison | None = None
    bound: MarginBound | None = None
    headings: list[HeadingLine] = field(default_factory=list)
    sent_back: Interval | None = None
    unanswered: int = 0
    settled: int = 0
    unsettled: int = 0
    drawings: dict[str, Drawing] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    @property
    def best_title(self) -> str:
        """The title of the best grade."""
        return next(iter(self.grades.values()))

    @property
    def bias_sentence(self) -> str:
        """By how much the units were kinder, in one sentence; empty where nothing can be compared."""
        if self.comparison is None:
            return ""
        bias = self.comparison.bias
        shown = "shown" if bias.low > 0 or bias.high < 0 else "not shown"
        way = "kinder" if bias.estimate >= 0 else "stricter"
        return (
            f"The units graded their own cases {abs(bias.estimate):.2f} grades {way} than the auditor "
            f"({bias.level * 100:g} % interval {bias.low:+.2f} to {bias.high:+.2f}): a difference is {shown}."
        )


def result_of(plan: AuditPlan) -> Result:
    """Everything about one audit, from the cases whose independent audit is finished."""
    scale = scale_of(plan.scale)
    titles = {grade.id: grade.title for grade in scale}
    cases = list(plan.cases.filter(reserve=False).values("pk", "stratum", "unit__code", "missing_at"))
    done = Assessment.objects.filter(audit__plan=plan, finished_at__isnull=False)
    theirs = dict(done.filter(stage=INSPECTOR).values_list("audit", "grade"))
    own = {key: grade for key, grade in done.filter(stage=SELF).values_list("audit", "grade") if key in theirs}
    found = Result(
        plan, titles, sum(1 for case in cases if not case["missing_at"]), len(theirs),
        sum(1 for case in cases if case["missing_at"]), len(own),
    )  # fmt: skip
    audited = [case for case in cases if case["pk"] in theirs]
    _strata(found, audited, theirs)
    _units(found, audited, theirs)
    if own:
        _against_self(found, [(own[key], theirs[key]) for key in own], scale)
    _headings(found, set(theirs), scale)
    back = ReferredBack.objects.filter(audit__in=theirs)
    if theirs:
        found.sent_back = proportion(back.values("audit").distinct().count(), len(theirs))
    found.unanswered = back.filter(outcome_at=None).count()
    found.settled = plan.cases.filter(agreement__isnull=False).count()
    found.unsettled = sum(own[key] != theirs[key] for key in own) - found.settled
    return found


def _strata(found: Result, audited: list[dict[str, Any]], theirs: dict[int, str]) -> None:
    by_stratum: dict[str, Counter[str]] = defaultdict(Counter)
    for case in audited:
        by_stratum[case["stratum"]][theirs[case["pk"]]] += 1
    for one in found.plan.strata:
        counts = by_stratum[one["name"]]
        found.strata.append(
            StratumLine(
                one["name"], one["population"], one["sampled"], counts.total(), {g: counts[g] for g in found.grades}
            )
        )
    groups: dict[str, list[float]] = {}
    for grade, title in found.grades.items():
        rows = [Audited(row.name, row.population, row.audited, row.counts[grade]) for row in found.strata]
        try:
            found.shares.append((title, weighted_proportion(rows)))
        except MeasuresError as error:
            found.shares.append((title, None))
            if (reason := f"Weighted grades: {error}") not in found.refused:
                found.refused.append(reason)
    known = [share.estimate for _, share in found.shares if share is not None]
    counts = {"All cases, weighted": found.audited}
    if len(known) == len(found.grades):
        groups["All cases, weighted"] = known
    for row in found.strata:
        if row.audited:
            groups[row.name] = [row.counts[grade] / row.audited for grade in found.grades]
            counts[row.name] = row.audited
    if groups:
        found.drawings["grades"] = grades_chart("Grades by stratum", list(found.grades.values()), groups, counts)


def _units(found: Result, audited: list[dict[str, Any]], theirs: dict[int, str]) -> None:
    best = next(iter(found.grades))
    per: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for case in audited:
        per[case["unit__code"]][0] += theirs[case["pk"]] != best
        per[case["unit__code"]][1] += 1
    try:
        units = [(code, k, n) for code, (k, n) in sorted(per.items())]
        what = f"Below {found.best_title.lower()}"
        found.drawings["funnel"] = funnel_chart(f"{what}, by unit", funnel(units), what=what)
    except MeasuresError as error:
        found.refused.append(f"Funnel by unit: {error}")


def _against_self(found: Result, pairs: list[tuple[str, str]], scale: Any) -> None:
    best = next(iter(found.grades))
    try:
        table = grade_table(pairs, scale, scale)
        found.comparison = compare_grades(table)
        kind, critical = sum(a == best for a, _ in pairs), sum(b != best for _, b in pairs)
        found.bound = bound_from_margins(kind, critical, len(pairs))
        found.drawings["pairs"] = pairs_chart("The unit's own grade against the auditor's", table, found.grades)
    except MeasuresError as error:
        found.refused.append(f"Own grades against the auditor's: {error}")


def _headings(found: Result, keys: set[int], scale: Any) -> None:
    from safelight.measures import optimism_bias

    try:
        criteria = criteria_of(found.plan)
    except CaseworkError as error:
        found.refused.append(str(error))
        return
    best = next(iter(found.grades))
    rows = HeadingGrade.objects.filter(assessment__audit__in=keys, assessment__finished_at__isnull=False).exclude(
        grade=""
    )
    given: dict[str, dict[str, dict[int, str]]] = defaultdict(lambda: defaultdict(dict))
    columns = ("heading", "assessment__stage", "assessment__audit", "grade")
    for heading, stage, audit, grade in rows.values_list(*columns):
        given[heading][stage][audit] = grade
    for heading in criteria:
        theirs, own = given[heading.id][INSPECTOR], given[heading.id][SELF]
        pairs = [(own[key], grade) for key, grade in theirs.items() if key in own]
        share = proportion(sum(grade == best for grade in theirs.values()), len(theirs)) if theirs else None
        bias = optimism_bias(grade_table(pairs, scale, scale), resamples=2_000) if pairs else None
        found.headings.append(HeadingLine(heading.title, len(theirs), share, bias))


def own_audits() -> list[tuple[AuditPlan, Interval | None, str]]:
    """The force's own closed audits, oldest first: the share with the best grade, weighted, or why there is none."""
    made: list[tuple[AuditPlan, Interval | None, str]] = []
    for plan in AuditPlan.objects.filter(closed_at__isnull=False).order_by("closed_at"):
        try:
            result = result_of(plan)
        except CaseworkError as error:
            made.append((plan, None, str(error)))
            continue
        share = result.shares[0][1]
        made.append((plan, share, "" if share else " ".join(result.refused)))
    return made


def own_changes(audits: list[tuple[AuditPlan, Interval | None, str]]) -> list[str]:
    """Each own audit against the one before it, in a sentence; audits of different populations are never compared."""
    kept = [(plan, share) for plan, share, _ in audits if share is not None]
    said = []
    for (before, first), (plan, second) in pairwise(kept):
        if before.scale != plan.scale:
            said.append(
                f"{plan.reference} against {before.reference}: graded on two scales ({plan.scale}, {before.scale}), "
                "between which nobody declared a mapping, so not compared."
            )
            continue
        if _drawn_by(before) != _drawn_by(plan):
            said.append(f"{plan.reference} against {before.reference}: drawn from different cases, so not compared.")
            continue
        said.append(f"Good, {weighted_change(first, second, names=(before.reference, plan.reference))[2]}")
    return said


def _drawn_by(plan: AuditPlan) -> tuple[object, ...]:
    """What makes two populations alike: the filter without its days, the criteria and the scale."""
    query = plan.query
    parts = (query.get("status"), tuple(query.get("risks", [])), tuple(query.get("units", [])))
    return (*parts, tuple(query.get("sources", [])), plan.criteria, plan.criteria_version, plan.scale)
