"""Section 47 enquiries: the child is seen, the conference is held, and what follows has its clocks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.clocks.services import start_clock
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.values import one_line, plain
from safelight.casework.safeguarding.child_record import write_voice
from safelight.casework.safeguarding.models import Section47
from safelight.casework.safeguarding.strategy import CONFERENCE, SEEN, begin, end, say

CORE_GROUP, REVIEW_1, REVIEW_NEXT = "core_group_first", "review_conf_1", "review_conf_next"
MEETINGS = {"core_group": "Core group", "review": "Review conference"}
Ending = Section47.Ending


def _locked(actor: Any, enquiry: Section47) -> Section47:
    need(actor, "safeguarding.enquiry", enquiry, what="You may not act in this section 47 enquiry.")
    rows = Section47.objects.select_for_update(of=("self",)).select_related("child__case__unit", "discussion__case")
    return rows.get(pk=enquiry.pk)


def _after(row: Section47, value: datetime | None, field: str, what: str) -> datetime:
    moment = not_in_future(value, field=field, what=what)
    if moment < row.decided_at:
        raise Invalid(f"{what} lies before the enquiry was decided.", fix="Check the time.", field=field)
    return moment


def _changed(actor: Any, row: Section47, step: str, at: datetime, words: str = "") -> None:
    payload = {"step": step, "at": at, **({"words": fingerprint(words)} if words else {})}
    record(actor, "enquiry47.changed", row, category=Category.COLLECTION, payload=payload)


@transaction.atomic
def child_seen(
    actor: Any, enquiry: Section47, *, by: str, alone: bool, words: str = "", at: datetime | None = None
) -> Section47:
    """Record that the child was seen, by whom, whether alone, and what the child said in the child's words.

    Raises:
        NotAllowed; NotPossible (seen already); Invalid (nobody named, a time ahead or before the decision).
    """
    row = _locked(actor, enquiry)
    if row.seen_at is not None:
        raise NotPossible(f"{row.reference}: the child was seen already.", fix="Add what the child says to the record.")
    what = "Who saw the child"
    row.seen_by = one_line(required_text(by, field="by", what=what), longest=160, field="by", what=what)
    row.seen_at, row.seen_alone = _after(row, at, "at", "The time"), alone
    row.seen_words = plain(words, longest=4_000, field="words", what="What the child said")
    row.save(update_fields=["seen_at", "seen_by", "seen_alone", "seen_words"])
    _changed(actor, row, "child seen", row.seen_at, row.seen_words)
    end(actor, SEEN, row, f"Seen by {row.seen_by}"[:300], row.seen_at)
    if row.seen_words and not row.discussion.covert:
        how = "Seen alone" if alone else "Not alone"
        write_voice(actor, row.child, words=row.seen_words, said_at=row.seen_at, heard_by=row.seen_by, how=how)
    say(actor, row.discussion, "child_seen", f"{row.child.reference} by {row.seen_by}.", at=row.seen_at)
    return row


@transaction.atomic
def plan_conference(actor: Any, enquiry: Section47, *, when: datetime) -> Section47:
    """Record for when the initial child protection conference is set. The clock does not move with it."""
    row = _locked(actor, enquiry)
    if row.ended_at is not None or row.conference_at is not None:
        raise NotPossible(f"{row.reference}: nothing is to be planned any more.")
    if when < row.decided_at:
        raise Invalid("The date lies before the enquiry was decided.", fix="Check the date.", field="when")
    row.conference_planned = when
    row.save(update_fields=["conference_planned"])
    _changed(actor, row, "conference planned", when)
    return row


@transaction.atomic
def hold_conference(
    actor: Any, enquiry: Section47, *, ending: str, words: str, at: datetime | None = None
) -> Section47:
    """Record the initial child protection conference: a plan, or none. A plan starts the core group and the review.

    Raises:
        NotAllowed; NotPossible (the enquiry has ended); Invalid.
    """
    if ending not in (Ending.PLAN, Ending.NO_PLAN):
        raise Invalid("What the conference decided is not said.", fix="Choose one of the list.", field="ending")
    row = _finish(actor, enquiry, ending, words, at)
    assert row.ended_at is not None
    row.conference_at = row.ended_at
    row.save(update_fields=["conference_at"])
    if ending == Ending.PLAN:
        for rule in (CORE_GROUP, REVIEW_1):
            begin(actor, rule, row.discussion, row, row.ended_at, row.child.borough)
    return row


@transaction.atomic
def not_substantiated(actor: Any, enquiry: Section47, *, words: str, at: datetime | None = None) -> Section47:
    """End an enquiry without a conference: the concerns were not substantiated. The child must have been seen.

    Raises:
        NotAllowed; NotPossible (ended, or the child was never seen); Invalid (no words).
    """
    need(actor, "safeguarding.enquiry", enquiry, what="You may not act in this section 47 enquiry.")
    if enquiry.seen_at is None:
        raise NotPossible("The child was not seen.", fix="No enquiry ends before somebody has seen the child.")
    return _finish(actor, enquiry, Ending.NOT_SUBSTANTIATED, words, at)


def _finish(actor: Any, enquiry: Section47, ending: str, words: str, at: datetime | None) -> Section47:
    row = _locked(actor, enquiry)
    if row.ended_at is not None:
        raise NotPossible(f"{row.reference} has ended.", fix="Call another strategy discussion if harm is suspected.")
    said = plain(
        required_text(words, field="words", what="The reasons"), longest=4_000, field="words", what="The reasons"
    )
    moment = _after(row, at, "at", "The time")
    row.ending, row.ended_at, row.ending_words = ending, moment, said
    row.save(update_fields=["ending", "ended_at", "ending_words"])
    label = str(Ending(ending).label)
    _changed(actor, row, ending, moment, said)
    end(actor, CONFERENCE, row, label, moment)
    say(actor, row.discussion, "enquiry_47", f"{row.reference}: {label}. {said}"[:4_000], at=moment)
    return row


@transaction.atomic
def record_meeting(actor: Any, enquiry: Section47, *, meeting: str, at: datetime | None = None) -> Section47:
    """Record a core group or a review conference. Each review starts the clock of the next.

    Raises:
        NotAllowed; NotPossible (there is no child protection plan); Invalid.
    """
    row = _locked(actor, enquiry)
    if row.ending != Ending.PLAN:
        raise NotPossible("There is no child protection plan.", fix="Record the conference first.")
    if meeting not in MEETINGS:
        raise Invalid("Which meeting it was is not said.", fix="Choose one of the list.", field="meeting")
    moment = _after(row, at, "at", "The time")
    _changed(actor, row, meeting, moment)
    if meeting == "core_group":
        end(actor, CORE_GROUP, row, "Held", moment)
    else:
        for rule in (REVIEW_1, REVIEW_NEXT):
            end(actor, rule, row, "Held", moment)
        case = None if row.discussion.covert else row.child.case
        start_clock(
            actor, REVIEW_NEXT, row, triggered_at=moment, case=case, unit=case.unit if case else None, stage="next",
            owner=None if case else row.discussion.called_by,
        )  # fmt: skip
    say(actor, row.discussion, "note", f"{row.reference}: {MEETINGS[meeting]} held.", at=moment)
    return row
