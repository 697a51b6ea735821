"""Starting, stopping and holding clocks. A hold explains a delay; it never stops a clock or moves its time.

What starts a clock is in :mod:`.starting`, what pauses it or starts it afresh in :mod:`.pauses`, the sweep in
:mod:`.escalation`; all are to be had here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.clocks.escalation import sweep
from safelight.casework.clocks.models import BREACHED, Clock, Hold
from safelight.casework.clocks.pauses import (
    pause_clock,
    pause_clocks_of,
    rebase_clock,
    resume_clock,
    resume_clocks_of,
    work_out,
)
from safelight.casework.clocks.starting import level_of, start_clock
from safelight.casework.clocks.steps import STEP_FIELDS
from safelight.casework.ledger.services import fingerprint, record

CLOSED = "Case closed: "

__all__ = [
    "CLOSED",
    "attach_to_case",
    "hand_over_open_clocks",
    "lift_hold",
    "longest_hold_hours",
    "mark_not_applicable",
    "pause_clock",
    "pause_clocks_of",
    "place_hold",
    "rebase_clock",
    "resume_clock",
    "resume_clocks_of",
    "resume_clocks_of_case",
    "start_clock",
    "stop_clock",
    "stop_clocks_of_case",
    "sweep",
    "tighten_for_risk",
]


def longest_hold_hours() -> int:
    """How long a hold may last (policy hold_max_hours; the database allows 24 at most, whatever the policy says)."""
    return min(24, int(standards().policy["hold_max_hours"].value))


@transaction.atomic
def stop_clock(
    actor: Any, rule_id: str, subject: models.Model, *, reason: str, at: datetime | None = None
) -> Clock | None:
    """Stop the open clock ``rule_id`` of ``subject``: what it waited for has happened.

    Returns:
        The stopped clock, or None when none was open.

    Raises:
        Invalid: the time lies in the future or before the clock started.
    """
    moment = not_in_future(at, field="at", what="The time")
    clock = (
        Clock.objects.select_for_update()
        .open()
        .filter(rule=rule_id, subject_type=subject._meta.label_lower, subject_id=subject.pk)
        .first()
    )
    if clock is None:
        return None
    if moment < clock.triggered_at and clock.sense != "notice":
        raise Invalid(
            f"{clock.title}: {timezone.localtime(moment):%d %b %Y %H:%M} lies before the clock started "
            f"({timezone.localtime(clock.triggered_at):%d %b %Y %H:%M}).",
            fix="Check the time.",
            field="at",
        )
    clock.stopped_at, clock.stop_reason = moment, reason[:300]
    clock.save(update_fields=["stopped_at", "stop_reason"])
    late = clock.state(moment) == BREACHED
    record(
        actor,
        "clock.stopped",
        clock,
        case=clock.case,
        payload={"rule": rule_id, "subject": clock.subject_label, "stopped_at": moment, "late": late},
    )
    return clock


@transaction.atomic
def mark_not_applicable(actor: Any, rule_id: str, subject: models.Model, *, reason: str) -> Clock | None:
    """End the open clock ``rule_id`` of ``subject`` because its duty has fallen away. One that is late already is
    stopped and stays late.

    Returns:
        The clock, or None when none was open.

    Raises:
        NotPossible: the clock protects a child, or nothing moves it: such a duty does not fall away.
    """
    clock = (
        Clock.objects.select_for_update()
        .open()
        .filter(rule=rule_id, subject_type=subject._meta.label_lower, subject_id=subject.pk)
        .first()
    )
    if clock is None:
        return None
    rule = standards().clocks.get(rule_id)
    if rule is not None and (rule.area == "safeguarding" or rule.child_at_risk or rule.cannot_extend):
        raise NotPossible(f"{rule.title}: this duty does not fall away.", fix="Do it, and the clock ends.")
    if clock.state() == BREACHED:
        return stop_clock(actor, rule_id, subject, reason=reason)
    clock.not_applicable, clock.stop_reason = True, reason[:300]
    clock.save(update_fields=["not_applicable", "stop_reason"])
    record(
        actor,
        "clock.not_applicable",
        clock,
        case=clock.case,
        payload={"rule": rule_id, "subject": clock.subject_label, "due_at": clock.due_at},
    )
    return clock


@transaction.atomic
def attach_to_case(clocks: Any, case: Any) -> int:
    """Carry the clocks of a referral over to the case it became. Returns how many."""
    return clocks.filter(case=None).update(case=case, unit=case.unit)


@transaction.atomic
def hand_over_open_clocks(actor: Any, case: Any, owner: Any) -> int:
    """Make ``owner`` answerable for the case's open clocks that belong to the investigator. Returns how many."""
    count = Clock.objects.open().filter(case=case, owner_role="investigator").update(owner=owner)
    if count:
        record(actor, "clock.owner_changed", case, payload={"clocks": count, "owner": owner.pk if owner else None})
    return count


@transaction.atomic
def tighten_for_risk(actor: Any, case: Any) -> list[Clock]:
    """Bring the due times of the case's open clocks forward where its risk level now gives less time.

    Each counts from its own trigger, as it always did; none is moved back (a clock never gets later by a change of
    risk), and none is stopped and started, so that what was late stays visible as late.

    Returns:
        The clocks that became due earlier.
    """
    tightened = []
    for clock in Clock.objects.select_for_update(of=("self",)).open().filter(case=case):
        rule = standards().clocks.get(clock.rule)
        if rule is None or not rule.by_risk:
            continue
        level = level_of(case, case.risk)
        arguments = {"risk": level or None, "stage": clock.stage, "borough": case.borough or None}
        due = rule.due_at(clock.triggered_at, **arguments)
        if due is None or (clock.base_due_at is not None and due >= clock.base_due_at):
            continue
        before = clock.due_at
        clock.base_due_at, clock.risk, clock.duration = due, level, str(rule.duration_for(**arguments) or "")
        work_out(clock, rule)
        clock.save(update_fields=["due_at", "base_due_at", "paused_at", "risk", "duration", *STEP_FIELDS])
        record(
            actor,
            "clock.due_earlier",
            clock,
            case=case,
            payload={"rule": clock.rule, "risk": level, "from": before, "to": clock.due_at},
        )
        tightened.append(clock)
    return tightened


