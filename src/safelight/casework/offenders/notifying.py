"""What an offender must notify, and did: duties with their clocks, and notifications with when, where, what changed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.standards import standards
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.offenders.clocking import keep_duty_clock
from safelight.casework.offenders.keeping import (
    ANNOUNCED,
    CHANGE,
    CHILD,
    INITIAL,
    RETURNED,
    TRAVEL,
    duty_due,
    keep,
    standing_notification,
)
from safelight.casework.offenders.models import Duty, Notification, Offender
from safelight.casework.offenders.writing import locked, past_day, past_moment, text_of
from safelight.casework.people.values import plain
from safelight.standards.working_calendar import local_day, start_of_day

Kind = Notification.Kind
# Which open duties a notification meets.
MEETS = {
    Kind.INITIAL: (INITIAL,),
    Kind.CHANGE: (CHANGE, ANNOUNCED),
    Kind.RETURNED: (RETURNED,),
    Kind.CHILD: (CHILD,),
}
FOUND = {CHANGE: "A change of name, address, or seven days elsewhere", CHILD: "A stay in a household with a child"}
SAYS_WHAT = (Kind.CHANGE, Kind.ADVANCE, Kind.TRAVEL, Kind.CHILD, Kind.OTHER)
LONG_AGO = timedelta(days=2)


def open_duty(actor: Any, offender: Offender, rule: str, event_on: date, what: str) -> Duty:
    """Open a duty, and its clock from the day of the event on; one that lies ahead gets its clock when it comes."""
    made, new = Duty.objects.get_or_create(
        offender=offender, rule=rule, event_on=event_on, met_by=None, ended="",
        defaults={"what": what[:300], "recorded_at": timezone.now(), "recorded_by": actor},
    )  # fmt: skip
    if new:
        record(actor, "offender.duty_found", offender, category=Category.COLLECTION,
               payload={"rule": rule, "event_on": event_on.isoformat(), "what": fingerprint(what)})  # fmt: skip
    keep_duty_clock(actor, made, list(offender.absences.all()))
    return made


@transaction.atomic
def record_event(actor: Any, offender: Offender, *, rule: str, event_on: date, what: str) -> Duty:
    """Record something that the offender must notify, known before (or without) a notification.

    Args:
        rule: rso_change_notify or rso_child_household.

    Raises:
        NotAllowed, NotPossible (off the register), Invalid (another rule, a day ahead, no words).
    """
    row = locked(actor, offender, what="You may not record what this offender must notify.")
    if rule not in FOUND:
        raise Invalid(f"{rule!r} is not recorded as an event.", fix="Choose one of the list.", field="rule")
    day = past_day(event_on, field="event_on", what="The day")
    words = text_of(what, field="what", what="What happened", longest=300)
    made = open_duty(actor, row, rule, day, words)
    keep(actor, row)
    return made


@transaction.atomic
def record_notification(
    actor: Any,
    offender: Offender,
    *,
    kind: str,
    at: datetime | None = None,
    place: str,
    in_person: bool = True,
    identity_seen: bool = False,
    changed: str = "",
    event_on: date | None = None,
) -> Notification:
    """Record what the offender told the police. Open duties of its kind are met; the next period counts from it.

    Args:
        at: when it was made (aware); None means now.
        place: the station.
        changed: what changed, where the kind is about a change.
        event_on: the day it is about: of the change (ahead for one announced), of departure, of the return.

    Raises:
        NotAllowed, NotPossible (off the register), Invalid (a value is missing or impossible).
    """
    row = locked(actor, offender, what="You may not record notifications of this offender.")
    if kind not in Kind.values:
        raise Invalid(f"There is no notification {kind!r}.", fix="Choose one of the list.", field="kind")
    moment = past_moment(at, field="at", what="The time of the notification")
    day = local_day(moment)
    if day < row.relevant_date:
        raise Invalid("It lies before the relevant date.", fix="Check the day.", field="at")
    where = text_of(place, field="place", what="Where it was made", longest=160)
    words = plain(changed, longest=4_000, field="changed", what="What changed")
    if kind in SAYS_WHAT and not words:
        raise Invalid("What it is about is missing.", fix="Write what changed, or where to.", field="changed")
    _check_event(kind, event_on, day)
    due = _due_of(row, kind, event_on)
    made = Notification.objects.create(
        offender=row, kind=kind, at=moment, place=where, in_person=in_person, identity_seen=identity_seen,
        changed=words, event_on=event_on, due_on=due, late=None if due is None else day > due,
        recorded_at=timezone.now(), recorded_by=actor,
    )  # fmt: skip
    record(
        actor, "offender.notified", row, category=Category.COLLECTION,
        payload={"kind": kind, "at": moment, "late": made.late, "in_person": in_person, "changed": fingerprint(words)},
    )  # fmt: skip
    _meet(actor, row, made, day)
    if kind == Kind.ADVANCE and event_on is not None:
        open_duty(actor, row, ANNOUNCED, event_on, f"Announced: {words}")
    keep(actor, row)
    return made


def _check_event(kind: str, event_on: date | None, day: date) -> None:
    needs = {Kind.ADVANCE: "The day of the change", Kind.TRAVEL: "The day of departure",
             Kind.CHANGE: "The day of the change", Kind.RETURNED: "The day of the return"}  # fmt: skip
    if kind not in needs:
        return
    if event_on is None:
        raise Invalid(f"{needs[kind]} is missing.", fix="Enter it.", field="event_on")
    if kind == Kind.ADVANCE and event_on <= day:
        raise Invalid("A change that was announced lies ahead.", fix="Record a change instead.", field="event_on")
    if kind in (Kind.CHANGE, Kind.RETURNED) and event_on > day:
        raise Invalid("That day lies after the notification.", fix="Check both days.", field="event_on")


def _due_of(offender: Offender, kind: str, event_on: date | None) -> date | None:
    """By which day this notification had to be made; None where no day is set."""
    stays = list(offender.absences.all())
    if kind in MEETS:
        dues = [duty_due(one, stays) for one in _open(offender, kind)]
        known = [one for one in dues if one is not None]
        if known:
            return min(known)
        if kind == Kind.CHANGE and event_on is not None:
            return duty_due(Duty(offender=offender, rule=CHANGE, event_on=event_on), stays)
        if kind == Kind.RETURNED and event_on is not None:
            return duty_due(Duty(offender=offender, rule=RETURNED, event_on=event_on), stays)
        return None
    if kind == Kind.TRAVEL and event_on is not None:
        due = standards().clocks[TRAVEL].due_at(start_of_day(event_on))
        return local_day(due) if due else None
    if kind in (Kind.ANNUAL, Kind.WEEKLY):
        return standing_notification(offender).due_on
    return None


def _open(offender: Offender, kind: str) -> list[Duty]:
    rules = MEETS.get(Kind(kind), ())
    return list(offender.duties.filter(rule__in=rules, met_by=None, ended="").order_by("event_on", "id"))


def _meet(actor: Any, offender: Offender, made: Notification, day: date) -> None:
    """Close the duties that this notification meets: those whose event lies before it."""
    for duty in _open(offender, made.kind):
        if duty.event_on > day:
            continue
        duty.met_by = made
        duty.save(update_fields=["met_by"])
        keep_duty_clock(actor, duty, [], met_at=made.at)


@transaction.atomic
def announced_change_happened(actor: Any, duty: Duty, *, on: date) -> Duty:
    """Say that a change announced in advance took place. More than two days early it needs a fresh notice (s.84(3)).

    Raises:
        NotAllowed, NotPossible (settled already), Invalid (a day ahead).
    """
    row = locked(actor, duty.offender, what="You may not record this.")
    duty = Duty.objects.select_for_update().get(pk=duty.pk)
    if duty.rule != ANNOUNCED or not duty.is_open:
        raise NotPossible("This is settled already.")
    day = past_day(on, field="on", what="The day of the change")
    duty.ended = f"The change took place on {day:%d %b %Y}."
    duty.save(update_fields=["ended"])
    record(actor, "offender.duty_ended", row, payload={"rule": duty.rule, "on": day.isoformat()})
    keep_duty_clock(actor, duty, [], met_at=timezone.now(), why=duty.ended)
    if duty.event_on - day > LONG_AGO:
        open_duty(actor, row, CHANGE, day, f"Earlier than announced. {duty.what}"[:300])
    keep(actor, row)
    return duty


@transaction.atomic
def begin_duties(now: datetime | None = None, limit: int = 500) -> int:
    """Start the clocks of duties whose day has come (changes announced in advance). Called by the tick.

    Touches only open duties of today and before that have no clock yet.
    """
    from safelight.casework.clocks.models import Clock

    today = timezone.localdate(now or timezone.now())
    waiting = Duty.objects.filter(met_by=None, ended="", rule=ANNOUNCED, event_on__lte=today)
    with_clock = Clock.objects.filter(subject_type="offenders.duty", rule=ANNOUNCED).values("subject_id")
    begun = 0
    for duty in waiting.exclude(pk__in=with_clock).select_related("offender__manager", "offender__unit")[:limit]:
        keep(None, duty.offender)
        begun += 1
    return begun
