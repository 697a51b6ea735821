"""Deciding about possible links, and taking a decision back. Decisions win in every later run."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.models import PossibleLink
from safelight.casework.people.sides import sides

State = PossibleLink.State


@transaction.atomic
def decide_link(actor: Any, link: PossibleLink, *, verdict: str, reason: str) -> PossibleLink:
    """Say that the two records are of one person, or of two. Nothing is merged: the records stay as they are.

    Raises:
        NotAllowed: the role may not, or one of the records may not be seen by ``actor``.
        NotPossible: it is decided already, or it is about an address only.
        Invalid: no reason, or an unknown verdict.
    """
    link = _locked(actor, link)
    if link.state != State.WAITING:
        raise NotPossible(f"{link.reference} is decided already.", fix="Take the decision back first.")
    if link.kind != PossibleLink.Kind.PERSON or verdict not in (State.SAME, State.DIFFERENT):
        raise NotPossible(f"{link.reference} cannot be decided so.", fix="Say the same person or different people.")
    link.state, link.decided_at, link.decided_by = verdict, timezone.now(), actor
    link.reason = required_text(reason, field="reason", what="The reason")
    link.save(update_fields=["state", "decided_at", "decided_by", "reason"])
    _note(actor, f"link.{verdict}", link, link.reason)
    from safelight.casework.offenders.alerts import link_decided

    link_decided(link)
    return link


@transaction.atomic
def undo_link(actor: Any, link: PossibleLink, *, reason: str) -> PossibleLink:
    """Take a decision back; the pair waits again. What was decided stays in the ledger.

    Raises:
        NotAllowed: the role may not, or one of the records may not be seen by ``actor``.
        NotPossible: there is no decision.
        Invalid: no reason.
    """
    link = _locked(actor, link)
    if link.state == State.WAITING:
        raise NotPossible(f"{link.reference} is not decided.")
    words = required_text(reason, field="reason", what="The reason")
    link.state, link.decided_at, link.decided_by, link.reason = State.WAITING, None, None, ""
    link.save(update_fields=["state", "decided_at", "decided_by", "reason"])
    _note(actor, "link.undone", link, words)
    return link


def _locked(actor: Any, link: PossibleLink) -> PossibleLink:
    need(actor, "people.link", what="Your role may not decide about possible links.")
    link = PossibleLink.objects.select_for_update(of=("self",)).select_related("person", "other").get(pk=link.pk)
    for side in sides(link, actor):
        if not side.shown:
            raise NotAllowed("You may not see one of the two records.", fix=side.words)
    return link


def _note(actor: Any, verb: str, link: PossibleLink, words: str) -> None:
    payload = {"person": link.person, "other": link.other, "source": link.source, "reason": fingerprint(words)}
    record(actor, verb, link, category=Category.COMBINATION, payload=payload)


def bring_in(store: Any) -> tuple[int, int]:
    """Bring the people of Safelight and what was decided about them into the store of the engine.

    Returns:
        How many people, and how many decisions that the store did not hold.
    """
    from safelight.casework.people.matching import OURS, records_of
    from safelight.casework.people.models import Person
    from safelight.errors import SafelightError

    people = Person.objects.filter(merged_into=None).prefetch_related("identifiers").order_by("pk")
    store.add(OURS, list(records_of(people.iterator(chunk_size=2000))), origin="Safelight", whole=True)
    held = {(left, right): (number, verdict) for number, left, right, verdict in store.decisions()}
    brought = 0
    wanted = set()
    for link in PossibleLink.objects.exclude(state=State.WAITING).select_related("person", "decided_by"):
        left, right = sorted(((OURS, link.person.reference), (link.source, link.key)))
        wanted.add((left, right))
        number, verdict = held.get((left, right), (0, ""))
        if verdict == link.state:
            continue
        if number:
            store.undo(number, by="Safelight")
        try:
            store.decide(left, right, link.state, by=link.decided_by.username, reason=link.reference)
        except SafelightError:
            continue  # the other system has withdrawn its record; the decision waits here for its return
        brought += 1
    for (left, right), (number, _) in held.items():
        if OURS in (left[0], right[0]) and (left, right) not in wanted:
            store.undo(number, by="Safelight")
    return people.count(), brought
