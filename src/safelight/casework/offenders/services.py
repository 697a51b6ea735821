"""Keeping the register: entry, manager, risk, plan, absences, MAPPA, reactive management, leaving the register.

Notifications are in :mod:`.notifying`, visits in :mod:`.visiting`, referrals that name an offender in :mod:`.alerts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell
from safelight.casework.offenders.clocking import hand_over, keep_duty_clock, start
from safelight.casework.offenders.dates import due_day
from safelight.casework.offenders.keeping import CHANGE, INITIAL, REACTIVE, RETURNED, keep
from safelight.casework.offenders.models import Absence, Duty, Event, Offender, Plan, RiskLevel
from safelight.casework.offenders.notifying import open_duty
from safelight.casework.offenders.writing import (
    answerable,
    locked,
    past_day,
    past_moment,
    text_of,
    write_event,
)
from safelight.casework.people.models import Person
from safelight.casework.people.services import create_person
from safelight.casework.people.values import one_line

LEVELS = dict(RiskLevel._meta.get_field("level").flatchoices)  # type: ignore[union-attr]


@transaction.atomic
def register(
    actor: Any,
    *,
    person: Person | dict[str, Any],
    unit: Any,
    relevant_date: date,
    until: date | None,
    register_reference: str = "",
    aliases: Sequence[str] = (),
    manager: Any = None,
    has_home: bool = True,
    mappa_category: int = 1,
    first_notified: bool = False,
) -> Offender:
    """Put a person on the register. The first notification runs from the relevant date, three days beginning with it.

    Args:
        person: a nominal on record, or the arguments of people.services.create_person.
        until: the last day of the notification period; None is indefinite.
        register_reference: the reference in the national register (such as ViSOR); unique.
        aliases: other names in full, as notified.
        first_notified: an older entry that is taken over, whose notifications are recorded next: no duty starts.

    Raises:
        NotAllowed: the actor manages no offenders of that unit.
        NotPossible: the person or the reference is on the register already.
        Invalid: a day, a name or the manager does not fit.
    """
    need(actor, "offenders.manage", what="Your role may not put anyone on the register.")
    if unit is None or (actor.unit_id != unit.pk and actor.role != "chief_officer"):
        raise Invalid("You register offenders of your own unit only.", fix="Ask the other unit.", field="unit")
    day = past_day(relevant_date, field="relevant_date", what="The relevant date")
    if until is not None and until < day:
        raise Invalid("The period ends before it begins.", fix="Check both days.", field="until")
    who = person if isinstance(person, Person) else create_person(actor, **person)
    if not who.family_name and not who.given_names:
        raise Invalid("An offender on the register has a name.", fix="Enter it.", field="family_name")
    if who.born and who.born > day:
        raise Invalid("The relevant date lies before the date of birth.", fix="Check both.", field="relevant_date")
    reference = normal_reference(register_reference)
    if Offender.objects.filter(person=who).exists():
        raise NotPossible(f"{who.reference} is on the register already.", fix="Open that entry.")
    other = [one_line(name, longest=200, field="aliases", what="A name") for name in aliases]
    try:
        with transaction.atomic():
            offender = Offender.objects.create(
                person=who, register_reference=reference, aliases=[name for name in other if name], unit=unit,
                relevant_date=day, until=until, has_home=has_home, mappa_category=mappa_category,
                registered_at=timezone.now(), registered_by=actor,
            )  # fmt: skip
    except IntegrityError as error:
        if reference and Offender.objects.filter(register_reference=reference).exists():
            raise NotPossible(
                f"The reference {reference} is on the register already.", fix="Open that entry."
            ) from error
        raise
    record(
        actor, "offender.registered", offender, category=Category.COLLECTION,
        payload={"person": who, "unit": unit.code, "relevant_date": day.isoformat(), "indefinite": until is None,
                 "aliases": len(offender.aliases), "home": has_home},
    )  # fmt: skip
    if not first_notified:
        open_duty(actor, offender, INITIAL, day, "The relevant date")
    if manager is not None:
        offender = assign(actor, offender, manager=manager, reason="Named when the entry was made.")
    offender = keep(actor, offender)
    from safelight.casework.offenders.alerts import search_back

    search_back(offender)
    return offender


def normal_reference(text: str) -> str:
    """A register's reference in one form: capitals, no blanks."""
    return one_line(text, longest=60, field="register_reference", what="The reference").upper().replace(" ", "")


