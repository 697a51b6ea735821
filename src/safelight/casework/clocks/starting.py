"""Starting a clock: once for each event, at the event's own time, however late it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid
from safelight.casework.base.standards import standards
from safelight.casework.base.values import not_in_future
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.steps import STEP_FIELDS, schedule
from safelight.casework.ledger.services import record
from safelight.standards import Duration


@dataclass(frozen=True)
class Subject:
    """What a clock hangs on: the kind of row, its key, and how it is called."""

    kind: str
    pk: int
    label: str

    @classmethod
    def of(cls, row: models.Model) -> Subject:
        """The subject that ``row`` is."""
        label = str(getattr(row, "reference", None) or row)[:120]
        return cls(row._meta.label_lower, row.pk, label)


def start_clock(
    actor: Any,
    rule_id: str,
    subject: models.Model,
    *,
    triggered_at: datetime | None = None,
    case: Any = None,
    referral: Any = None,
    unit: Any = None,
    owner: Any = None,
    risk: str = "",
    stage: str = "first",
    borough: str = "",
    own: Duration | None = None,
    once: bool = False,
) -> Clock:
    """Start the clock ``rule_id`` for ``subject``, or return the one that is already open (a trigger that arrives
    twice starts one clock; one that arrives late starts it at its own earlier time).

    Args:
        rule_id: an id of standards/clocks.toml.
        triggered_at: when the event happened (aware); None means now. A rule that asks for notice BEFORE an event
            (travel abroad) takes the day of the event, which may lie ahead.
        risk: the risk level where the rule differs by risk.
        unit: which unit answers for it; of a clock with a case, the case's.
        owner: who answers for it; left out, the case's investigator where the rule names that role.
        borough: for local overrides.
        own: the duration in the subject's own plan, for a rule whose basis is the plan.
        once: the event that already started a clock, which has ended, starts no second one when it is told again.

    Raises:
        Invalid: the rule is unknown, the time is naive or lies in the future.
    """
    return start_for(
        actor,
        rule_id,
        Subject.of(subject),
        triggered_at=triggered_at,
        case=case,
        referral=referral,
        unit=unit,
        owner=owner,
        risk=risk,
        stage=stage,
        borough=borough,
        own=own,
        once=once,
    )


def level_of(case: Any, risk: str) -> str:
    """The level that clocks of ``case`` count with: while contact with a child is live, the highest there is."""
    return next(iter(standards().risks)) if case.live_contact else risk


def _moment_of(rule: Any, triggered_at: datetime | None) -> datetime:
    if rule.sense == "notice" and triggered_at is not None:
        if timezone.is_naive(triggered_at):
            raise Invalid("The time of the event has no time zone.", fix="Give an aware time.", field="triggered_at")
        return triggered_at
    return not_in_future(triggered_at, field="triggered_at", what="The time of the event")


@transaction.atomic
def start_for(
    actor: Any,
    rule_id: str,
    subject: Subject,
    *,
    triggered_at: datetime | None,
    case: Any,
    referral: Any,
    unit: Any,
    owner: Any,
    risk: str,
    stage: str,
    borough: str,
    own: Duration | None,
    once: bool = False,
) -> Clock:
    """As :func:`start_clock`, for a subject whose row is not at hand."""
    rule = standards().clocks.get(rule_id)
    if rule is None:
        raise Invalid(f"There is no clock {rule_id!r} in the standards.", fix="See `safelight standards`.")
    moment = _moment_of(rule, triggered_at)
    mine = Clock.objects.select_for_update(of=("self",)).filter(
        rule=rule_id, subject_type=subject.kind, subject_id=subject.pk
    )
    open_clock = mine.open().first()
    if open_clock is not None:
        return (
            _begin_earlier(actor, open_clock, rule, moment, borough) if moment < open_clock.triggered_at else open_clock
        )
    if once:
        ended = mine.filter(triggered_at=moment).first()
        if ended is not None:
            return ended
    if owner is None and case is not None and rule.owner == "investigator":
        owner = case.investigator
    if rule.by_risk and case is not None:
        risk = level_of(case, risk)
    arguments = {"risk": risk or None, "stage": stage, "borough": borough or None}
    duration = own or rule.duration_for(**arguments, on=timezone.localtime(moment).date())
    due = rule.due_at(moment, **arguments, own=own)
    clock = Clock(
        rule=rule_id,
        stage=stage,
        risk=risk,
        subject_type=subject.kind,
        subject_id=subject.pk,
        subject_label=subject.label,
        case=case,
        referral=referral,
        # A supervisor's lists find the clocks of a case by the unit: it is the case's, whatever else was said.
        unit=unit if case is None else case.unit,
        owner_role=rule.owner,
        owner=owner,
        triggered_at=moment,
        due_at=due,
        base_due_at=due,
        sense=rule.sense,
        borough=borough,
        duration=str(duration) if duration else "",
        standards_version=standards().version,
    )
    schedule(clock)
    clock.save(force_insert=True)
    record(
        actor,
        "clock.started",
        clock,
        case=case,
        payload={"rule": rule_id, "subject": subject.label, "triggered_at": moment, "due_at": due},
    )
    return clock


def _begin_earlier(actor: Any, clock: Clock, rule: Any, moment: datetime, borough: str) -> Clock:
    """The event turns out to have happened before the time that is recorded: the clock has run since then."""
    from safelight.casework.clocks.pauses import work_out
    from safelight.standards.duration import duration_from_text

    own = duration_from_text(clock.duration) if rule.basis == "per_plan" else None
    due = rule.due_at(
        moment, risk=clock.risk or None, stage=clock.stage, borough=borough or clock.borough or None, own=own
    )
    before = clock.due_at
    clock.triggered_at = moment
    if due is not None and (clock.base_due_at is None or due < clock.base_due_at):
        clock.base_due_at = due
    work_out(clock, rule)
    clock.save(update_fields=["triggered_at", "due_at", "base_due_at", "paused_at", *STEP_FIELDS])
    record(
        actor,
        "clock.due_earlier",
        clock,
        case=clock.case,
        payload={
            "rule": clock.rule,
            "subject": clock.subject_label,
            "triggered_at": moment,
            "from": before,
            "to": clock.due_at,
        },
    )
    return clock
