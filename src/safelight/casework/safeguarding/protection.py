"""Police protection: a constable takes a child who would otherwise suffer harm (Children Act 1989 s.46).

72 hours from the moment the child is taken, and nothing extends them: there is no service here that moves that time,
the clock may not be held, and a second protection begins only after the first has ended.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.services import note
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.values import one_line, plain
from safelight.casework.safeguarding.measures import begin, running_for
from safelight.casework.safeguarding.models import ChildAtRisk, DesignatedOfficer, PoliceProtection

CLOCK = "police_protection_max"
_REFUSAL = "You may not record police protection of this child."


def _line(value: str, field: str, what: str, longest: int = 160) -> str:
    return one_line(required_text(value, field=field, what=what), longest=longest, field=field, what=what)


def _text(value: str, field: str, what: str) -> str:
    return plain(required_text(value, field=field, what=what), longest=4_000, field=field, what=what)


def _locked(actor: Any, protection: PoliceProtection) -> PoliceProtection:
    need(actor, "safeguarding.protect", protection, what=_REFUSAL)
    rows = PoliceProtection.objects.select_for_update(of=("self",)).select_related(
        "child__case__unit", "child__referral__unit"
    )
    return rows.get(pk=protection.pk)


def _after(row: PoliceProtection, value: datetime | None, field: str = "at") -> datetime:
    moment = not_in_future(value, field=field, what="The time")
    if moment < row.taken_at:
        raise Invalid("The time lies before the child was taken.", fix="Check the time.", field=field)
    return moment


def _say(actor: Any, row: PoliceProtection, kind: str, words: str, at: datetime | None = None) -> None:
    if row.child.case is not None:
        note(actor, row.child.case, kind, words, at=at)


@transaction.atomic
def take_into_protection(
    actor: Any, child: ChildAtRisk, *, initiating_officer: str, why: str, place: str, taken_at: datetime | None = None
) -> PoliceProtection:
    """Record that a constable took a child into police protection. The 72 hours count from ``taken_at``.

    Args:
        initiating_officer: the constable who decided at the scene (needs nobody's leave and delegates it to nobody).
        place: where the child is: suitable accommodation, not a police station.

    Raises:
        NotAllowed; NotPossible (the child is in police protection already: another one does not prolong it); Invalid.
    """
    need(actor, "safeguarding.add_child", child, what=_REFUSAL)
    child = ChildAtRisk.objects.select_for_update(of=("self",)).select_related("case__unit", "referral__unit").get(
        pk=child.pk
    )  # fmt: skip
    moment = not_in_future(taken_at, field="taken_at", what="The time when the child was taken")
    before = child.protections.order_by("-taken_at").first()
    if before is not None and before.ended_at is None:
        raise NotPossible(
            f"{child.reference} is in police protection already ({before.reference}).",
            fix="Nothing extends the 72 hours. Ask the local authority for an emergency protection order.",
        )
    if before is not None and before.ended_at is not None and moment < before.ended_at:
        raise Invalid("An earlier protection had not ended then.", fix="Check the time.", field="taken_at")
    row = PoliceProtection.objects.create(
        child=child,
        taken_at=moment,
        initiating_officer=_line(initiating_officer, "initiating_officer", "The constable who decided"),
        why=_text(why, "why", "Why the child would suffer significant harm"),
        place=_line(place, "place", "Where the child is", 300),
        recorded_at=timezone.now(),
        recorded_by=actor,
    )
    payload = {"child": child.reference, "taken_at": moment, "why": fingerprint(row.why)}
    record(actor, "protection.taken", row, category=Category.COLLECTION, case=child.case, payload=payload)
    unit = child.case.unit if child.case else child.referral.unit if child.referral else None
    where = {"case": child.case, "referral": child.referral, "unit": unit, "borough": child.borough}
    start_clock(actor, CLOCK, row, triggered_at=moment, **where)
    _say(actor, row, "protection_taken", f"{row.reference}: {child.reference}, by {row.initiating_officer}.", moment)
    return row


TOLD = {
    "local_authority": ("local_authority_told_at", "local_authority_told", "Who was told", 160),
    "child": ("child_told_at", "child_wishes", "What the child wishes and feels", 4_000),
    "parents": ("parents_told_at", "parents_told", "Who was told, or why not", 300),
}


@transaction.atomic
def record_protection_told(
    actor: Any, protection: PoliceProtection, *, what: str, words: str, at: datetime | None = None
) -> PoliceProtection:
    """Record that the local authority, the child or the parents were told; of the child, what the child wishes.

    Raises:
        NotAllowed; NotPossible (recorded already); Invalid.
    """
    row = _locked(actor, protection)
    if what not in TOLD:
        raise Invalid("Who was told is not said.", fix="Choose one of the list.", field="what")
    when, where, label, longest = TOLD[what]
    if getattr(row, when) is not None:
        raise NotPossible("This is recorded already.", fix="See the record.")
    text = plain(required_text(words, field="words", what=label), longest=longest, field="words", what=label)
    setattr(row, when, _after(row, at))
    setattr(row, where, text)
    row.save(update_fields=[when, where])
    payload = {"told": what, "at": getattr(row, when), "words": fingerprint(text)}
    disclosed = {"category": Category.DISCLOSURE, "recipient": text[:200]} if what == "local_authority" else {}
    record(actor, "protection.changed", row, case=row.case, payload=payload, **disclosed)
    if what == "child":
        from safelight.casework.safeguarding.child_record import write_voice

        write_voice(actor, row.child, words=text, said_at=row.child_told_at, heard_by=str(actor), how=row.reference)
    _say(actor, row, "protection_changed", f"{row.reference}: {what.replace('_', ' ')} told.", getattr(row, when))
    return row


@transaction.atomic
def designate(
    actor: Any, protection: PoliceProtection, *, name: str, words: str = "", since: datetime | None = None
) -> DesignatedOfficer:
    """Record the designated officer from ``since`` on (the first, or a handover), and what the inquiry found.

    Raises:
        NotAllowed; NotPossible (ended); Invalid (no name, a time before the last handover).
    """
    row = _locked(actor, protection)
    if row.ended_at is not None:
        raise NotPossible(f"{row.reference} has ended.")
    moment = _after(row, since, "since")
    last = row.designated.order_by("-since").first()
    if last is not None and moment < last.since:
        raise Invalid("The time lies before the last handover.", fix="Check the time.", field="since")
    found = plain(words, longest=4_000, field="words", what="What the inquiry found")
    made = DesignatedOfficer.objects.create(
        protection=row, name=_line(name, "name", "The designated officer"), since=moment, words=found, recorded_by=actor
    )
    record(actor, "protection.changed", row, case=row.case, payload={"designated": made.pk, "since": moment})
    _say(actor, row, "protection_changed", f"{row.reference}: designated officer {made.name}.", moment)
    return made


@transaction.atomic
def end_protection(
    actor: Any, protection: PoliceProtection, *, ending: str, words: str, at: datetime | None = None
) -> PoliceProtection:
    """Record how and when police protection ended. One that ended after 72 hours is kept as it was, late.

    Raises:
        NotAllowed; NotPossible (ended already); Invalid (no way, no words, a time ahead or before the beginning).
    """
    row = _locked(actor, protection)
    if row.ended_at is not None:
        raise NotPossible(f"{row.reference} has ended.", fix="See the record.")
    if ending not in PoliceProtection.Ending.values or not ending:
        raise Invalid("How it ended is not said.", fix="Choose one of the list.", field="ending")
    row.ended_at, row.ending = _after(row, at), ending
    row.ended_words = _text(words, "words", "With whom and where the child is now")
    row.save(update_fields=["ended_at", "ending", "ended_words"])
    label = str(PoliceProtection.Ending(ending).label)
    payload = {"at": row.ended_at, "ending": ending, "words": fingerprint(row.ended_words)}
    record(actor, "protection.ended", row, case=row.case, payload=payload)
    stop_clock(actor, CLOCK, row, reason=label, at=row.ended_at)
    _say(actor, row, "protection_ended", f"{row.reference}: {label}. {row.ended_words}"[:4_000], row.ended_at)
    if ending == PoliceProtection.Ending.ORDER and "epo" not in running_for(row.child):
        begin(actor, row.child, "epo", f"At the end of {row.reference}.", row.ended_at)
    return row
