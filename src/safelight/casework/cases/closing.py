"""Settling what is unfinished, closing and reopening a case."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.cases.models import Case, Settlement
from safelight.casework.cases.queries import obstacles
from safelight.casework.cases.writing import lock_open, write_entry
from safelight.casework.clocks.services import CLOSED, resume_clocks_of_case, start_clock, stop_clocks_of_case
from safelight.casework.ledger.services import fingerprint, record


@transaction.atomic
def settle(actor: Any, case: Any, *, area: str, reason: str) -> Settlement:
    """A supervisor's reason why an unfinished part does not keep the case open.

    It covers what is unfinished now: a child, device or submission that is recorded later is an obstacle again. It
    stops no clock.

    Args:
        area: "safeguarding", "devices" or "submissions".

    Raises:
        NotAllowed, NotPossible (closed, or nothing is unfinished there), Invalid (unknown area, no reason).
    """
    need(actor, "cases.settle", case, what="You may not settle an unfinished part of this case.")
    case = lock_open(case)
    if area not in Settlement.Area.values:
        raise Invalid(f"There is no part {area!r} to settle.", fix="Choose one of the list.", field="area")
    text = required_text(reason, field="reason", what="The reason")
    name = Settlement.Area(area).label
    if not any(found.area == area for found in obstacles(case)):
        raise NotPossible(f"{name}: nothing is unfinished.", fix="There is nothing to settle.")
    row, _ = Settlement.objects.update_or_create(
        case=case, area=area, defaults={"reason": text, "settled_by": actor, "settled_at": timezone.now()}
    )
    record(actor, "case.settled", case, payload={"area": area, "reason": fingerprint(text)})
    write_entry(actor, case, "settled", f"{name}: {text}", timezone.now())
    return row


@transaction.atomic
def close_case(actor: Any, case: Any, *, outcome: str, note: str) -> Case:
    """Close a case with its outcome. Its open clocks stop now, a late one stays late; those that protect a child run on
    until social care was told and has answered, whatever reason settled that part.

    Args:
        outcome: an id of standards/outcomes.toml.
        note: why this outcome, in words.

    Raises:
        NotAllowed: the actor is no supervisor of the unit.
        NotPossible: something is neither settled nor finished; the message names all of it.
        Invalid: unknown outcome, or no words.
    """
    from safelight.casework.allocation.services import finish_allocation
    from safelight.casework.victims.services import event_happened

    need(actor, "cases.close", case, what="You may not close this case.")
    case = lock_open(case)
    if outcome not in standards().outcomes:
        raise Invalid(f"There is no outcome {outcome!r}.", fix="Choose one of the list.", field="outcome")
    text = required_text(note, field="note", what="The reason for this outcome")
    found = obstacles(case)
    if found:
        raise NotPossible(
            f"{case.reference} cannot be closed yet: " + "; ".join(one.text.rstrip(".") for one in found) + ".",
            fix="Finish each, or settle it with a reason.",
        )
    now = timezone.now()
    title = standards().outcomes[outcome].title
    stopped = stop_clocks_of_case(actor, case, reason=f"{CLOSED}{title}", at=now)
    finish_allocation(actor, case, reason="Case closed", at=now)
    case.status, case.outcome, case.outcome_note = Case.Status.CLOSED, outcome, text
    case.closed_at, case.closed_by = now, actor
    case.save(update_fields=["status", "outcome", "outcome_note", "closed_at", "closed_by"])
    record(
        actor,
        "case.closed",
        case,
        payload={"outcome": outcome, "note": fingerprint(text), "clocks_stopped": stopped},
    )
    entry = write_entry(actor, case, "case_closed", f"{title}. {text}", now)
    event_happened(actor, case, entry)
    return case


@transaction.atomic
def reopen_case(actor: Any, case: Any, *, reason: str) -> Case:
    """Open a closed case again: it must be allocated, reviewed and, if need be, settled afresh.

    Raises:
        NotAllowed, NotPossible (it is open), Invalid (no reason).
    """
    need(actor, "cases.close", case, what="You may not reopen this case.")
    return reopen(actor, case, reason=reason)


def reopen(actor: Any, case: Any, *, reason: str) -> Case:
    """As :func:`reopen_case`, in the transaction of a service that has asked for a right of its own (a re-review that
    finds a child who was missed waits for no supervisor)."""
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if case.status == Case.Status.OPEN:
        raise NotPossible(f"{case.reference} is open.", fix="There is nothing to reopen.")
    text = required_text(reason, field="reason", what="The reason")
    before, closed_at = case.outcome, case.closed_at
    case.status, case.outcome, case.outcome_note = Case.Status.OPEN, "", ""
    case.closed_at, case.closed_by = None, None
    case.save(update_fields=["status", "outcome", "outcome_note", "closed_at", "closed_by"])
    case.settlements.all().delete()
    afresh = ("allocation_to_investigator", "supervisor_review")
    resume_clocks_of_case(actor, case, closed_at=closed_at, besides=afresh)
    common = {"case": case, "unit": case.unit, "risk": case.risk, "borough": case.borough}
    start_clock(actor, "allocation_to_investigator", case, **common)
    start_clock(actor, "supervisor_review", case, **common)
    record(actor, "case.reopened", case, payload={"outcome_before": before, "reason": fingerprint(text)})
    write_entry(actor, case, "case_reopened", text, timezone.now())
    return case
