"""Whether this month is out of the ordinary (control charts), and what a specialist does (adjusted comparison)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone

from safelight.casework.base.standards import standards
from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock
from safelight.casework.inspection.assessing import INSPECTOR, scale_of
from safelight.casework.inspection.models import Assessment
from safelight.casework.inspection.population import with_specialist
from safelight.casework.referrals.models import Referral, Source
from safelight.errors import CaseworkError
from safelight.measures import EffectReport, MeasuresError, compare_outcomes, g_chart, t_chart, xmr_chart
from safelight.measures.drawing import Drawing, control_chart

CHILD = "police_referral_to_csc"
MOST_PERIODS = 36
STEPS = {"week": "week", "month": "month"}


def charts(unit: str = "", step: str = "month") -> tuple[list[Drawing], list[str]]:
    """The control charts of the force (or of one unit), and for each that cannot be drawn the reason."""
    drawings, refused = [], []
    wanted: tuple[tuple[str, Callable[[], Drawing]], ...] = (
        (f"Social care told in time, by {step}", lambda: _told_in_time(unit, step)),
        ("Days between children of whom social care was told late", lambda: _days_between(unit)),
        ("Audited cases between inadequate ones", lambda: _cases_between(unit)),
    )
    for title, make in wanted:
        try:
            drawings.append(make())
        except (MeasuresError, CaseworkError) as error:
            refused.append(f"{title}: {error}")
    return drawings, refused


def _child_clocks(unit: str) -> Any:
    rows = Clock.objects.filter(rule=CHILD, not_applicable=False, due_at__lte=timezone.now())
    return rows.filter(unit__code=unit) if unit else rows


def _told_in_time(unit: str, step: str) -> Drawing:
    """The share of child clocks whose time ran out in the period and that were met in it. A period in which none ran
    out has no figure: it is not a zero."""
    today = timezone.localdate()
    counts: dict[date, list[int]] = {}
    for due, stopped in _child_clocks(unit).values_list("due_at", "stopped_at").order_by("due_at"):
        period = _start(timezone.localdate(due), step)
        one = counts.setdefault(period, [0, 0])
        one[0] += stopped is not None and stopped <= due
        one[1] += 1
    if not counts:
        return control_chart("", xmr_chart([]), axis="")  # raises: there is no figure in any period
    periods, period = [], min(counts)
    while period < _start(today, step):  # the running one is not over
        periods.append(period)
        period = _next(period, step)
    periods = periods[-MOST_PERIODS:]
    values = [counts[one][0] / counts[one][1] if one in counts else None for one in periods]
    labels = [f"{one:%d %b %y}" if step == "week" else f"{one:%b %Y}" for one in periods]
    return control_chart(
        f"Social care told in time, by {step}", xmr_chart(values, labels), axis="Per cent of children", as_percent=True
    )


def _start(day: date, step: str) -> date:
    return day - timedelta(days=day.weekday()) if step == "week" else day.replace(day=1)


def _next(day: date, step: str) -> date:
    return day + timedelta(days=7) if step == "week" else (day + timedelta(days=32)).replace(day=1)


def _days_between(unit: str) -> Drawing:
    late = [
        row.due_at
        for row in _child_clocks(unit).order_by("due_at")
        if row.due_at and (row.stopped_at is None or row.stopped_at > row.due_at)
    ]
    late = late[-121:]
    gaps = [(b - a).total_seconds() / 86_400 for a, b in pairwise(late)]
    labels = [f"{timezone.localdate(one):%d %b %y}, {place}" for place, one in enumerate(late[1:], 1)]
    return control_chart(
        "Days between children of whom social care was told late",
        t_chart(gaps, labels),
        axis="Days since the one before",
    )


def _cases_between(unit: str) -> Drawing:
    rows = Assessment.objects.filter(stage=INSPECTOR, finished_at__isnull=False).order_by("finished_at", "pk")
    if unit:
        rows = rows.filter(audit__unit__code=unit)
    worst: dict[str, str] = {}
    counts: list[int] = []
    labels: list[str] = []
    since = 0
    for grade, scale, at, key in rows.values_list("grade", "scale", "finished_at", "pk"):
        if scale not in worst:
            worst[scale] = list(scale_of(scale))[-1].id
        if grade == worst[scale]:
            counts.append(since)
            labels.append(f"{timezone.localdate(at):%d %b %y}, {key}")
            since = 0
        else:
            since += 1
    return control_chart("Audited cases between inadequate ones", g_chart(counts, labels), axis="Cases in between")


def specialist_effect(unit: str = "") -> EffectReport:
    """Charged or not, in closed cases, by whether the investigator held the skill; adjusted for what was known when the
    case was given out: risk, where it came from, live contact, children, the year.

    Raises:
        MeasuresError: too few cases, or nothing that can be compared.
    """
    first = Referral.objects.filter(case=OuterRef("pk")).order_by("received_at", "pk").values("source")[:1]
    rows = with_specialist(Case.objects.filter(status="closed", restricted=False)).annotate(
        source=Subquery(first), found=Count("children", distinct=True)
    )
    if unit:
        rows = rows.filter(unit__code=unit)
    outcomes = standards().outcomes
    charged = {code for code, row in outcomes.items() if row.group == "charged"}
    kept = [
        row
        for row in rows.values("outcome", "given_to", "specialist", "risk", "source", "live_contact", "found")
        if row["given_to"] is not None
    ]
    titles = dict(Source.choices)
    return compare_outcomes(
        [row["outcome"] in charged for row in kept],
        [bool(row["specialist"]) for row in kept],
        {
            "risk": [row["risk"] or "not assessed" for row in kept],
            "source": [_grouped(titles, row["source"]) for row in kept],
            "live contact": [int(row["live_contact"]) for row in kept],
            "children at risk": [min(row["found"], 3) for row in kept],
        },
    )


def _grouped(titles: dict[str, str], source: str | None) -> str:
    """Reports from industry on one side, from people on the other: seven sources would be too many columns."""
    return "industry" if source in ("nca", "cybertip", "platform", "iwf") else "people" if source in titles else "none"
