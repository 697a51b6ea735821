"""A child who is charged and refused bail goes to local authority accommodation, or a certificate says why not.

PACE 1984 s.38(6): the custody officer arranges it unless it is impracticable, or, for a child of 12 or more, no secure
accommodation is free and other accommodation would not protect the public from serious harm. The authority's duty is
absolute (Children Act 1989 s.21(2)(b)); the Concordat: it always accepts a non-secure request.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.custody.models import AccommodationRequest, Detention
from safelight.casework.custody.services import TRANSFER, end_clocks, finish, line, locked, text, within
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.boroughs import social_care_for
from safelight.casework.people.values import plain

SECURE_FROM = 12
"""The age from which s.38(6)(b) allows the ground of serious harm. (A third-party copy says 13; the statute counts.)"""


@transaction.atomic
def ask_accommodation(
    actor: Any, detention: Detention, *, kind: str, asked_of: str, authority: str = "", why_secure: str = "",
    asked_at: datetime | None = None,
) -> AccommodationRequest:  # fmt: skip
    """Record that the local authority was asked for accommodation: when, whom, secure or not, and why secure.

    May be asked before charge too: the earlier it is known, the likelier there is a bed.

    Args:
        authority: left out, the one of the child's borough.

    Raises:
        NotAllowed; NotPossible (the detention has ended); Invalid (secure without its reason, nobody named).
    """
    row = locked(actor, detention)
    if kind not in AccommodationRequest.Kind.values:
        raise Invalid("Secure or not is not said.", fix="Choose one.", field="kind")
    reason = plain(why_secure, longest=4_000, field="why_secure", what="Why it must be secure")
    if kind == AccommodationRequest.Kind.SECURE:
        fix = "What serious harm to the public is feared, and from which offence. Secure only when necessary."
        if not reason:
            raise Invalid("Why it must be secure is missing.", fix=fix, field="why_secure")
    asked = AccommodationRequest.objects.create(
        detention=row,
        kind=kind,
        authority=line(authority or social_care_for(row.borough) or row.borough, "authority", "The authority", 60),
        asked_of=line(asked_of, "asked_of", "Who was asked", 160),
        asked_at=within(row, asked_at, "asked_at", "The time of asking"),
        why_secure=reason if kind == AccommodationRequest.Kind.SECURE else "",
    )
    payload = {"request": asked.pk, "kind": kind, "at": asked.asked_at, "why": fingerprint(reason)}
    to = f"{asked.authority}: {asked.asked_of}"
    record(
        actor, "custody.accommodation_asked", row, category=Category.DISCLOSURE, recipient=to, payload=payload
    )  # fmt: skip
    return asked


@transaction.atomic
def answer_accommodation(
    actor: Any, detention: Detention, *, request: int | str, answer: str, answered_by: str, words: str = "",
    answered_at: datetime | None = None,
) -> AccommodationRequest:  # fmt: skip
    """Record what the local authority answered, who said it and when. A refusal needs its words.

    Raises:
        NotAllowed, NotPossible (ended), Invalid.
    """
    row = locked(actor, detention)
    waiting = row.requests.select_for_update().filter(answer="")
    asked: AccommodationRequest | None = next((one for one in waiting if str(one.pk) == str(request)), None)
    if asked is None:
        raise Invalid("No such request waits for an answer.", fix="Choose one of the list.", field="request")
    if answer not in (AccommodationRequest.Answer.OFFERED, AccommodationRequest.Answer.REFUSED):
        raise Invalid("What was answered is not said.", fix="Choose one.", field="answer")
    said = plain(words, longest=4_000, field="words", what="What was said")
    if answer == AccommodationRequest.Answer.REFUSED:
        required_text(said, field="words", what="Why it was refused, in the authority's words,")
    moment = within(row, answered_at, "answered_at", "The time of the answer")
    if moment < asked.asked_at:
        raise Invalid("The answer lies before the asking.", fix="Check the times.", field="answered_at")
    asked.answer, asked.answered_at, asked.answer_words = answer, moment, said
    asked.answered_by = line(answered_by, "answered_by", "Who answered", 160)
    asked.save(update_fields=["answer", "answered_at", "answered_by", "answer_words"])
    payload = {"request": asked.pk, "answer": answer, "at": moment, "words": fingerprint(said)}
    record(actor, "custody.accommodation_answered", row, category=Category.COLLECTION, payload=payload)
    return asked


@transaction.atomic
def transfer(actor: Any, detention: Detention, *, to: str, at: datetime | None = None) -> Detention:
    """Record that the child was taken to local authority accommodation: the power to detain goes over to it.

    Raises:
        NotAllowed; NotPossible (ended, or no accommodation was offered); Invalid.
    """
    row = locked(actor, detention)
    if not row.requests.filter(answer=AccommodationRequest.Answer.OFFERED).exists():
        raise NotPossible("No accommodation is recorded as offered.", fix="Record the authority's answer first.")
    moment = within(row, at, "at", "The time of the transfer")
    where = line(to, "to", "Where the child was taken", 160)
    return finish(actor, row, ending=Detention.Ending.LOCAL_AUTHORITY, to=where, at=moment)


@transaction.atomic
def certify(
    actor: Any, detention: Detention, *, certificate: str, reason: str, by: str, at: datetime | None = None
) -> Detention:
    """Record the certificate of s.38(6): why a charged child who was refused bail stays in a police cell.

    Raises:
        NotAllowed; NotPossible (bail was not refused, or a certificate exists);
        Invalid (no reason; 'no secure place' under 12, or without a refused request for a secure place).
    """
    row = locked(actor, detention)
    if row.bail != Detention.Bail.REFUSED:
        raise NotPossible("Bail was not refused: there is nothing to certify.", fix="Record charge and bail first.")
    if row.certificate:
        raise NotPossible("The certificate is recorded already.", fix="See the record.")
    if certificate not in Detention.Certificate.values or not certificate:
        raise Invalid("The ground is not said.", fix="Choose one of the two.", field="certificate")
    moment = within(row, at, "at", "The time of the certificate")
    if certificate == Detention.Certificate.NO_SECURE:
        _may_say_no_secure(row, moment)
    row.certificate, row.certified_at = certificate, moment
    row.certificate_reason = text(reason, "reason", "The reason")
    row.certificate_by = line(by, "by", "Who certified")
    row.save(update_fields=["certificate", "certified_at", "certificate_reason", "certificate_by"])
    end_clocks(actor, row, (TRANSFER,), f"Certificate: {Detention.Certificate(certificate).label}", moment)
    payload = {"certificate": certificate, "at": moment, "reason": fingerprint(row.certificate_reason)}
    record(actor, "custody.certified", row, category=Category.COLLECTION, payload=payload)
    return row


def _may_say_no_secure(row: Detention, moment: datetime) -> None:
    age = row.person.age_on(timezone.localdate(moment))
    if age is None or age < SECURE_FROM:
        raise Invalid(
            f"This ground is for children known to be {SECURE_FROM} or older.",
            fix="A younger child is transferred to any accommodation, unless that is impracticable.",
            field="certificate",
        )
    secure = row.requests.filter(kind=AccommodationRequest.Kind.SECURE, answer=AccommodationRequest.Answer.REFUSED)
    if not secure.exists():
        raise Invalid(
            "No refused request for a secure place is recorded.",
            fix="Ask the local authority for one, and record its answer.",
            field="certificate",
        )


@transaction.atomic
def certificate_to_court(actor: Any, detention: Detention, *, at: datetime | None = None) -> Detention:
    """Record that the certificate was produced to the court. Raises NotAllowed, NotPossible, Invalid."""
    row = locked(actor, detention, ended=True)
    if not row.certificate:
        raise NotPossible("There is no certificate.", fix="Record it first.")
    if row.certificate_to_court_at is not None:
        raise NotPossible("This is recorded already.", fix="See the record.")
    row.certificate_to_court_at = within(row, at, "at", "The time")
    row.save(update_fields=["certificate_to_court_at"])
    record(actor, "custody.certificate_to_court", row, category=Category.DISCLOSURE, recipient="The court")
    return row


@transaction.atomic
def claim_cost(actor: Any, detention: Detention, *, at: datetime | None = None) -> Detention:
    """Record that the cost of accommodation that was not provided was claimed from the authority (the Concordat)."""
    row = locked(actor, detention, ended=True)
    if row.cost_claimed_at is not None:
        raise NotPossible("This is recorded already.", fix="See the record.")
    if not row.requests.filter(answer=AccommodationRequest.Answer.REFUSED).exists():
        raise NotPossible("No refusal of the authority is recorded.", fix="Record its answer first.")
    row.cost_claimed_at = within(row, at, "at", "The time")
    row.save(update_fields=["cost_claimed_at"])
    record(actor, "custody.cost_claimed", row)
    return row


@transaction.atomic
def link_to_case(actor: Any, detention: Detention, case: Any) -> Detention:
    """Say to which case a detention belongs. Whoever works the case says so: custody officers see no cases.

    Raises:
        NotAllowed: the actor may not see the case, or the role may not.
        NotPossible: it belongs to a case already.
    """
    need(actor, "safeguarding.refer", case, what="You may not link a custody record to this case.")
    row = Detention.objects.select_for_update(of=("self",)).get(pk=detention.pk)
    if row.case_id is not None:
        raise NotPossible("This custody record belongs to a case already.", fix="Ask the custody officer.")
    row.case = case
    row.save(update_fields=["case"])
    record(actor, "custody.linked", row, category=Category.COMBINATION, case=case)
    return row
