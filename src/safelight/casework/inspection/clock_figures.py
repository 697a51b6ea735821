"""Every clock in figures that count the open ones: Kaplan-Meier, the share met in time, the restricted mean."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import CLOSED
from safelight.measures import MeasuresError, clock_summary, kaplan_meier
from safelight.measures.drawing import Drawing, curves_chart
from safelight.measures.survival import ClockSummary

WINDOW = timedelta(days=365)
HOUR = 3600.0


@dataclass(frozen=True)
class ClockLine:
    """One clock rule with one allowed time: what open and ended clocks say together.

    Attributes:
        hours: everything in hours, against the allowed time. ratio: in allowed times, so that working days count.
        flattering: the share over finished clocks only, which leaves out those still waiting.
    """

    rule: str
    title: str
    allowed: str
    hours: ClockSummary
    ratio: ClockSummary
    mean_text: str

    @property
    def flattering(self) -> float | None:
        return self.ratio.finished_met


@dataclass(frozen=True)
class _Seen:
    hours: list[float]
    ended: list[bool]
    allowed: list[float]


def _seen(unit: str, now: datetime) -> dict[tuple[str, str], _Seen]:
    rows = Clock.objects.filter(not_applicable=False, triggered_at__gte=now - WINDOW, triggered_at__lte=now)
    if unit:
        rows = rows.filter(unit__code=unit)
    found: dict[tuple[str, str], _Seen] = defaultdict(lambda: _Seen([], [], []))
    columns = ("rule", "duration", "triggered_at", "due_at", "stopped_at", "stop_reason")
    for rule, duration, begun, due, stopped, reason in rows.values_list(*columns).iterator(chunk_size=5_000):
        one = found[rule, duration]
        one.hours.append(max(0.0, ((stopped or now) - begun).total_seconds() / HOUR))
        # What only the closing of the case stopped was not met: it was watched until then.
        one.ended.append(stopped is not None and not reason.startswith(CLOSED))
        one.allowed.append((due - begun).total_seconds() / HOUR if due else 0.0)
    return dict(found)


def clock_lines(unit: str = "", now: datetime | None = None) -> list[ClockLine]:
    """A line for each clock rule and allowed time of the last year, in the order of the standards."""
    moment = now or timezone.now()
    order = {rule: place for place, rule in enumerate(standards().clocks)}
    lines = []
    for (rule, duration), seen in sorted(
        _seen(unit, moment).items(), key=lambda item: (order.get(item[0][0], 999), min(item[1].allowed))
    ):
        rows = [row for row in zip(seen.hours, seen.ended, seen.allowed, strict=True) if row[2] > 0]
        if not rows:
            continue
        hours, ended, allowed = (list(column) for column in zip(*rows, strict=True))
        typical = sorted(allowed)[len(allowed) // 2]
        known = standards().clocks.get(rule)
        lines.append(
            ClockLine(
                rule,
                known.title if known else rule,
                duration or "",
                clock_summary(hours, ended, typical),
                clock_summary([h / a for h, a in zip(hours, allowed, strict=True)], ended, 1.0),
                _mean(hours, ended, typical),
            )
        )
    return lines


def _mean(hours: list[float], ended: list[bool], typical: float) -> str:
    """The mean time open within twice the allowed time, or within it where nobody was watched longer."""
    curve = kaplan_meier(hours, ended)
    for limit in (2 * typical, typical):
        try:
            mean = curve.rmst(limit)
        except MeasuresError:
            continue
        return f"{span(mean.estimate)} ({span(mean.low)} to {span(mean.high)}), of the first {span(limit)}"
    return "not watched long enough"


def curves_of(rule: str, unit: str = "", now: datetime | None = None) -> Drawing | None:
    """The curves of one clock, one for each allowed time; None where there is no clock of it."""
    groups = {}
    for (name, duration), seen in _seen(unit, now or timezone.now()).items():
        if name == rule and seen.hours:
            groups[f"Allowed: {duration or 'not set'}"] = (min(seen.allowed), seen)
    if not groups:
        return None
    order = sorted(groups, key=lambda name: groups[name][0])[:6]
    curves = {name: kaplan_meier(groups[name][1].hours, groups[name][1].ended) for name in order}
    same = {round(one, 6) for name in order for one in groups[name][1].allowed}
    known = standards().clocks.get(rule)
    limit = same.pop() if len(same) == 1 else None
    return curves_chart(known.title if known else rule, curves, unit="Hours since the trigger", limit=limit or None)


def span(hours: float | None) -> str:
    """Hours below two days, else days."""
    if hours is None:
        return "not reached"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def median_text(summary: ClockSummary) -> str:
    """The median with its interval; open ends are said."""
    if summary.median is None:
        return "not reached"
    high = "beyond" if summary.median_high is None else span(summary.median_high)
    low = "beyond" if summary.median_low is None else span(summary.median_low)
    return f"{span(summary.median)} ({low} to {high})"


def rules_seen(lines: list[ClockLine]) -> dict[str, str]:
    """Titles of the rules that have a line."""
    return {line.rule: line.title for line in lines}
