"""Reads clocks.toml, and checks that no clock contradicts itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from safelight.standards.clocks import (
    BASES,
    CALENDARS,
    SENSES,
    STAGES,
    SUBJECTS,
    UNITS_OF_CALENDAR,
    ClockCase,
    ClockRule,
)
from safelight.standards.duration import Duration, duration_fault, parse_duration
from safelight.standards.faults import RowReader
from safelight.standards.model import PRODUCT, STATUSES
from safelight.standards.rows import read_common


@dataclass(frozen=True, slots=True)
class Names:
    """Names that clocks may refer to."""

    risks: tuple[str, ...]
    roles: tuple[str, ...]
    boroughs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """What the durations of one table have in common: for which borough, from when, set by whom, on what ground."""

    borough: str | None = None
    effective_from: date | None = None
    set_by: str = PRODUCT
    status: str = ""
    source: str = ""


def _one(row: RowReader, key: str, raw: object, calendar: str) -> Duration | None:
    fault = duration_fault(raw)
    if fault:
        row.fault(f"{key}: {fault}", "Write for example { hours = 24 }.")
        return None
    assert isinstance(raw, dict)
    duration = parse_duration(raw)
    allowed = UNITS_OF_CALENDAR.get(calendar)
    if allowed is not None and duration.unit not in allowed:
        row.fault(
            f"{key}: {duration.unit} cannot be counted on the calendar {calendar!r}",
            f"Use {', '.join(allowed)}, or another calendar.",
        )
        return None
    return duration


def _staged(row: RowReader, key: str, raw: object, calendar: str) -> list[tuple[str, Duration]]:
    """A duration for both stages, or ``{ first = ..., next = ... }``."""
    if isinstance(raw, dict) and set(raw) & set(STAGES):
        found: list[tuple[str, Duration]] = []
        part = RowReader(row.source, f"{row.where}, {key}", raw)
        for stage in STAGES:
            value = part.raw(stage, needed=True)
            duration = _one(row, f"{key}.{stage}", value, calendar) if value is not None else None
            if duration:
                found.append((stage, duration))
        part.done()
        return found
    single = _one(row, key, raw, calendar)
    return [("any", single)] if single else []


def read_durations(row: RowReader, calendar: str, risks: Iterable[str], given: Given) -> tuple[ClockCase, ...]:
    """``duration = ...`` for every risk, or ``risk.<level> = ...`` for each level, without a gap; () for neither."""
    single, table = row.raw("duration"), row.raw("risk")
    if single is not None and table is not None:
        row.fault("both duration and risk are given", "Give one of them.")
        return ()
    found: list[tuple[str | None, str, Duration]] = []
    if single is not None:
        found = [(None, stage, duration) for stage, duration in _staged(row, "duration", single, calendar)]
    elif table is not None:
        per_risk = RowReader(row.source, f"{row.where}, risk", table)
        for level in risks:
            value = per_risk.raw(level, needed=True)
            if value is not None:
                found += [(level, stage, d) for stage, d in _staged(row, f"risk.{level}", value, calendar)]
        per_risk.done()
    return tuple(
        ClockCase(
            duration=duration,
            risk=risk,
            stage=stage,
            borough=given.borough,
            effective_from=given.effective_from,
            set_by=given.set_by,
            status=given.status,
            source=given.source,
        )
        for risk, stage, duration in found
    )


def _read_boroughs(row: RowReader, calendar: str, names: Names) -> list[ClockCase]:
    cases: list[ClockCase] = []
    table = row.raw("borough")
    if table is None:
        return cases
    boroughs = RowReader(row.source, f"{row.where}, borough", table)
    for borough in boroughs.data:
        boroughs.seen.add(borough)
        if borough not in names.boroughs:
            boroughs.fault(f"unknown borough {borough!r}", "Use a name of units.toml.")
        part = RowReader(row.source, f"{row.where}, borough {borough}", boroughs.data[borough])
        status = part.text("status", choices=STATUSES)
        given = Given(borough=borough, status=status, source=part.text("source"))
        durations = read_durations(part, calendar, names.risks, given)
        if not durations:
            part.fault("no duration", "Add duration or risk.")
        part.done()
        cases += durations
    return cases


def read_clock(row: RowReader, row_id: str, names: Names) -> ClockRule:
    """One row of clocks.toml, with every contradiction noted as a fault."""
    common = read_common(row, row_id)
    calendar = row.text("calendar", choices=CALENDARS)
    basis = row.text("basis", choices=BASES) if "basis" in row.data else "fixed"
    given = Given(status=common["status"], source=common["source"])
    general = read_durations(row, calendar, names.risks, given)
    rule = ClockRule(
        **common,
        area=row.text("area"),
        trigger=row.text("trigger"),
        calendar=calendar,
        subject=row.text("subject", choices=SUBJECTS),
        applies_to=row.text("applies_to"),
        owner=row.text("owner", choices=names.roles),
        escalation=row.names("escalation", needed=True, choices=names.roles),
        duty_holder=row.text("duty_holder", needed=False),
        basis=basis,
        sense=row.text("sense", choices=SENSES) if "sense" in row.data else "deadline",
        stage=row.text("stage", choices=STAGES) if "stage" in row.data else "any",
        may_be_held=row.flag("may_be_held", False),
        cannot_extend=row.flag("cannot_extend", False),
        pause_reasons=row.names("pause_reasons"),
        rebase_on=row.names("rebase_on"),
        after_pause=_after_pause(row),
        active=row.flag("active", True),
        effective_to=row.day("effective_to"),
        cases=(*general, *_read_boroughs(row, calendar, names)),
    )
    _contradictions(row, rule)
    return rule


def _after_pause(row: RowReader) -> Duration | None:
    raw = row.raw("after_pause")
    found = _one(row, "after_pause", raw, "calendar") if raw is not None else None
    if found is not None and found.unit != "calendar_days":
        row.fault(f"after_pause: {found} is not in calendar days", "Write for example { calendar_days = 3 }.")
        return None
    return found


def _contradictions(row: RowReader, rule: ClockRule) -> None:
    given = "duration" in row.data or "risk" in row.data
    if rule.status == "required" and given:
        row.fault("status is required, yet a duration is given", "Leave it to the site file, or use status draft.")
    if rule.status == "required" and rule.basis != "fixed":
        row.fault(f"status is required, yet basis is {rule.basis}", "Leave basis out, or use another status.")
    if rule.status != "required" and rule.basis == "fixed" and not given:
        row.fault("no duration", "Add duration or risk, or use status required.")
    if rule.basis != "fixed" and given:
        row.fault(f"basis is {rule.basis}, yet a duration is given", "Leave one of them out.")
    if rule.child_at_risk and rule.calendar != "elapsed":
        row.fault(
            f"a clock of a child at risk counts on the calendar {rule.calendar!r}",
            "A child does not wait for a weekend: use calendar elapsed.",
        )
    if rule.child_at_risk and rule.pause_reasons:
        row.fault("a clock of a child at risk can be paused", "Remove pause_reasons.")
    if rule.area == "safeguarding" and rule.pause_reasons and not rule.child_at_risk:
        row.fault("a clock of safeguarding can be paused", "Remove pause_reasons.")
    if rule.pause_reasons and rule.sense != "deadline":
        row.fault(f"a clock of sense {rule.sense} can be paused", "Remove pause_reasons.")
    if rule.after_pause and not rule.pause_reasons:
        row.fault("after_pause without pause_reasons", "Name what pauses it, or remove after_pause.")
    if rule.cannot_extend:
        for key in ("may_be_held", "pause_reasons", "rebase_on"):
            if getattr(rule, key):
                row.fault(f"cannot_extend together with {key}", "Remove one of them.")
    if rule.owner in rule.escalation:
        row.fault(f"escalation names the owner {rule.owner!r}", "Escalation begins after the owner.")
    if not rule.escalation and rule.owner != "chief_officer" and "escalation" in row.data:
        row.fault("nobody hears when it is missed", "Name at least one role in escalation.")
    if rule.sense == "notice" and rule.calendar == "calendar_beginning_with":
        row.fault("a notice cannot count beginning with its trigger", "Use calendar calendar.")
    if rule.effective_from and rule.effective_to and rule.effective_to < rule.effective_from:
        row.fault("effective_to is before effective_from", "Correct the dates.")
