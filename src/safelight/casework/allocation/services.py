"""Giving a case to an investigator. One live allocation per case: the row is locked, and the database insists."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from safelight.casework.allocation.conflicts import conflicted_with
from safelight.casework.allocation.models import Allocation, Complexity
from safelight.casework.allocation.queries import Suggestion, caseloads, qualified, skill_title, suggest
from safelight.casework.allocation.reasons import REASONS
from safelight.casework.allocation.weights import points_of_case
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.cases.writing import lock_open, write_entry
from safelight.casework.clocks.services import hand_over_open_clocks, start_clock, stop_clock
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.supervision.models import hand_over_actions
from safelight.casework.workforce.capacity import absences_on, away_words

__all__ = [
    "Suggestion",
    "allocate",
    "end_allocation",
    "finish_allocation",
    "reallocate",
    "record_complexity",
    "suggest",
]

KEPT = "The reason is kept for supervisors."


@transaction.atomic
def allocate(
    actor: Any, case: Any, *, investigator: Any, reason: str, suggested: bool = False, sensitive: bool = False
) -> Allocation:
    """Give an unallocated case to a qualified investigator; the case's open clocks become theirs.

    Args:
        reason: why this person, in words (the suggestion's own sentence, or the supervisor's).
        sensitive: the reason is for supervisors; the pages of the case say only that there is one.
        suggested: whether the person was the product's suggestion.

    Raises:
        NotAllowed: the actor is no supervisor of the unit.
        NotPossible: the case is closed, or somebody has it already.
        Invalid: the person is not an active investigator, is away, lacks the skill, has declared a conflict of
            interest, or no reason is given.
    """
    need(actor, "allocation.allocate", case, what="You may not allocate this case.")
    locked = lock_open(case)
    live = Allocation.objects.filter(case=locked, ended_at=None).select_related("investigator").first()
    if live is not None:
        raise _taken(locked, live.investigator)
    made = _give(actor, locked, investigator, reason, suggested, sensitive)
    _forget(case)
    return made


@transaction.atomic
def reallocate(
    actor: Any,
    case: Any,
    *,
    investigator: Any,
    code: str,
    reason: str,
    suggested: bool = False,
    sensitive: bool = False,
) -> Allocation:
    """Take a case from one investigator and give it to another, in one step, so that nobody is without it in between.

    Args:
        code: why it moves, a code of :data:`safelight.casework.allocation.reasons.REASONS`.

    Raises:
        As :func:`allocate`; NotPossible also when nobody has the case or the same person has it already.
    """
    need(actor, "allocation.allocate", case, what="You may not allocate this case.")
    locked = lock_open(case)
    if code not in REASONS:
        raise Invalid(f"There is no reason {code!r} for moving a case.", fix="Choose one of the list.", field="code")
    live = Allocation.objects.filter(case=locked, ended_at=None).select_related("investigator").first()
    if live is None:
        raise NotPossible(f"Nobody has {locked.reference}.", fix="Allocate it.")
    if live.investigator_id == investigator.pk:
        raise _taken(locked, investigator)
    _end(actor, locked, live, REASONS[code], timezone.now(), code)
    made = _give(actor, locked, investigator, reason, suggested, sensitive)
    _forget(case)
    return made


@transaction.atomic
def end_allocation(actor: Any, case: Any, *, reason: str) -> Allocation:
    """Take the case from its investigator. It is unallocated from now on, and its clock to allocate starts afresh.

    Raises:
        NotAllowed, NotPossible (closed, or nobody has it), Invalid (no reason).
    """
    need(actor, "allocation.allocate", case, what="You may not end the allocation of this case.")
    locked = lock_open(case)
    text = required_text(reason, field="reason", what="The reason")
    live = Allocation.objects.filter(case=locked, ended_at=None).select_related("investigator").first()
    if live is None:
        raise NotPossible(f"Nobody has {locked.reference}.")
    _end(actor, locked, live, text, timezone.now())
    hand_over_open_clocks(actor, locked, None)
    start_clock(
        actor,
        "allocation_to_investigator",
        locked,
        case=locked,
        unit=locked.unit,
        risk=locked.risk,
        borough=locked.borough,
    )
    write_entry(actor, locked, "unallocated", f"{live.investigator} no longer has the case. {text}", timezone.now())
    _forget(case)
    return live


def finish_allocation(actor: Any, case: Any, *, reason: str, at: datetime) -> Allocation | None:
    """End the live allocation because the case is being closed. Called by the closing service in its transaction."""
    live = Allocation.objects.filter(case=case, ended_at=None).select_related("investigator").first()
    if live is not None:
        _end(actor, case, live, reason, at)
        _forget(case)
    return live


def _give(actor: Any, case: Any, investigator: Any, reason: str, suggested: bool, sensitive: bool) -> Allocation:
    if investigator.role != "investigator" or not investigator.is_active:
        raise Invalid(f"{investigator} is not an active investigator.", fix="Choose another.", field="investigator")
    away = absences_on([investigator]).get(investigator.pk)
    if away is not None:
        raise Invalid(f"{investigator} is {away_words(away)}.", fix="Choose another.", field="investigator")
    if investigator.pk not in qualified(case.required_skill):
        raise Invalid(
            f"{investigator} does not hold the skill that {case.reference} needs: {skill_title(case.required_skill)}.",
            fix="Choose somebody who does, or record the accreditation first.",
            field="investigator",
        )
    if investigator.pk in conflicted_with(case):
        raise Invalid(
            f"A conflict of interest of {investigator} with {case.reference} is declared.",
            fix="Choose another. What it is about stands with the supervisors of their unit.",
            field="investigator",
        )
    text = required_text(reason, field="reason", what="The reason")
    now = timezone.now()
    before = caseloads([investigator]).get(investigator.pk, 0)
    try:
        with transaction.atomic():
            row = Allocation.objects.create(
                case=case,
                investigator=investigator,
                allocated_by=actor,
                reason=text,
                sensitive=sensitive,
                suggested=suggested,
                points=points_of_case(case),
                started_at=now,
            )
    except IntegrityError as error:
        live = Allocation.objects.filter(case=case, ended_at=None).select_related("investigator").first()
        if live is None:
            raise
        raise _taken(case, live.investigator) from error
    stop_clock(actor, "allocation_to_investigator", case, reason=f"Allocated to {investigator}", at=now)
    hand_over_open_clocks(actor, case, investigator)
    hand_over_actions([case.pk])
    record(
        actor,
        "allocation.made",
        case,
        payload={
            "investigator": investigator.pk,
            "suggested": suggested,
            "sensitive": sensitive,
            "points": row.points,
            "caseload_before": before,
            "reason": fingerprint(text),
        },
    )
    write_entry(actor, case, "allocated", f"To {investigator}. {KEPT if sensitive else text}", now)
    return row


def _end(actor: Any, case: Any, live: Allocation, reason: str, at: datetime, code: str = "") -> None:
    live.ended_at, live.end_code, live.end_reason = max(at, live.started_at), code, reason[:300]
    live.save(update_fields=["ended_at", "end_code", "end_reason"])
    record(
        actor,
        "allocation.ended",
        case,
        payload={"investigator": live.investigator_id, "code": code, "reason": fingerprint(reason)},
    )


def _taken(case: Any, investigator: Any) -> NotPossible:
    return NotPossible(
        f"{investigator} already has this case ({case.reference}).", fix="Move it instead, with a reason."
    )


def _forget(case: Any) -> None:
    """Drop the investigator that the caller's row may remember."""
    case.__dict__.pop("live_allocations", None)


