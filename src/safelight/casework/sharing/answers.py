"""What a partner says in its portal. It writes back to the child's record and stops the clocks that waited for it,
marked as said by the partner itself: nobody here wrote it down for them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.cases.writing import write_entry
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.audience import supervisors
from safelight.casework.notices.services import tell
from safelight.casework.safeguarding.models import SafeguardingReferral
from safelight.casework.safeguarding.social_care import write_answer
from safelight.casework.sharing.models import Agency, Message, Sharing
from safelight.casework.sharing.services import locked, say

_REFUSAL = "This was not shared with your agency."


def _own(user: Any, sharing: Sharing) -> Sharing:
    need(user, "sharing.portal", sharing, what=_REFUSAL, fix="Ask the police who sent it.")
    return locked(sharing)


def _police(row: Sharing) -> list[Any]:
    """Who hears of an answer: the investigator and the supervisors of the case; of a covert discussion, its list."""
    if row.strategy is not None and row.strategy.covert:
        return row.strategy.need_to_know() or []
    return [one for one in (row.case.investigator, row.shared_by, *supervisors(row.case.unit)) if one is not None]


def _tell(row: Sharing, kind: str) -> None:
    tell(_police(row), kind, row, case=None if row.outside_ledger_of_case else row.case)


def decides(row: Sharing) -> bool:
    """Whether this agency is the one whose decision a referral waits for."""
    return row.referral is not None and row.agency.kind == Agency.Kind.SOCIAL_CARE


def _who(user: Any, row: Sharing) -> str:
    return f"{user}, {row.agency}"[:160]


@transaction.atomic
def acknowledge(user: Any, sharing: Sharing) -> Sharing:
    """The partner has received it. Of a referral to social care, that is its acknowledgement; the clocks run on until
    the decision.

    Raises:
        NotAllowed: not of this agency, or withdrawn meanwhile.
        NotPossible: acknowledged already.
    """
    row = _own(user, sharing)
    if row.acknowledged_at is not None:
        raise NotPossible(f"{row.reference} is acknowledged already.")
    _acknowledged(user, row)
    if decides(row) and row.referral is not None and row.referral.acknowledged_at is None:
        write_answer(user, row.referral, by=_who(user, row), partner=user)
    _tell(row, "partner.answered")
    return row


def _acknowledged(user: Any, row: Sharing) -> None:
    if row.acknowledged_at is not None:
        return
    row.acknowledged_at, row.acknowledged_by = timezone.now(), user
    row.save(update_fields=["acknowledged_at", "acknowledged_by"])
    record(user, "sharing.acknowledged", row, category=Category.COLLECTION, payload={"agency": row.agency.name})


@transaction.atomic
def decide(user: Any, sharing: Sharing, *, decision: str) -> Sharing:
    """Social care says what it does about a referral. The clocks of the decision and of chasing it stop.

    Raises:
        NotAllowed; NotPossible (no referral to this social care, or decided already); Invalid (unknown decision).
    """
    row = _own(user, sharing)
    if not decides(row) or row.referral is None:
        raise NotPossible("Nothing waits for your decision here.", fix="Write a message instead.")
    if decision not in SafeguardingReferral.Decision.values:
        raise Invalid("The decision is not said.", fix="Choose one of the list.", field="decision")
    write_answer(user, row.referral, by=_who(user, row), decision=decision, partner=user)
    _acknowledged(user, row)
    _tell(row, "partner.answered")
    return row


@transaction.atomic
def answer_invitation(user: Any, sharing: Sharing, *, attends: bool, text: str = "") -> Sharing:
    """The partner says whether it takes part in a strategy discussion, and who. Raises NotAllowed, NotPossible."""
    row = _own(user, sharing)
    if row.kind != Sharing.Kind.INVITATION:
        raise NotPossible("This is no invitation.")
    row.attends, row.answered_at = attends, timezone.now()
    row.save(update_fields=["attends", "answered_at"])
    _acknowledged(user, row)
    payload: dict[str, Any] = {"attends": attends}
    if text.strip():
        payload["text"] = fingerprint(say(row, user, text, by_partner=True, question=False).text)
    record(user, "sharing.attends", row, category=Category.COLLECTION, payload=payload)
    if not row.outside_ledger_of_case:
        words = "takes part" if attends else "does not take part"
        write_entry(user, row.case, "message", f"{row.subject}: {row.agency} {words}.", timezone.now())
    _tell(row, "partner.answered")
    return row


@transaction.atomic
def ask(user: Any, sharing: Sharing, *, text: str, question: bool = True) -> Message:
    """The partner asks back, or answers what police asked. Raises NotAllowed, NotPossible, Invalid."""
    row = _own(user, sharing)
    made = say(row, user, text, by_partner=True, question=question)
    payload = {"message": made.pk, "question": question, "text": fingerprint(made.text)}
    record(user, "sharing.asked", row, category=Category.COLLECTION, payload=payload)
    if not row.outside_ledger_of_case:
        what = "asks" if question else "writes"
        write_entry(user, row.case, "message", f"{row.agency} {what} about {row.reference}.", timezone.now())
    _tell(row, "partner.asked")
    return made
