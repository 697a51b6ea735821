"""Pausing, resuming and re-basing clocks: only where the rule says so, never a clock that protects a child.

A clock is worked out from its events. They may be told late, twice or in any order: the due time is the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.standards import standards
from safelight.casework.base.values import not_in_future
from safelight.casework.clocks.models import Clock, ClockPause
from safelight.casework.clocks.starting import Subject, start_for
from safelight.casework.clocks.steps import STEP_FIELDS, schedule
from safelight.casework.ledger.services import fingerprint, record
from safelight.standards import Duration, due_after_pauses
from safelight.standards.duration import duration_from_text

PAUSE_WORDS = {"custody": "In custody", "hospital": "In hospital", "abroad": "Abroad"}
CHANGED = ["due_at", "paused_at", *STEP_FIELDS]


def _locked(clock: Clock) -> Clock:
    found: Clock = Clock.objects.select_for_update(of=("self",)).select_related("case", "owner").get(pk=clock.pk)
    return found


def _rule(clock: Clock) -> Any:
    rule = standards().clocks.get(clock.rule)
    if rule is None:
        raise NotPossible(f"The standards no longer know {clock.rule!r}.", fix="Stop it with a reason.")
    return rule


def may_be_paused(rule: Any, reason: str = "") -> bool:
    """Whether a rule says that its clocks are suspended (for ``reason``, or for any)."""
    protects = rule.cannot_extend or rule.child_at_risk or rule.area == "safeguarding"
    return not protects and (reason in rule.pause_reasons if reason else bool(rule.pause_reasons))


@transaction.atomic
def pause_clock(
    actor: Any,
    clock: Clock,
    *,
    reason: str,
    at: datetime | None = None,
    until: datetime | None = None,
    note: str = "",
) -> ClockPause:
    """Record that a clock does not count from ``at`` on.

    Told twice it is one pause; told again with an earlier time, it began earlier. A pause that began after the clock
    had run out is kept and changes nothing: what is late stays late.

    Args:
        reason: one of the rule's ``pause_reasons`` (custody, hospital, abroad).
        until: when it ended, where that is known already: whole pauses may be told in any order.
        note: how it is known, in words.

    Raises:
        NotPossible: the rule cannot be paused, or not for this reason; or the clock has ended.
        Invalid: a time is naive or lies in the future, or the end lies before the beginning.
    """
    moment = not_in_future(at, field="at", what="The time when the pause began")
    if until is not None:
        until = not_in_future(until, field="until", what="The time when the pause ended")
        if until < moment:
            raise Invalid("The pause ends before it begins.", fix="Check both times.", field="until")
    clock = _locked(clock)
    rule = _rule(clock)
    if not may_be_paused(rule):
        why = "Nothing extends it." if rule.cannot_extend else "Its rule does not allow it."
        raise NotPossible(f"{rule.title}: this clock cannot be paused. {why}", fix="Act within its time.")
    if not may_be_paused(rule, reason):
        known = ", ".join(rule.pause_reasons)
        raise NotPossible(f"{rule.title}: {reason!r} does not pause it.", fix=f"Only {known} does.")
    if clock.stopped_at or clock.not_applicable:
        raise NotPossible(f"{rule.title} has already ended.", fix="There is nothing to pause.")
    same = clock.pauses.filter(reason=reason, started_at__lte=moment)
    told = same.filter(models.Q(ended_at=None) if until is None else models.Q(ended_at__gte=until))
    told_before = told.first() or (same.filter(ended_at__gt=moment).first() if until is None else None)
    if told_before is not None:
        return told_before
    open_pause = clock.pauses.filter(reason=reason, ended_at=None).first() if until is None else None
    if open_pause is not None:
        open_pause.started_at = moment
        open_pause.save(update_fields=["started_at"])
        pause = open_pause
    else:
        pause = ClockPause.objects.create(
            clock=clock,
            reason=reason,
            note=note.strip(),
            started_at=moment,
            ended_at=until,
            due_before=clock.due_at,
            recorded_at=timezone.now(),
            recorded_by=actor,
            ended_by=actor if until else None,
        )
    before = clock.due_at
    work_out(clock, rule)
    clock.save(update_fields=CHANGED)
    record(
        actor,
        "clock.paused",
        clock,
        case=clock.case,
        payload={
            "rule": clock.rule,
            "subject": clock.subject_label,
            "reason": reason,
            "at": moment,
            "until": until,
            "from": before,
            "to": clock.due_at,
            "note": fingerprint(note) if note else None,
        },
    )
    return pause


@transaction.atomic
def resume_clock(actor: Any, clock: Clock, *, reason: str = "", at: datetime | None = None) -> Clock:
    """Record that a clock counts again from ``at`` on, and work out when it is due now.

    Args:
        reason: which pause ends; "" ends all that are open. Nothing open: nothing changes.

    Raises:
        Invalid: the time is naive, lies in the future, or before the pause began.
    """
    moment = not_in_future(at, field="at", what="The time when the pause ended")
    clock = _locked(clock)
    pauses = clock.pauses.filter(ended_at=None)
    if reason:
        pauses = pauses.filter(reason=reason)
    ending = list(pauses)
    if not ending:
        return clock
    early = next((pause for pause in ending if moment < pause.started_at), None)
    if early is not None:
        raise Invalid(
            f"{clock.title}: {timezone.localtime(moment):%d %b %Y %H:%M} lies before the pause began "
            f"({timezone.localtime(early.started_at):%d %b %Y %H:%M}).",
            fix="Check the time.",
            field="at",
        )
    for pause in ending:
        pause.ended_at, pause.ended_by = moment, actor
        pause.save(update_fields=["ended_at", "ended_by"])
    before = clock.due_at
    if clock.stopped_at is None and not clock.not_applicable:
        work_out(clock, _rule(clock))
        clock.save(update_fields=CHANGED)
    record(
        actor,
        "clock.pause_ended",
        clock,
        case=clock.case,
        payload={
            "rule": clock.rule,
            "subject": clock.subject_label,
            "reasons": [pause.reason for pause in ending],
            "at": moment,
            "from": before,
            "to": clock.due_at,
        },
    )
    return clock


def work_out(clock: Clock, rule: Any) -> None:
    """The due time from the trigger and every pause; the caller saves it (:data:`CHANGED`). Which duration counts was
    settled when the clock began."""
    duration = duration_from_text(clock.duration)
    spans = list(clock.pauses.values_list("started_at", "ended_at"))
    due = (
        clock.base_due_at
        if duration is None
        else due_after_pauses(
            clock.base_due_at,
            clock.triggered_at,
            spans,
            duration=duration,
            beginning_with=rule.calendar == "calendar_beginning_with",
            after_pause=rule.after_pause,
        )
    )
    still_paused = due is None and clock.base_due_at is not None
    began = min((start for start, end in spans if end is None), default=None)
    moved = due != clock.due_at
    clock.due_at, clock.paused_at = due, max(began, clock.triggered_at) if still_paused and began else None
    schedule(clock, afresh=moved and not still_paused)
    if still_paused:
        clock.next_step_at = None


@transaction.atomic
def change_duration(actor: Any, clock: Clock, *, own: Duration) -> Clock:
    """The subject's own plan says another duration now: the clock counts it from where it began, pauses included.

    Raises:
        NotPossible: the rule takes no duration of a plan, or the clock has ended.
    """
    clock = _locked(clock)
    rule = _rule(clock)
    if rule.basis != "per_plan" or clock.stopped_at or clock.not_applicable:
        raise NotPossible(f"{rule.title}: its duration is not a plan's, or it has ended.")
    before = clock.due_at
    clock.base_due_at, clock.duration = rule.due_at(clock.triggered_at, own=own), str(own)
    work_out(clock, rule)
    clock.save(update_fields=["base_due_at", "duration", *CHANGED])
    record(
        actor,
        "clock.duration_changed",
        clock,
        case=clock.case,
        payload={"rule": clock.rule, "subject": clock.subject_label, "from": before, "to": clock.due_at},
    )
    return clock


def _of(subject: models.Model) -> Any:
    return Clock.objects.open().filter(subject_type=subject._meta.label_lower, subject_id=subject.pk)


@transaction.atomic
def pause_clocks_of(
    actor: Any, subject: models.Model, *, reason: str, at: datetime | None = None, note: str = ""
) -> list[ClockPause]:
    """Pause every open clock of ``subject`` whose rule names ``reason``; the others run on. See :func:`pause_clock`."""
    rules = [rule.id for rule in standards().clocks.values() if may_be_paused(rule, reason)]
    return [pause_clock(actor, clock, reason=reason, at=at, note=note) for clock in _of(subject).filter(rule__in=rules)]


@transaction.atomic
def resume_clocks_of(actor: Any, subject: models.Model, *, reason: str = "", at: datetime | None = None) -> list[Clock]:
    """Resume every clock of ``subject`` that is paused (for ``reason``). See :func:`resume_clock`."""
    wanted = {"pauses__ended_at": None, "pauses__isnull": False} | ({"pauses__reason": reason} if reason else {})
    rows = _of(subject).filter(pk__in=Clock.objects.filter(**wanted).values("pk"))
    return [resume_clock(actor, clock, reason=reason, at=at) for clock in rows]


@transaction.atomic
def rebase_clock(
    actor: Any,
    clock: Clock,
    *,
    event: str,
    at: datetime | None = None,
    reason: str = "",
    own: Duration | None = None,
) -> Clock:
    """Start a clock afresh from ``event``. The clock before ends at that moment, in time or late, and stays visible
    with the time it had; pauses that last go over to the new one.

    An event that is no later than the one the clock already runs from changes nothing (told twice, or out of order).

    Args:
        event: one of the rule's ``rebase_on``.
        at: when the event happened; None means now.
        own: for a rule whose basis is the subject's plan, the duration from now on; None keeps the one before.

    Raises:
        NotPossible: nothing extends this clock, its rule does not start afresh on this event, or it has ended.
        Invalid: the time is naive or lies in the future.
    """
    moment = not_in_future(at, field="at", what="The time of the event")
    clock = _locked(clock)
    rule = _rule(clock)
    if rule.cannot_extend:
        raise NotPossible(f"{rule.title}: nothing extends this clock.", fix="Act within its time.")
    if event not in rule.rebase_on:
        known = ", ".join(rule.rebase_on) or "nothing does"
        raise NotPossible(f"{rule.title}: {event!r} does not start it afresh.", fix=f"What does: {known}.")
    if clock.stopped_at or clock.not_applicable:
        raise NotPossible(f"{rule.title} has already ended.", fix="Start it anew.")
    if moment <= clock.triggered_at:
        return clock
    late = clock.due_at is not None and moment > clock.due_at
    clock.stopped_at, clock.stop_reason = moment, (reason or f"Starts afresh: {event.replace('_', ' ')}")[:300]
    clock.paused_at = None
    clock.save(update_fields=["stopped_at", "stop_reason", "paused_at"])
    if own is None and rule.basis == "per_plan":
        own = duration_from_text(clock.duration)
    fresh = start_for(
        actor,
        clock.rule,
        Subject(clock.subject_type, clock.subject_id, clock.subject_label),
        triggered_at=moment,
        case=clock.case,
        referral=clock.referral,
        unit=clock.unit,
        owner=clock.owner,
        risk=clock.case.risk if clock.case else clock.risk,
        stage="next" if rule.stage == "any" and _staged(rule) else clock.stage,
        borough=clock.borough,
        own=own,
    )
    fresh.rebased_from = clock
    fresh.save(update_fields=["rebased_from"])
    lasting = list(clock.pauses.filter(models.Q(ended_at=None) | models.Q(ended_at__gt=moment)))
    for pause in lasting:
        ClockPause.objects.create(
            clock=fresh,
            reason=pause.reason,
            note=pause.note,
            started_at=max(pause.started_at, moment),
            ended_at=pause.ended_at,
            due_before=fresh.due_at,
            recorded_at=timezone.now(),
            recorded_by=actor,
            ended_by=pause.ended_by,
        )
    clock.pauses.filter(ended_at=None).update(ended_at=moment, ended_by=actor)
    if lasting:
        work_out(fresh, rule)
        fresh.save(update_fields=CHANGED)
    record(
        actor,
        "clock.rebased",
        fresh,
        case=fresh.case,
        payload={
            "rule": clock.rule,
            "subject": clock.subject_label,
            "event": event,
            "at": moment,
            "late": late,
            "before": clock.pk,
            "from": clock.due_at,
            "to": fresh.due_at,
        },
    )
    return fresh


def _staged(rule: Any) -> bool:
    return any(case.stage != "any" for case in rule.cases)
