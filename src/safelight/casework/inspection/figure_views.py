"""Pages of figures: what was published, every clock, control charts, and what a specialist does."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from safelight.casework.base.policy import SIGNED_IN, look, page
from safelight.casework.inspection import clock_figures, trends
from safelight.casework.inspection.results import own_audits, own_changes
from safelight.casework.workforce.models import Unit
from safelight.measures import MeasuresError, published_figures
from safelight.measures.drawing import effects_chart, intervals_chart, overlap_chart
from safelight.measures.figures import STATUSES
from safelight.measures.figures.words import (
    bound_of,
    bound_sentence,
    charge_sentence,
    counts_text,
    first_to_last,
    range_text,
    value_text,
    years_of,
)

OWN, PART = "Own audit, weighted", "Own audit of a part of the cases"


def units_for(request: HttpRequest) -> tuple[str, dict[str, str]]:
    """The unit asked for, and those to choose from. A supervisor sees the own unit only."""
    user: Any = request.user
    rows = Unit.objects.order_by("code")
    if user.role == "supervisor":
        rows = rows.filter(pk=user.unit_id)
    known = dict(rows.values_list("code", "name"))
    asked = request.GET.get("unit", "")
    if user.role == "supervisor":
        return next(iter(known), "none"), known
    return (asked if asked in known else ""), known


@page(SIGNED_IN)
def published(request: HttpRequest) -> HttpResponse:
    """Every published figure with its interval, the force's own audits beside them, and the inconsistencies."""
    found = published_figures()
    status = request.GET.get("status", "")
    status = status if status in STATUSES else ""
    points: list[tuple[str, Any, str]] = [
        (f"{row.period}: {row.title}"[:70], row.interval("good"),
         "Published, sample aimed at weak areas" if row.sampling == "targeted" else "Published")
        for row in found.inspections
        if row.area == "Metropolitan Police" and row.good is not None
    ]  # fmt: skip
    sees = request.user.has_perm("inspection.result")  # type: ignore[union-attr]
    own = own_audits() if sees else []
    points += [
        (f"{plan.closed_at:%Y}: {plan.reference} {plan.title}"[:70], share, PART if _narrow(plan) else OWN)
        for plan, share, _ in own
    ]
    context = {
        "published": found,
        "rows": [row for row in found.figures if not status or row.status == status],
        "status": status,
        "statuses": STATUSES,
        "counts": counts_text,
        "value": value_text,
        "range": range_text,
        "drawing": intervals_chart("Cases graded good, per cent", points),
        "own": own,
        "changes": own_changes(own),
        "years": [year.change.sentence for year in years_of(found) if year.change is not None],
        "sentences": [first_to_last(found), bound_sentence(bound_of(found)), charge_sentence(found)],
    }
    return render(request, "inspection/published.html", context)


def _narrow(plan: Any) -> bool:
    return bool(plan.query.get("risks") or plan.query.get("units") or plan.query.get("sources"))


@page("inspection.figures", looks="list")
def clocks(request: HttpRequest) -> HttpResponse:
    """Every clock of the last year, with open ones counted: ``?unit=CN&rule=...``."""
    unit, units = units_for(request)
    lines = clock_figures.clock_lines(unit)
    known = clock_figures.rules_seen(lines)
    asked = request.GET.get("rule", "")
    rule = asked if asked in known else trends.CHILD if trends.CHILD in known else next(iter(known), "")
    look(request, "list", None, list="clocks in figures", unit=unit, shown=[])
    context = {
        "lines": lines,
        "rules": known,
        "rule": rule,
        "unit": unit,
        "units": units,
        "drawing": clock_figures.curves_of(rule, unit) if rule else None,
        "median": clock_figures.median_text,
    }
    return render(request, "inspection/clocks.html", context)


@page("inspection.figures", looks="list")
def control(request: HttpRequest) -> HttpResponse:
    """Control charts: ``?unit=CN&by=week``."""
    unit, units = units_for(request)
    asked = request.GET.get("by", "month")
    step = asked if asked in trends.STEPS else "month"
    look(request, "list", None, list="control charts", unit=unit, shown=[])
    drawings, refused = trends.charts(unit, step)
    other = "week" if step == "month" else "month"
    link = "?" + urlencode({"unit": unit, "by": other} if unit else {"by": other})
    context = {
        "drawings": drawings,
        "refused": refused,
        "unit": unit,
        "units": units,
        "step": step,
        "other": other,
        "link": link,
    }
    return render(request, "inspection/control.html", context)


@page("inspection.result", looks="list")
def outcomes(request: HttpRequest) -> HttpResponse:
    """What a specialist does, raw and adjusted."""
    unit, units = units_for(request)
    look(request, "list", None, list="outcomes by skill", unit=unit, shown=[])
    report, refused, drawings = None, "", []
    try:
        report = trends.specialist_effect(unit)
        drawings = [
            effects_chart("The difference that a specialist makes to the share charged", report),
            overlap_chart("Where the two groups can be compared", report.overlap),
        ]
    except MeasuresError as error:
        refused = str(error)
    context = {"report": report, "refused": refused, "drawings": drawings, "unit": unit, "units": units}
    return render(request, "inspection/outcomes.html", context)