@transaction.atomic
def assign(actor: Any, offender: Offender, *, manager: Any, reason: str) -> Offender:
    """Give the offender to an offender manager of the unit; the open clocks become theirs, and they are told.

    Raises:
        NotAllowed, NotPossible (off the register, or theirs already), Invalid (no offender manager of the unit).
    """
    row = locked(actor, offender, what="You may not give this offender to anyone.")
    if manager.role != "offender_manager" or not manager.is_active or manager.unit_id != row.unit_id:
        raise Invalid(
            f"{manager} is not an active offender manager of {row.unit}.", fix="Choose another.", field="manager"
        )
    if not Offender.objects.visible_to(manager).filter(pk=row.pk).exists():
        raise Invalid(f"{row.reference} cannot be given to {manager}.", fix="Choose another.", field="manager")
    if row.manager_id == manager.pk:
        raise NotPossible(f"{manager} manages {row.reference} already.")
    words = text_of(reason, field="reason", what="The reason", longest=500)
    before, row.manager = row.manager, manager
    row.save(update_fields=["manager"])
    moved = hand_over(actor, row, manager)
    record(
        actor, "offender.given", row,
        payload={"from": before.pk if before else None, "to": manager.pk, "clocks": moved,
                 "reason": fingerprint(words)},
    )  # fmt: skip
    said = f"{manager}{f', before {before}' if before else ''}. {words}"
    write_event(actor, row, Event.Kind.MANAGER, said)
    if actor.pk != manager.pk:
        tell([manager], "offender.given", row)
    return row


@transaction.atomic
def record_risk(actor: Any, offender: Offender, *, level: str, source: str, on: date | None = None) -> RiskLevel:
    """Record the level that somebody assessed. Above low, reactive management ends at once.

    Raises:
        NotAllowed, NotPossible (off the register), Invalid (unknown level, no source, a day ahead).
    """
    row = locked(actor, offender, what="You may not record the risk of this offender.")
    if level not in LEVELS:
        raise Invalid(f"There is no risk level {level!r}.", fix="Choose one of the list.", field="level")
    words = text_of(source, field="source", what="Who assessed it, and with which tool", longest=120)
    day = past_day(on, field="on", what="The day of the assessment")
    made = RiskLevel.objects.create(
        offender=row, level=level, on=day, source=words, recorded_at=timezone.now(), recorded_by=actor
    )
    record(actor, "offender.risk_recorded", row, payload={"level": level, "on": day.isoformat(),
           "before": row.risk, "source": fingerprint(words)})  # fmt: skip
    history = list(row.risklevels.order_by("-on", "-id").values_list("level", "on"))
    row.risk = history[0][0]
    # Continuously low: from the first of the unbroken row of low levels that leads to today.
    row.low_since = None
    for one, since in history:
        if one != "low":
            break
        row.low_since = since
    if row.risk != "low" and row.management == "reactive":
        _activate(actor, row, f"The risk is {LEVELS[row.risk].lower()} now.")
    row.save(update_fields=["risk", "low_since", "management"])
    keep(actor, row)
    return made


