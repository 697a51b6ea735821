"""Full examination of devices: sending, taking, blocking with a reason and a person, completing."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.cases.services import note
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.devices.models import Device
from safelight.casework.devices.words import ensure_open, moment_words
from safelight.casework.fleet.models import Block, Examination
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell
from safelight.standards.forensic_queue import queue_rule

State = Examination.State


@transaction.atomic
def submit(actor: Any, device: Device, *, asked_for: str) -> Examination:
    """Send a device for full examination: it waits in the forensic queue. Its clock counts from booking in.

    Raises:
        NotAllowed: not this person.
        NotPossible: the case is closed, nobody has taken a triage decision, the exhibit is no longer held, or it waits
            already.
        Invalid: nothing is asked for.
    """
    from safelight.casework.devices.services import ensure_held

    need(actor, "fleet.submit", device, what=f"You may not send {device.reference} for examination.")
    device = Device.objects.select_for_update(of=("self",)).select_related("case__unit").get(pk=device.pk)
    case = device.case
    ensure_open(case)
    if device.decision == Device.Decision.UNDECIDED:
        raise NotPossible(f"Nobody has taken a triage decision about {device.exhibit}.", fix="Take it first.")
    ensure_held(device, device.custody.last())
    text = required_text(asked_for, field="asked_for", what="What the examination is to answer")
    try:
        with transaction.atomic():
            made = Examination.objects.create(
                device=device, asked_for=text, submitted_at=timezone.now(), submitted_by=actor
            )
    except IntegrityError as error:
        raise NotPossible(f"{device.exhibit} is with the examiners already.", fix="Let them finish.") from error
    start_clock(
        actor, queue_rule().clock, device, triggered_at=device.booked_in_at, case=case, unit=case.unit, risk=case.risk
    )
    record(actor, "examination.asked", made, case=case, payload={"device": device.reference, "for": fingerprint(text)})
    note(actor, case, "examination_asked", f"{device.exhibit} sent for full examination ({made.reference}). {text}")
    return made


@transaction.atomic
def take(actor: Any, examination: Examination) -> Examination:
    """An examiner takes a waiting device.

    Raises:
        NotAllowed, NotPossible: not an examiner of the case; or it does not wait (somebody else was faster).
    """
    need(actor, "fleet.examine", examination.device, what="Only an examiner takes a device for examination.")
    row = _locked(examination)
    ensure_open(row.device.case)
    if row.state != State.WAITING:
        raise NotPossible(f"{row.reference} is {row.get_state_display().lower()}.", fix="Take another one.")
    row.state, row.examiner, row.started_at = State.IN_PROGRESS, actor, row.started_at or timezone.now()
    row.save(update_fields=["state", "examiner", "started_at"])
    _said(actor, row, "examination.started", "examination_started", f"examination begun by {actor}.")
    return row


@transaction.atomic
def block(actor: Any, examination: Examination, *, reason: str, lifter: str, who: str = "") -> Block:
    """Record what keeps an examination from going on, and who has to lift it.

    Args:
        lifter: investigator, supervisor, examiner or outside.
        who: the name or office; needed for somebody outside.

    Raises:
        NotAllowed, NotPossible (ended, or blocked already), Invalid (no reason, nobody named).
    """
    need(actor, "fleet.block", examination.device, what="You may not do this to the examination.")
    row = _locked(examination)
    ensure_open(row.device.case)
    if row.state not in (State.WAITING, State.IN_PROGRESS):
        raise NotPossible(f"{row.reference} is {row.get_state_display().lower()}.")
    if lifter not in Block.Lifter.values:
        raise Invalid("Nobody is named who can lift this.", fix="Choose one of the list.", field="lifter")
    name = " ".join((who or "").split())[:120]
    if lifter == Block.Lifter.OUTSIDE and not name:
        raise Invalid("Who outside the force has to act is missing.", fix="Enter the name or office.", field="who")
    made = Block.objects.create(
        examination=row, reason=required_text(reason, field="reason", what="The reason")[:300], lifter=lifter, who=name,
        since=timezone.now(), blocked_by=actor,
    )  # fmt: skip
    row.state = State.BLOCKED
    row.save(update_fields=["state"])
    words = f"examination blocked: {made.reason} To be lifted by: {lifted_by(made)}."
    _said(actor, row, "examination.blocked", "examination_blocked", words, lifter=lifter)
    tell(_lifters(row, made), "examination.blocked", row.device, case=row.device.case, key=f"block-{made.pk}")
    return made


def _lifters(row: Examination, block: Block) -> list[Any]:
    """Whom to tell that they can lift it; for somebody outside, the investigator who has to ask them."""
    from safelight.casework.accounts.models import User

    case = row.device.case
    if block.lifter == Block.Lifter.SUPERVISOR:
        return list(User.objects.filter(role="supervisor", unit=case.unit_id, is_active=True))
    if block.lifter == Block.Lifter.EXAMINER:
        return [row.examiner] if row.examiner else []
    return [case.investigator] if case.investigator else []


def lifted_by(block: Block) -> str:
    """Who has to lift a block, in words."""
    words = block.get_lifter_display()
    return f"{block.who} ({words.lower()})" if block.who else words


@transaction.atomic
def unblock(actor: Any, examination: Examination, *, how: str) -> Examination:
    """The obstacle is gone: the device goes back to its examiner, or to the queue with the age that it has.

    Raises:
        NotAllowed, NotPossible (not blocked), Invalid (nobody says how).
    """
    need(actor, "fleet.block", examination.device, what="You may not do this to the examination.")
    row = _locked(examination)
    if row.state != State.BLOCKED:
        raise NotPossible(f"{row.reference} is not blocked.")
    _lift(actor, row, required_text(how, field="how", what="How the obstacle was removed")[:300])
    row.state = State.IN_PROGRESS if row.examiner_id else State.WAITING
    row.save(update_fields=["state"])
    _said(actor, row, "examination.unblocked", "examination_unblocked", "examination can go on.")
    return row


def _lift(actor: Any, row: Examination, how: str) -> None:
    row.blocks.filter(until=None).update(until=timezone.now(), lifted_by=actor, how=how)


@transaction.atomic
def complete(actor: Any, examination: Examination, *, result: str) -> Examination:
    """Record that an examination is complete. Ends its clock.

    Raises:
        NotAllowed, NotPossible (not in progress), Invalid (no result).
    """
    need(actor, "fleet.examine", examination.device, what="Only an examiner completes an examination.")
    row = _locked(examination)
    if row.state != State.IN_PROGRESS:
        raise NotPossible(f"{row.reference} is {row.get_state_display().lower()}.", fix="Take it first.")
    text = required_text(result, field="result", what="The result")
    _end(actor, row, State.COMPLETE, text, clock_reason="Full examination complete")
    _said(actor, row, "examination.completed", "examination_done", f"full examination complete. {text}")
    officer = row.device.case.investigator
    told = [officer] if officer and officer.pk != actor.pk else []
    tell(told, "examination.complete", row.device, case=row.device.case, key=f"examination-{row.pk}")
    return row


@transaction.atomic
def withdraw(actor: Any, examination: Examination, *, reason: str) -> Examination:
    """The examination is no longer wanted; why stays on record.

    Raises:
        NotAllowed, NotPossible (ended), Invalid (no reason).
    """
    need(actor, "fleet.withdraw", examination.device, what="You may not withdraw the device.")
    row = _locked(examination)
    if row.state not in Examination.OPEN:
        raise NotPossible(f"{row.reference} ended on {moment_words(row.ended_at)}.")
    text = required_text(reason, field="reason", what="The reason")
    _end(actor, row, State.WITHDRAWN, text, clock_reason="Full examination no longer wanted")
    _said(actor, row, "examination.withdrawn", "examination_withdrawn", f"examination no longer wanted. {text}")
    return row


def _end(actor: Any, row: Examination, state: Any, text: str, *, clock_reason: str) -> None:
    _lift(actor, row, clock_reason)
    row.state, row.result, row.ended_at, row.ended_by = state, text, timezone.now(), actor
    row.save(update_fields=["state", "result", "ended_at", "ended_by"])
    stop_clock(actor, queue_rule().clock, row.device, reason=clock_reason)


def _locked(examination: Examination) -> Examination:
    rows = Examination.objects.select_for_update(of=("self",)).select_related("device__case", "examiner")
    return rows.get(pk=examination.pk)


def _said(actor: Any, row: Examination, verb: str, kind: str, words: str, **payload: Any) -> None:
    case = row.device.case
    record(actor, verb, row, case=case, payload={"device": row.device.reference, "state": row.state, **payload})
    note(actor, case, kind, f"{row.device.exhibit}: {words}")