@transaction.atomic
def record_complexity(actor: Any, case: Any, *, level: str, reason: str) -> Complexity:
    """Record how complex a case is; its caseload points follow from now on, and no allocation made before changes.

    Raises:
        NotAllowed; NotPossible (closed, or recorded so already); Invalid (unknown level, no reason).
    """
    need(actor, "allocation.allocate", case, what="You may not record the complexity of this case.")
    locked = lock_open(case)
    if level not in Complexity.Level.values:
        raise Invalid(f"There is no complexity {level!r}.", fix="Choose one of the list.", field="level")
    text = required_text(reason, field="reason", what="The reason")
    live = Complexity.objects.filter(case=locked, ended_at=None).first()
    before = live.level if live else Complexity.Level.STANDARD
    if before == level:
        raise NotPossible(f"{locked.reference} is recorded so already.", fix="There is nothing to change.")
    now = timezone.now()
    if live is not None:
        live.ended_at = now
        live.save(update_fields=["ended_at"])
    row = Complexity.objects.create(case=locked, level=level, reason=text, recorded_by=actor, started_at=now)
    record(
        actor,
        "complexity.recorded",
        locked,
        payload={"from": before, "to": level, "points": points_of_case(locked), "reason": fingerprint(text)},
    )
    write_entry(actor, locked, "complexity_recorded", f"{row.get_level_display()}. {text}", now)
    return row
