"""Keeping the record of a detained child: opening it, reviewing, who was told, and how it ended.

The local authority's part (accommodation, certificate, transfer) is in :mod:`.accommodation`. The clocks hang on the
detention and never on a case: closing a case must not stop a child's review.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.custody.models import AppropriateAdult, Detention, DetentionReview
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.boroughs import known_borough
from safelight.casework.people.services import new_person
from safelight.casework.people.values import is_surely_adult, one_line, plain

FIRST_REVIEW, NEXT_REVIEW = "pace_review_1", "pace_review_next"
DAY, DAY_AND_HALF = "pace_detention_24h", "pace_detention_36h"
TRANSFER = "pace_s38_transfer"
_ALL = (FIRST_REVIEW, NEXT_REVIEW, DAY, DAY_AND_HALF, TRANSFER)
_REFUSAL = "Only a custody officer keeps the custody record of a child."


def line(value: str | None, field: str, what: str, longest: int = 120) -> str:
    """A required single line."""
    return one_line(required_text(value, field=field, what=what), longest=longest, field=field, what=what)


def text(value: str | None, field: str, what: str, longest: int = 4_000) -> str:
    """A required text of several lines."""
    return plain(required_text(value, field=field, what=what), longest=longest, field=field, what=what)


def locked(actor: Any, detention: Detention, *, ended: bool = False) -> Detention:
    """The detention, locked. Raises NotAllowed for who does not keep it; NotPossible when it has ended, unless that
    may be."""
    need(actor, "custody.keep", detention, what=_REFUSAL)
    row = Detention.objects.select_for_update(of=("self",)).select_related("person", "unit").get(pk=detention.pk)
    if row.released_at is not None and not ended:
        raise NotPossible(f"{row.reference} has ended.", fix="Open a new record if the child is detained again.")
    return row


def within(detention: Detention, value: datetime | None, field: str, what: str) -> datetime:
    """``value`` (or now), not ahead and not before the child arrived. Raises Invalid."""
    moment = not_in_future(value, field=field, what=what)
    if moment < detention.arrived_at:
        raise Invalid(f"{what} lies before the child arrived at the station.", fix="Check the time.", field=field)
    return moment


def begin(actor: Any, rule: str, detention: Detention, at: datetime, *, stage: str = "first") -> None:
    """Start a clock of the detention."""
    where = {"unit": detention.unit, "borough": detention.borough, "owner": actor}
    start_clock(actor, rule, detention, triggered_at=at, stage=stage, **where)


def end_clocks(actor: Any, detention: Detention, rules: tuple[str, ...], reason: str, at: datetime) -> None:
    """Stop those of the clocks that are open."""
    from safelight.casework.clocks.models import Clock

    mine = Clock.objects.open().filter(subject_type=detention._meta.label_lower, subject_id=detention.pk)
    for rule, started in mine.filter(rule__in=rules).values_list("rule", "triggered_at"):
        stop_clock(actor, rule, detention, reason=reason, at=max(at, started))


@transaction.atomic
def open_detention(
    actor: Any,
    *,
    person: Mapping[str, Any],
    suite: str,
    borough: str,
    age_basis: str,
    offence: str,
    necessity: str,
    arrested_at: datetime,
    arrived_at: datetime | None,
    authorised_at: datetime | None,
    authorised_by: str,
    placed: str,
    why_in_cell: str,
) -> Detention:
    """Open the record of a child whose detention was authorised. The first review is due six hours later, and the
    24 hours of PACE s.41 count from the arrival at the station.

    Args:
        person: the arguments of people.services.new_person (names, born or age, sex, address...).
        borough: where the child lives: its local authority owes accommodation.
        why_in_cell: the answer to the question that every review asks again.

    Raises:
        NotAllowed: the actor keeps no custody records.
        NotPossible: this child's detention is open already (same name and date of birth).
        Invalid: a value is missing or impossible, the times contradict each other, or the person is surely an adult.
    """
    need(actor, "custody.keep", what=_REFUSAL)
    arrested = not_in_future(arrested_at, field="arrested_at", what="The time of arrest")
    arrived = not_in_future(arrived_at, field="arrived_at", what="The time of arrival")
    authorised = not_in_future(authorised_at, field="authorised_at", what="The time of authorisation")
    if arrived < arrested:
        raise Invalid("The child arrived before the arrest.", fix="Check the times.", field="arrived_at")
    if authorised < arrived:
        raise Invalid("Detention was authorised before the arrival.", fix="Check the times.", field="authorised_at")
    if age_basis not in Detention.AgeBasis.values:
        raise Invalid("How the age is known is not said.", fix="Choose one of the list.", field="age_basis")
    if placed not in Detention.Place.values:
        raise Invalid("Where the child is placed is not said.", fix="Choose one of the list.", field="placed")
    child = new_person(actor, **person)
    if is_surely_adult(child.born, child.born_precision, timezone.localdate(arrested)):
        raise Invalid(
            f"{child.name} was 18 or older on the day of arrest: these are records of children only.",
            fix="Check the date of birth. In doubt about the age, the person is treated as a child.",
            field="born",
        )
    _not_here_already(child)
    where = line(borough, "borough", "The borough where the child lives", 60)
    row = Detention.objects.create(
        person=child,
        unit=actor.unit,
        suite=line(suite, "suite", "The custody suite", 80),
        borough=known_borough(where) or where,
        age_basis=age_basis,
        offence=line(offence, "offence", "What the child was arrested for", 200),
        necessity=text(necessity, "necessity", "Why the arrest was necessary"),
        arrested_at=arrested,
        arrived_at=arrived,
        authorised_at=authorised,
        authorised_by=line(authorised_by, "authorised_by", "Who authorised detention"),
        placed=placed,
        why_in_cell=text(why_in_cell, "why_in_cell", "Why this child is in a cell"),
        recorded_at=timezone.now(),
        recorded_by=actor,
    )
    times = {"arrested_at": arrested, "arrived_at": arrived, "authorised_at": authorised}
    payload = {"person": child.reference, "placed": placed, "why": fingerprint(row.why_in_cell), **times}
    record(actor, "custody.opened", row, category=Category.COLLECTION, payload=payload)
    begin(actor, FIRST_REVIEW, row, authorised)
    begin(actor, DAY, row, arrived)
    return row


def _not_here_already(child: Any) -> None:
    if not child.family_name or child.born is None:
        return
    same = Detention.objects.in_custody().filter(
        person__family_name__iexact=child.family_name,
        person__given_names__iexact=child.given_names,
        person__born=child.born,
        person__born_precision=child.born_precision,
    )
    held = same.exclude(person=child).first()
    if held is not None:
        raise NotPossible(f"{child.name} is detained already: {held.reference}.", fix="Go on with that record.")


@transaction.atomic
def record_custody_review(
    actor: Any, detention: Detention, *, reviewer: str, why_in_cell: str, outcome: str, heard: str = "",
    at: datetime | None = None,
) -> DetentionReview:  # fmt: skip
    """Record a review of detention (PACE s.40). The next one is due nine hours after it.

    Args:
        reviewer: name and rank of who reviewed.
        why_in_cell: why this child is in a cell now: an answer of its own at every review, never carried over.
        heard: what the child, the appropriate adult or the solicitor said.

    Raises:
        NotAllowed; NotPossible (the detention has ended, or a later review is recorded); Invalid (no answer, or the
        same words as before; a time ahead or before detention was authorised).
    """
    row = locked(actor, detention)
    moment = within(row, at, "at", "The time of the review")
    if row.authorised_at is not None and moment < row.authorised_at:
        raise Invalid("The review lies before detention was authorised.", fix="Check the time.", field="at")
    last = row.reviews.order_by("-at", "-id").first()
    if last is not None and moment <= last.at:
        raise NotPossible("A later review is recorded already.", fix="Check the time of this one.")
    why = text(why_in_cell, "why_in_cell", "Why this child is in a cell")
    before = last.why_in_cell if last else row.why_in_cell
    if why.casefold() == before.casefold():
        raise Invalid(
            "This is word for word the answer of last time.",
            fix="Say why this child is in a cell now, and what was tried since.",
            field="why_in_cell",
        )
    if outcome not in DetentionReview.Outcome.values:
        raise Invalid("The outcome of the review is not said.", fix="Choose one of the list.", field="outcome")
    rule = NEXT_REVIEW if last else FIRST_REVIEW
    clock = stop_clock(actor, rule, row, reason=f"Reviewed by {reviewer}"[:300], at=moment)
    review = DetentionReview.objects.create(
        detention=row,
        at=moment,
        reviewer=line(reviewer, "reviewer", "Who reviewed"),
        why_in_cell=why,
        heard=plain(heard, longest=4_000, field="heard", what="What was heard"),
        outcome=outcome,
        late=bool(clock and clock.due_at and moment > clock.due_at),
        recorded_at=timezone.now(),
        recorded_by=actor,
    )
    begin(actor, NEXT_REVIEW, row, moment, stage="next")
    payload = {"at": moment, "outcome": outcome, "late": review.late, "why": fingerprint(why)}
    record(actor, "custody.reviewed", row, category=Category.COLLECTION, payload=payload)
    return review


@transaction.atomic
def ask_appropriate_adult(
    actor: Any, detention: Detention, *, name: str, relation: str, requested_at: datetime | None = None
) -> AppropriateAdult:
    """Record that an appropriate adult was asked to come. Another may be asked when the first does not come.

    Raises:
        NotAllowed, NotPossible, Invalid.
    """
    row = locked(actor, detention)
    moment = within(row, requested_at, "requested_at", "The time of asking")
    adult = AppropriateAdult.objects.create(
        detention=row,
        name=line(name, "name", "The appropriate adult's name", 160),
        relation=line(relation, "relation", "How the adult is related to the child"),
        requested_at=moment,
    )
    record(actor, "custody.adult_asked", row, payload={"adult": adult.pk, "at": moment})
    return adult


@transaction.atomic
def appropriate_adult_came(
    actor: Any, detention: Detention, *, adult: int | str, arrived_at: datetime | None = None
) -> AppropriateAdult:
    """Record when an appropriate adult who was asked arrived. Raises NotAllowed, NotPossible, Invalid."""
    row = locked(actor, detention)
    waiting = row.adults.select_for_update().filter(arrived_at=None)
    found: AppropriateAdult | None = next((one for one in waiting if str(one.pk) == str(adult)), None)
    if found is None:
        raise Invalid("No such adult is awaited.", fix="Choose one who was asked.", field="adult")
    moment = within(row, arrived_at, "arrived_at", "The time of arrival")
    if moment < found.requested_at:
        raise Invalid("The adult arrived before being asked.", fix="Check the times.", field="arrived_at")
    found.arrived_at = moment
    found.save(update_fields=["arrived_at"])
    record(actor, "custody.adult_came", row, payload={"adult": found.pk, "at": moment})
    return found


TOLD = {
    "parent": ("parent_told_at", "parent_told", "Who was told", 160),
    "merlin": ("merlin_at", "", "", 0),
    "diversion": ("diversion_at", "diversion", "What liaison and diversion said", 300),
}


@transaction.atomic
def record_told(actor: Any, detention: Detention, *, what: str, words: str = "", at: datetime | None = None) -> Any:
    """Record that a parent was told, the Merlin report was sent, or liaison and diversion were asked.

    Args:
        what: a key of :data:`TOLD`.

    Raises:
        NotAllowed; NotPossible (recorded already); Invalid (unknown, no words where words are needed, a time ahead).
    """
    row = locked(actor, detention, ended=True)
    if what not in TOLD:
        raise Invalid("What was done is not said.", fix="Choose one of the list.", field="what")
    when, where, label, longest = TOLD[what]
    if getattr(row, when) is not None:
        raise NotPossible("This is recorded already.", fix="See the record.")
    changed = [when]
    setattr(row, when, within(row, at, "at", "The time"))
    if where:
        setattr(row, where, line(words, "words", label, longest))
        changed.append(where)
    row.save(update_fields=changed)
    record(actor, "custody.told", row, payload={"what": what, "at": getattr(row, when)})
    return row


@transaction.atomic
def extend_detention(
    actor: Any, detention: Detention, *, by: str, why: str, at: datetime | None = None
) -> Detention:  # fmt: skip
    """Record a superintendent's authority to detain beyond 24 hours, to 36 hours at most from the arrival (PACE s.42).

    Raises:
        NotAllowed; NotPossible (ended, charged, extended already, or the 24 hours have passed); Invalid.
    """
    row = locked(actor, detention)
    if row.charged_at is not None:
        raise NotPossible("The child is charged: no detention without charge is extended.", fix="Decide on bail.")
    if row.extended_at is not None:
        raise NotPossible("It was extended already.", fix="Beyond 36 hours only a magistrates' warrant detains.")
    moment = within(row, at, "at", "The time of the authority")
    from safelight.casework.clocks.models import Clock

    mine = Clock.objects.open().filter(subject_type=row._meta.label_lower, subject_id=row.pk, rule=DAY).first()
    if mine is not None and mine.due_at is not None and moment > mine.due_at:
        raise NotPossible("The 24 hours have passed.", fix="The child is to be released unless charged.")
    row.extended_at = moment
    row.extended_by = line(by, "by", "The superintendent's name")
    row.extended_why = text(why, "why", "Why it is necessary")
    row.save(update_fields=["extended_at", "extended_by", "extended_why"])
    end_clocks(actor, row, (DAY,), f"Extended to 36 hours by {row.extended_by}", moment)
    begin(actor, DAY_AND_HALF, row, row.arrived_at)
    record(actor, "custody.extended", row, payload={"at": moment, "why": fingerprint(row.extended_why)})
    return row


@transaction.atomic
def record_charge(
    actor: Any,
    detention: Detention,
    *,
    charge: str,
    bail: str,
    bail_reason: str = "",
    charged_at: datetime | None = None,
) -> Detention:
    """Record charge and the decision on bail. Bail refused starts the clock to transfer the child to the local
    authority (s.38(6)); bail granted ends the detention.

    Raises:
        NotAllowed; NotPossible (charged already, or ended); Invalid (no charge, no decision, refusal without reason).
    """
    row = locked(actor, detention)
    if row.charged_at is not None:
        raise NotPossible("The charge is recorded already.", fix="See the record.")
    if bail not in (Detention.Bail.BAILED, Detention.Bail.REFUSED):
        raise Invalid("Whether bail is granted is not said.", fix="Choose one.", field="bail")
    row.charged_at = within(row, charged_at, "charged_at", "The time of the charge")
    row.charge = line(charge, "charge", "The charge", 200)
    row.bail = bail
    reason = plain(bail_reason, longest=4_000, field="bail_reason", what="Why bail was refused")
    if bail == Detention.Bail.REFUSED:
        required_text(reason, field="bail_reason", what="Why bail was refused")
    row.bail_reason = reason
    row.save(update_fields=["charged_at", "charge", "bail", "bail_reason"])
    payload = {"at": row.charged_at, "bail": bail, "reason": fingerprint(reason)}
    record(actor, "custody.charged", row, category=Category.COLLECTION, payload=payload)
    end_clocks(actor, row, (DAY, DAY_AND_HALF), "Charged", row.charged_at)
    if bail == Detention.Bail.REFUSED:
        begin(actor, TRANSFER, row, row.charged_at)
        return row
    return finish(actor, row, ending=Detention.Ending.BAIL, to="", at=row.charged_at)


def finish(actor: Any, row: Detention, *, ending: str, to: str, at: datetime) -> Detention:
    """End the detention ``row`` (locked by the caller) and every clock of it."""
    last = row.reviews.order_by("-at").values_list("at", flat=True).first()
    if last is not None and at < last:
        raise Invalid("A review after that time is recorded.", fix="Check the time.", field="at")
    row.released_at, row.ending, row.released_to = at, ending, to
    row.save(update_fields=["released_at", "ending", "released_to"])
    label = str(Detention.Ending(ending).label)
    end_clocks(actor, row, _ALL, label, at)
    record(actor, "custody.ended", row, payload={"at": at, "ending": ending, "overnight": row.overnight()})
    return row


@transaction.atomic
def release(
    actor: Any, detention: Detention, *, ending: str, to: str, at: datetime | None = None
) -> Detention:  # fmt: skip
    """Record that the child left police detention, how, and with or to whom (a child is never just let out).

    Raises:
        NotAllowed; NotPossible (ended already); Invalid (no ending or no name; a transfer is recorded as one).
    """
    row = locked(actor, detention)
    if ending not in Detention.Ending.values or not ending:
        raise Invalid("How the detention ended is not said.", fix="Choose one of the list.", field="ending")
    if ending == Detention.Ending.LOCAL_AUTHORITY:
        raise Invalid("A transfer has a step of its own.", fix="Record it there.", field="ending")
    moment = within(row, at, "at", "The time")
    return finish(actor, row, ending=ending, to=line(to, "to", "To whom the child went", 160), at=moment)