@transaction.atomic
def set_plan(actor: Any, offender: Offender, *, every: int, every_unit: str, actions: str, minutes: int = 45) -> Plan:
    """Set how often this one person is visited, and what else is done. Nothing is taken from the risk category.

    Raises:
        NotAllowed, NotPossible (off the register), Invalid (an impossible frequency, no words).
    """
    row = locked(actor, offender, what="You may not set the plan of this offender.")
    most = {"calendar_days": 366, "months": 36}.get(every_unit)
    if most is None:
        raise Invalid(f"Visits are not planned in {every_unit!r}.", fix="Use days or months.", field="every_unit")
    if not 1 <= every <= most:
        raise Invalid(f"A visit every {every} is not possible: 1 to {most}.", fix="Check the number.", field="every")
    if not 5 <= minutes <= 480:
        raise Invalid("A visit takes 5 to 480 minutes.", fix="Check the minutes.", field="minutes")
    words = text_of(actions, field="actions", what="What is done")
    made = Plan.objects.create(
        offender=row, every=every, every_unit=every_unit, actions=words, minutes=minutes,
        recorded_at=timezone.now(), recorded_by=actor,
    )  # fmt: skip
    record(actor, "offender.planned", row, payload={"every": every, "unit": every_unit, "actions": fingerprint(words)})
    keep(actor, row)
    return made


@transaction.atomic
def record_away(actor: Any, offender: Offender, *, kind: str, begins: date | None, note: str = "") -> Absence:
    """Record that the offender is in custody, in hospital or abroad: what cannot be done meanwhile rests.

    Raises:
        NotAllowed, NotPossible (away already), Invalid (unknown kind, a day ahead or inside an earlier absence).
    """
    row = locked(actor, offender, what="You may not record this.")
    if kind not in Absence.Kind.values:
        raise Invalid(f"There is no absence {kind!r}.", fix="Choose custody, hospital or abroad.", field="kind")
    day = past_day(begins, field="begins", what="The day")
    if row.absences.filter(ends=None).exists():
        raise NotPossible(f"{row.reference} is away already.", fix="Record the return first.")
    if row.absences.filter(begins__lte=day, ends__gt=day).exists():
        raise Invalid("That day lies inside an earlier absence.", fix="Check the day.", field="begins")
    if row.absences.filter(begins__gt=day).exists():
        raise Invalid("A later absence is recorded already.", fix="Give its end too.", field="begins")
    made = Absence.objects.create(
        offender=row, kind=kind, begins=day, note=one_line(note, longest=300, field="note", what="The note"),
        recorded_at=timezone.now(), recorded_by=actor,
    )  # fmt: skip
    record(actor, "offender.away", row, payload={"kind": kind, "begins": day.isoformat()})
    keep(actor, row)
    return made


@transaction.atomic
def record_back(actor: Any, offender: Offender, *, ends: date | None) -> Absence:
    """Record release or return: what rested runs on; release from custody and return from abroad must be notified.

    Raises:
        NotAllowed, NotPossible (not away), Invalid (a day ahead, or before the absence began).
    """
    row = locked(actor, offender, what="You may not record this.")
    stay = row.absences.filter(ends=None).first()
    if stay is None:
        raise NotPossible(f"{row.reference} is not away.")
    day = past_day(ends, field="ends", what="The day of return")
    if day < stay.begins:
        raise Invalid("The return lies before the absence.", fix="Check the day.", field="ends")
    stay.ends = day
    stay.save(update_fields=["ends"])
    record(actor, "offender.back", row, payload={"kind": stay.kind, "ends": day.isoformat()})
    first_open = row.duties.filter(rule=INITIAL, met_by=None, ended="").exists()
    if stay.kind == "custody" and not first_open:
        open_duty(actor, row, CHANGE, day, "Release from custody")
    elif stay.kind == "abroad":
        open_duty(actor, row, RETURNED, day, "Return from abroad")
    keep(actor, row)
    return stay


