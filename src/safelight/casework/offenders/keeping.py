"""What follows from the events of an offender: the days for lists, and the state of each standing clock.

Every service calls :func:`keep` after it wrote an event. Everything is worked out afresh from the events, so that one
that arrives late, twice or out of order leads to the same days.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from safelight.casework.base.standards import standards
from safelight.casework.offenders import dates
from safelight.casework.offenders.clocking import bring_into_line, keep_duty_clock, open_clocks
from safelight.casework.offenders.models import Absence, Duty, Notification, Offender, Plan
from safelight.standards.duration import Duration
from safelight.standards.working_calendar import local_day, start_of_day

YEARLY, WEEKLY, VISIT, ASSESS = "rso_annual", "rso_nfa_weekly", "rso_visit_current", "rso_arms"
INITIAL, CHANGE, ANNOUNCED = "rso_initial_notify", "rso_change_notify", "rso_advance_change_failed"
REACTIVE = "rso_reactive_eligible"
CHILD, RETURNED, TRAVEL = "rso_child_household", "rso_travel_return", "rso_travel"
MAPPA = {2: "mappa_l2_review", 3: "mappa_l3_review"}
Kind = Notification.Kind
# From these the year of section 85 counts; matters under the 2012 Regulations do not move it.
EVENTS: dict[str, str] = {
    Kind.INITIAL: "rso_initial_notified",
    Kind.CHANGE: "rso_change_notified",
    Kind.ADVANCE: "rso_change_notified",
    Kind.ANNUAL: "rso_annual_notified",
}
REBASES = tuple(EVENTS)


@dataclass(frozen=True)
class Standing:
    """One standing clock as it should be.

    Args:
        counted_from: the moment from which it runs; None: there is no such clock now.
        due_on: its last day; None while it rests or has no duration.
        own: the interval of the plan, for visits.
        event: what starts it afresh in the standards; "" where the rule names nothing (one ends, the next begins).
        gone: why there is no such clock now.
    """

    rule: str
    counted_from: datetime | None
    due_on: date | None = None
    own: Duration | None = None
    stage: str = "next"
    event: str = ""
    gone: str = ""


def current_plan(offender: Offender) -> Plan | None:
    """The plan that counts, or None: then no visit frequency is set, and that is shown."""
    return offender.plans.order_by("-id").first()


def frequency(plan: Plan | None) -> Duration | None:
    """How often the plan says, as a duration."""
    return Duration(plan.every, "months" if plan.every_unit == "months" else "calendar_days") if plan else None


_later: ContextVar[set[int] | None] = ContextVar("offenders_kept_later", default=None)


@contextmanager
def kept_once(actor: Any) -> Iterator[None]:
    """Several events of one offender that are written together: days and clocks are worked out once, at the end."""
    token = _later.set(set())
    try:
        yield
        waiting = _later.get() or set()
    finally:
        _later.reset(token)
    for offender in Offender.objects.filter(pk__in=waiting).select_related("unit", "manager").order_by("pk"):
        keep(actor, offender)


def keep(actor: Any, offender: Offender) -> Offender:
    """Work out the days for lists and bring the clocks into line with the events."""
    waiting = _later.get()
    if waiting is not None:
        waiting.add(offender.pk)
        return offender
    stays = list(offender.absences.all())
    away = next((stay.kind for stay in stays if stay.ends is None), "")
    standing = [*_notifying(offender, stays), *_visiting(offender, stays), _assessing(offender)]
    standing += [*_mappa(offender), _reactive(offender)]
    offender.away = away
    wanted = [one.due_on for one in standing if one.rule in (YEARLY, WEEKLY) and one.due_on]
    open_duties = list(offender.duties.filter(met_by=None, ended=""))
    for duty in open_duties:
        duty.offender = offender
    wanted += [due for due in (duty_due(duty, stays) for duty in open_duties) if due]
    offender.notify_due_on = min(wanted, default=None)
    offender.save(
        update_fields=["away", "visit_due_on", "attempt_due_on", "seen_on", "failed_since_seen", "notify_due_on"]
    )
    clocks = open_clocks(offender)
    for one in standing:
        bring_into_line(actor, offender, one, stays, clocks.get(one.rule))
    for duty in open_duties:
        keep_duty_clock(actor, duty, stays)
    return offender


def duty_due(duty: Duty, stays: Any) -> date | None:
    """The last day for a duty; None while it rests. Days in custody count for none of the first three."""
    return dates.due_day(standards().clocks[duty.rule], duty.event_on, stays)


def _notifying(offender: Offender, stays: list[Absence]) -> list[Standing]:
    """The yearly clock for who has a home, the weekly one for who has none; neither before the first notification."""
    here = YEARLY if offender.has_home else WEEKLY
    other = WEEKLY if offender.has_home else YEARLY
    kinds = REBASES if offender.has_home else (*REBASES, Kind.WEEKLY)
    last = offender.notifications.filter(kind__in=kinds).order_by("-at").values_list("at", "kind").first()
    ended = _ended(offender)
    gone = [Standing(other, None, gone=ended or ("Has a home" if offender.has_home else "Without a home"))]
    if last is None or ended:
        return [Standing(here, None, gone=ended or "Not yet notified for the first time"), *gone]
    at, kind = last
    due = dates.due_day(standards().clocks[here], local_day(at), stays)
    return [Standing(here, at, due, event=EVENTS[kind] if offender.has_home else ""), *gone]


def standing_notification(offender: Offender) -> Standing:
    """The yearly or weekly notification that is due next."""
    return _notifying(offender, list(offender.absences.all()))[0]


def _visiting(offender: Offender, stays: list[Absence]) -> list[Standing]:
    """Both ways of counting: from the last visit tried, and from the last one in which the offender was seen."""
    visits = list(offender.visits.order_by("-at", "-id").values_list("at", "outcome"))
    seen = next((at for at, outcome in visits if outcome == "successful"), None)
    offender.seen_on = local_day(seen) if seen else None
    offender.failed_since_seen = next(
        (number for number, (_, outcome) in enumerate(visits) if outcome == "successful"), len(visits)
    )
    offender.visit_due_on = offender.attempt_due_on = None
    ended = _ended(offender) or ("Reactive management: no visits" if offender.management == "reactive" else "")
    if ended:
        return [Standing(VISIT, None, gone=ended)]
    every = frequency(current_plan(offender))
    # Never seen: since the entry was made. That is nobody's visit, so it starts no clock afresh.
    base = seen or offender.registered_at
    if every is None:
        return [Standing(VISIT, base, event="rso_visit_successful")]
    tried = max(filter(None, (visits[0][0] if visits else None, base)))
    rule = standards().clocks[VISIT]
    offender.visit_due_on = dates.due_day(rule, local_day(base), stays, own=every)
    offender.attempt_due_on = dates.due_day(rule, local_day(tried), stays, own=every)
    return [Standing(VISIT, base, offender.visit_due_on, own=every, event="rso_visit_successful")]


def _assessing(offender: Offender) -> Standing:
    """The force's own risk tool, to be completed at first and renewed; only the level it gave is held here."""
    ended = _ended(offender)
    if ended:
        return Standing(ASSESS, None, gone=ended)
    last = offender.risklevels.order_by("-on", "-id").values_list("on", flat=True).first()
    base = start_of_day(last) if last else offender.registered_at
    stage = "next" if last else "first"
    due = standards().clocks[ASSESS].due_at(base, stage=stage)
    return Standing(ASSESS, base, local_day(due) if due else None, stage=stage, event="rso_assessed")


def _reactive(offender: Offender) -> Standing:
    """When reactive management becomes possible: a day to be waited for, of which people are told when it comes."""
    low = offender.management == "active" and offender.low_since is not None and not offender.ended_on
    if not low or offender.low_since is None:
        return Standing(REACTIVE, None, gone="Not at low risk, or managed reactively already")
    return Standing(REACTIVE, start_of_day(offender.low_since))


def _mappa(offender: Offender) -> list[Standing]:
    """Meetings of the level at which the offender is managed; level 1 has none."""
    made = []
    held = offender.events.filter(kind="mappa").order_by("-at").values_list("at", flat=True).first()
    for level, rule in MAPPA.items():
        if offender.mappa_level != level or _ended(offender):
            made.append(Standing(rule, None, gone=f"MAPPA level {offender.mappa_level}"))
            continue
        base = held or offender.registered_at
        due = standards().clocks[rule].due_at(base)
        made.append(Standing(rule, base, local_day(due) if due else None))
    return made


def _ended(offender: Offender) -> str:
    return f"Off the register: {offender.end_reason}" if offender.ended_on else ""
