"""How long from imaging (or grading) to the national database: by unit, with what is still open counted.

A mean over what was sent says how fast the fast ones were. Kaplan-Meier counts every open clock for as long as it has
run. A device with nothing to submit never had anything to send: it is left out, and said.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from markupsafe import Markup

from safelight.casework.base.policy import look, page
from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, views_of
from safelight.casework.devices.models import Device
from safelight.measures import ClockSummary, Curve, clock_summary, kaplan_meier

RULE = "caid_upload"
#: What is asked of a clock where the force has set no time.
NO_LIMIT_DAYS = 7.0
NOTHING = "Nothing to submit"
PERIODS = {"90": "Imaged in the last 90 days", "365": "Imaged in the last year", "": "All"}
PAGE = 50
_DAY = 86_400.0


@dataclass(frozen=True)
class UnitTimes:
    """One unit: its summary in days, its curve, and the longest that is still open (days)."""

    code: str
    name: str
    summary: ClockSummary
    curve: Curve
    longest_open: float | None


@dataclass(frozen=True)
class Times:
    """All units, and what was left out of them."""

    units: list[UnitTimes]
    limit: float
    limit_is_set: bool
    nothing: int


def times(user: Any, *, days: str = "", now: datetime | None = None) -> Times:
    """The times of every unit whose cases ``user`` sees. One query.

    Args:
        days: only clocks that began within so many days; "" for all.
    """
    now = now or timezone.now()
    rule = standards().clocks[RULE]
    span = rule.due_at(now, risk=None, stage="first", borough=None)
    limit = (span - now).total_seconds() / _DAY if span else NO_LIMIT_DAYS
    found = Clock.objects.visible_to(user).filter(rule=RULE, subject_type="devices.device", not_applicable=False)
    if days:
        found = found.filter(triggered_at__gte=now - timedelta(days=int(days)))
    by_unit: dict[tuple[str, str], list[tuple[float, bool, bool]]] = {}
    nothing = 0
    columns = ("unit__code", "unit__name", "triggered_at", "stopped_at", "stop_reason")
    for code, name, began, ended, reason in found.order_by().values_list(*columns).iterator():
        if reason.startswith(NOTHING):
            nothing += 1
            continue
        # A clock that the closing of its case ended was not met: it is known to have been open until then.
        met = ended is not None and not reason.startswith("Case closed")
        gone = max(0.0, ((ended or now) - began).total_seconds() / _DAY)
        by_unit.setdefault((code or "", name or "No unit"), []).append((gone, met, ended is None))
    made = []
    for (code, name), rows in sorted(by_unit.items()):
        durations, met = [gone for gone, *_ in rows], [met for _, met, _ in rows]
        waiting = [gone for gone, _, is_open in rows if is_open]
        made.append(
            UnitTimes(
                code,
                name,
                clock_summary(durations, met, limit),
                kaplan_meier(durations, met),
                max(waiting, default=None),
            )
        )
    return Times(made, limit, span is not None, nothing)


def longest_open(user: Any, unit: str = "", after: str = "") -> tuple[list[tuple[ClockView, Any]], str]:
    """One page of the open clocks that ``user`` sees with their devices, the longest open first; and the next key."""
    found = Clock.objects.visible_to(user).open().filter(rule=RULE, subject_type="devices.device")
    if unit:
        found = found.filter(unit__code=unit)
    stamp, _, pk = after.partition("~")
    if stamp.isdecimal() and pk.isdecimal() and len(stamp) <= 16 and len(pk) <= 15:
        moment = datetime.fromtimestamp(int(stamp) / 1e6, tz=timezone.get_current_timezone())
        later = found.filter(triggered_at__gt=moment)
        found = later | found.filter(triggered_at=moment, pk__gt=int(pk))
    clocks = list(found.select_related("case__unit").order_by("triggered_at", "pk")[: PAGE + 1])
    devices = Device.objects.in_bulk([clock.subject_id for clock in clocks])
    rows = [(view, devices.get(view.clock.subject_id)) for view in views_of(clocks[:PAGE])]
    last = clocks[PAGE - 1] if len(clocks) > PAGE else None
    return rows, f"{_micros(last.triggered_at)}~{last.pk}" if last else ""


def _micros(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, tz=moment.tzinfo)) // timedelta(microseconds=1)


@page("submissions.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Time from imaging to submission per unit: a curve, a table, and what is still open, longest first."""
    days = request.GET.get("days", "") if request.GET.get("days", "") in PERIODS else ""
    found = times(request.user, days=days)
    unit = request.GET.get("unit", "") if request.GET.get("unit", "") in {row.code for row in found.units} else ""
    rows, after = longest_open(request.user, unit, request.GET.get("after", ""))
    shown = [view.clock.subject_label for view, _ in rows]
    look(request, "list", None, list="time to submission", shown=shown, filter={"days": days, "unit": unit})
    here = reverse("submissions:timeliness")
    kept = "&".join(f"{name}={value}" for name, value in (("days", days), ("unit", unit)) if value)
    return render(
        request,
        "submissions/timeliness.html",
        {
            "found": found,
            "chart": curves(found.units) if found.units else "",
            "rows": rows,
            "chosen": {"days": days, "unit": unit},
            "choices": [
                ("days", "Period", list(PERIODS.items())),
                ("unit", "Unit, for the list of what is open", [("", "All"), *((r.code, r.name) for r in found.units)]),
            ],
            "pages": {
                "previous_url": f"{here}?{kept}" if request.GET.get("after") else "",
                "next_url": f"{here}?{kept}&after={after}" if after else "",
            },
        },
    )


def curves(units: Sequence[UnitTimes], *, most: int = 6) -> Markup:
    """The share still not submitted against days, of the units with most clocks."""
    from safelight.casework.base.charts import WIDTH, drawn

    chosen = sorted(units, key=lambda row: -row.summary.n)[:most]
    data = []
    for row in chosen:
        steps = [(0.0, 1.0), *zip(row.curve.times.tolist(), row.curve.survival.tolist(), strict=True)]
        steps.append((row.curve.last, steps[-1][1]))
        data += [{"unit": row.name, "days": round(at, 3), "share": round(share, 4)} for at, share in steps]
    import altair

    chart = (
        altair.Chart(altair.Data(values=json.loads(json.dumps(data))))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=altair.X("days:Q", title="Days since imaging or grading"),
            y=altair.Y(
                "share:Q", title="Not yet submitted", axis=altair.Axis(format="%"), scale=altair.Scale(domain=[0, 1])
            ),
            color=altair.Color("unit:N", sort=None),
            strokeDash=altair.StrokeDash("unit:N", sort=None, legend=None),
        )
        .properties(width=WIDTH - 80, height=260)
    )
    return drawn(chart)