@transaction.atomic
def record_mappa(
    actor: Any, offender: Offender, *, category: int, level: int, met_at: datetime | None = None, text: str
) -> Offender:
    """Record the MAPPA category and level, and the meeting that decided it; the review of levels 2 and 3 has a clock.

    Raises:
        NotAllowed, NotPossible, Invalid (not 1 to 3, no words).
    """
    row = locked(actor, offender, what="You may not record MAPPA management.")
    if category not in (1, 2, 3) or level not in (1, 2, 3):
        raise Invalid("MAPPA has the categories 1 to 3 and the levels 1 to 3.", fix="Choose one.", field="level")
    words = text_of(text, field="text", what="What was decided")
    moment = past_moment(met_at, field="met_at", what="The time of the meeting")
    row.mappa_category, row.mappa_level = category, level
    row.save(update_fields=["mappa_category", "mappa_level"])
    write_event(actor, row, Event.Kind.MAPPA, f"Category {category}, level {level}. {words}", moment)
    record(actor, "offender.mappa", row, payload={"category": category, "level": level, "text": fingerprint(words)})
    return keep(actor, row)


def reactive_from(offender: Offender) -> date | None:
    """The first day on which reactive management is possible (clock rso_reactive_eligible); None while not low."""
    if offender.low_since is None:
        return None
    return due_day(standards().clocks[REACTIVE], offender.low_since, [])


@transaction.atomic
def approve_reactive(actor: Any, offender: Offender, *, review: str) -> Offender:
    """A supervisor approves reactive management after a review: no home visits, still every notification.

    Raises:
        NotAllowed: no supervisor of the unit.
        NotPossible: not low, or not low for long enough, or reactive already.
        Invalid: no review in words.
    """
    row = locked(actor, offender, "offenders.approve", what="A supervisor of the unit approves reactive management.")
    if row.management == "reactive":
        raise NotPossible(f"{row.reference} is managed reactively already.")
    possible = reactive_from(row)
    if possible is None:
        raise NotPossible(f"{row.reference} is not at low risk.", fix="Reactive management is for low risk only.")
    if timezone.localdate() < possible:
        raise NotPossible(
            f"{row.reference} is at low risk since {row.low_since:%d %b %Y}: too short for reactive management.",
            fix=f"It becomes possible on {possible:%d %b %Y}.",
        )
    words = text_of(review, field="review", what="The review")
    row.management = "reactive"
    row.save(update_fields=["management"])
    write_event(actor, row, Event.Kind.REACTIVE, words)
    record(
        actor, "offender.reactive", row, payload={"low_since": row.low_since.isoformat(), "review": fingerprint(words)}
    )
    return keep(actor, row)


@transaction.atomic
def record_intelligence(actor: Any, offender: Offender, *, text: str, at: datetime | None = None) -> Event:
    """Record intelligence. Under reactive management it brings the offender back to active management at once.

    Raises:
        NotAllowed, NotPossible, Invalid (no words, a time ahead).
    """
    row = locked(actor, offender, what="You may not record intelligence about this offender.")
    words = text_of(text, field="text", what="What is known")
    moment = past_moment(at, field="at", what="The time")
    made = write_event(actor, row, Event.Kind.INTELLIGENCE, words, moment)
    record(actor, "offender.noted", row, category=Category.COLLECTION,
           payload={"kind": "intelligence", "at": moment, "text": fingerprint(words)})  # fmt: skip
    revert_to_active(actor, row, "Intelligence came in.")
    return made


def revert_to_active(actor: Any, offender: Offender, why: str) -> bool:
    """End reactive management, if it is on, in the transaction of what brings it about; ``actor`` may be None."""
    if offender.management != "reactive":
        return False
    _activate(actor, offender, why)
    offender.save(update_fields=["management"])
    keep(actor, offender)
    return True


def _activate(actor: Any, row: Offender, why: str) -> None:
    row.management = "active"
    write_event(actor or row.registered_by, row, Event.Kind.ACTIVE, f"{why} Review the plan.")
    record(actor, "offender.active", row, payload={})
    tell(answerable(row), "offender.active", row)