@transaction.atomic
def stop_clocks_of_case(actor: Any, case: Any, *, reason: str, at: datetime | None = None) -> int:
    """Stop the open clocks of a case that is being closed. A late one stays late. Returns how many.

    Those that protect a child are not touched: closing an investigation tells no social worker, and no victim either.
    They run on, and are seen as running or breached, until what they wait for has happened.
    """
    moment = not_in_future(at, field="at", what="The time")
    protecting = [rule.id for rule in standards().clocks.values() if rule.area in ("safeguarding", "victims")]
    rows = Clock.objects.select_for_update(of=("self",)).open().filter(case=case).exclude(rule__in=protecting)
    clocks = list(rows)
    for clock in clocks:
        clock.stopped_at = moment if clock.sense == "notice" else max(moment, clock.triggered_at)
        clock.stop_reason = reason[:300]
        record(
            actor,
            "clock.stopped",
            clock,
            case=case,
            payload={
                "rule": clock.rule,
                "subject": clock.subject_label,
                "stopped_at": clock.stopped_at,
                "late": clock.due_at is not None and clock.stopped_at > clock.due_at,
            },
        )
    Clock.objects.bulk_update(clocks, ["stopped_at", "stop_reason"], batch_size=500)
    return len(clocks)


@transaction.atomic
def resume_clocks_of_case(actor: Any, case: Any, *, closed_at: datetime, besides: tuple[str, ...] = ()) -> int:
    """Let the clocks run on that only the closing of the case had stopped: it is open again. Returns how many.

    Each keeps its own trigger and due time, so that closing and reopening gives nobody more time.

    Args:
        closed_at: when the case was closed. besides: rules that start afresh instead.
    """
    rows = Clock.objects.select_for_update(of=("self",)).filter(
        case=case, stopped_at=closed_at, stop_reason__startswith=CLOSED, not_applicable=False
    )
    clocks = list(rows.exclude(rule__in=besides))
    for clock in clocks:
        clock.stopped_at, clock.stop_reason = None, ""
        if clock.owner_role == "investigator":
            clock.owner = None
        clock.save(update_fields=["stopped_at", "stop_reason", "owner"])
        record(actor, "clock.resumed", clock, case=case, payload={"rule": clock.rule, "subject": clock.subject_label})
    return len(clocks)


@transaction.atomic
def place_hold(actor: Any, clock: Clock, *, reason: str, hours: int) -> Hold:
    """Record why a clock that may be held will be late. The clock runs on.

    Raises:
        NotAllowed: the actor is not a supervisor of the unit, or may not see what the clock is about.
        NotPossible: the clock has ended, may not be held, or is held already.
        Invalid: no reason, or not between 1 and 24 hours.
    """
    if actor.role != "supervisor":
        raise NotAllowed("Only a named supervisor may place a hold.", fix="Ask a supervisor of the unit.")
    need(actor, "clocks.hold", clock, what="You may not hold a clock of another unit.")
    clock = Clock.objects.select_for_update().get(pk=clock.pk)
    rule = standards().clocks.get(clock.rule)
    if clock.stopped_at or clock.not_applicable:
        raise NotPossible(f"{clock.title} has already ended.", fix="There is nothing to hold.")
    if rule is None or not rule.may_be_held:
        raise NotPossible(
            f"{clock.title} may not be held.", fix="Act now, or record who decided otherwise in a review."
        )
    text = required_text(reason, field="reason", what="The reason")
    longest = longest_hold_hours()
    if not 1 <= hours <= longest:
        raise Invalid(f"A hold lasts 1 to {longest} hours, not {hours}.", fix="Choose a shorter time.", field="hours")
    now = timezone.now()
    live = clock.holds.filter(lifted_at=None).first()
    if live and live.is_live(now):
        raise NotPossible(f"{clock.title} is held until {timezone.localtime(live.expires_at):%d %b %H:%M}.")
    if live:
        live.lifted_at = live.expires_at
        live.save(update_fields=["lifted_at"])
    hold = Hold.objects.create(
        clock=clock, supervisor=actor, reason=text, placed_at=now, hours=hours, expires_at=now + timedelta(hours=hours)
    )
    record(
        actor,
        "clock.held",
        clock,
        case=clock.case,
        payload={"rule": clock.rule, "hours": hours, "expires_at": hold.expires_at, "reason": fingerprint(text)},
    )
    return hold


@transaction.atomic
def lift_hold(actor: Any, hold: Hold) -> Hold:
    """End a hold before it expires. Raises NotAllowed, and NotPossible when it has ended."""
    need(actor, "clocks.hold", hold.clock, what="You may not lift this hold.")
    hold = Hold.objects.select_for_update(of=("self",)).select_related("clock__case").get(pk=hold.pk)
    if not hold.is_live():
        raise NotPossible("This hold has already ended.")
    hold.lifted_at = timezone.now()
    hold.save(update_fields=["lifted_at"])
    record(actor, "clock.hold_lifted", hold.clock, case=hold.clock.case, payload={"rule": hold.clock.rule})
    return hold