@transaction.atomic
def change_entry(
    actor: Any, offender: Offender, *, register_reference: str, aliases: Sequence[str], has_home: bool,
    until: date | None, latitude: float | None, longitude: float | None,
) -> Offender:  # fmt: skip
    """Correct the entry: references, names, whether there is a home, the end of the period, where the home lies.

    Raises:
        NotAllowed, NotPossible (another entry has the reference), Invalid (a period that ends before it begins).
    """
    row = locked(actor, offender, what="You may not change this entry.")
    reference = normal_reference(register_reference)
    if reference and Offender.objects.filter(register_reference=reference).exclude(pk=row.pk).exists():
        raise Invalid(f"The reference {reference} is on the register already.", field="register_reference")
    if until is not None and until < row.relevant_date:
        raise Invalid("The period ends before it begins.", fix="Check the day.", field="until")
    if (latitude is None) != (longitude is None):
        raise Invalid("A place has a latitude and a longitude.", fix="Give both or neither.", field="longitude")
    names = [one_line(name, longest=200, field="aliases", what="A name") for name in aliases]
    new = {"register_reference": reference, "aliases": [name for name in names if name], "has_home": has_home,
           "until": until, "latitude": latitude, "longitude": longitude}  # fmt: skip
    changed = [name for name, value in new.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, new[name])
    if changed:
        row.save(update_fields=changed)
        record(actor, "offender.changed", row, payload={"changed": changed})
    return keep(actor, row)


@transaction.atomic
def take_off(actor: Any, offender: Offender, *, reason: str, on: date | None = None) -> Offender:
    """Take the offender off the register: the period is over, or the person died or moved to another force.

    Raises:
        NotAllowed: no supervisor of the unit.
        NotPossible: the entry has ended already, or a notification that is due is open.
        Invalid: no reason, or a day ahead.
    """
    row = locked(
        actor, offender, "offenders.approve", what="A supervisor of the unit takes offenders off the register."
    )
    words = text_of(reason, field="reason", what="The reason", longest=300)
    day = past_day(on, field="on", what="The day")
    for duty in Duty.objects.filter(offender=row, met_by=None, ended=""):
        duty.ended = f"Off the register: {words}"[:300]
        duty.save(update_fields=["ended"])
        keep_duty_clock(actor, duty, [], met_at=timezone.now(), why=duty.ended)
    row.ended_on, row.end_reason = day, words
    row.save(update_fields=["ended_on", "end_reason"])
    record(actor, "offender.removed", row, payload={"on": day.isoformat(), "reason": fingerprint(words)})
    return keep(actor, row)


@transaction.atomic
def add_note(actor: Any, offender: Offender, *, text: str, at: datetime | None = None) -> Event:
    """A note in the record. Raises NotAllowed, NotPossible, Invalid."""
    row = locked(actor, offender, what="You may not write in this record.")
    words = text_of(text, field="text", what="The note")
    made = write_event(actor, row, Event.Kind.NOTE, words, past_moment(at, field="at", what="The time"))
    record(actor, "offender.noted", row, payload={"kind": "note", "text": fingerprint(words)})
    return made


@transaction.atomic
def record_breach(actor: Any, offender: Offender, *, text: str, at: datetime | None = None) -> Event:
    """Record that a breach is established: it goes to local and national systems within 24 hours (a clock)."""
    row = locked(actor, offender, what="You may not record a breach.")
    words = text_of(text, field="text", what="What was breached")
    moment = past_moment(at, field="at", what="The time")
    made = write_event(actor, row, Event.Kind.BREACH, words, moment)
    record(actor, "offender.noted", row, payload={"kind": "breach", "at": moment, "text": fingerprint(words)})
    start(actor, row, "rso_breach_record", moment)
    revert_to_active(actor, row, "A breach was established.")
    tell(answerable(row), "offender.breach", row)
    return made
