"""Leave, postings, hours: when a person is there, and where. Nothing here moves a case; supervisors do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.workforce.models import Absence, Period, Posting, Reduction, Unit, WorkingHours

P = TypeVar("P", bound=Period)
NOT_YOURS = "You may not record this about people of other units."


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _until(row: Period) -> str:
    return "with no end yet" if row.until_day is None else f"to {_day(row.until_day)}"


def _in_order(from_day: date | None, until_day: date | None) -> date:
    if from_day is None:
        raise Invalid("The first day is missing.", fix="Give it.", field="from_day")
    if until_day is not None and until_day < from_day:
        raise Invalid("It ends before it begins.", fix="Check the two dates.", field="until_day")
    return from_day


def _no_overlap(rows: Any, from_day: date, until_day: date | None, what: str) -> None:
    """Refuse a period that touches another; the rows of the person are locked by the caller."""
    other = rows.between(from_day, until_day or date.max).order_by("from_day").first()
    if other is not None:
        raise Invalid(
            f"{what} overlaps another, from {_day(other.from_day)} {_until(other)}.",
            fix="Cancel that one first, or choose other days.",
            field="from_day",
        )


def _locked(user: Any) -> User:
    """The person, locked: two people who record at once about one person wait for each other."""
    return User.objects.select_for_update(of=("self",)).get(pk=user.pk)


@transaction.atomic
def record_absence(actor: Any, *, user: Any, kind: str, from_day: date, until_day: date | None = None) -> Absence:
    """Record that a person is away, both days included. Their live cases show for handing over at once.

    Args:
        kind: a value of :class:`Absence.Kind`; "left" has no end.
        until_day: None while nobody knows.

    Raises:
        NotAllowed: the actor is neither an administrator nor a supervisor of the person's unit.
        Invalid: unknown kind, ends before it begins, or overlaps another absence (the other is named).
    """
    need(actor, "workforce.plan", user, what=NOT_YOURS)
    if kind not in Absence.Kind.values:
        raise Invalid(f"There is no kind of absence {kind!r}.", fix="Choose one of the list.", field="kind")
    first = _in_order(from_day, until_day)
    if kind == Absence.Kind.LEFT and until_day is not None:
        raise Invalid("Who leaves the force does not come back on a day.", fix="Leave it empty.", field="until_day")
    person = _locked(user)
    _no_overlap(person.absences, first, until_day, "This absence")
    row = Absence.objects.create(
        user=person, kind=kind, from_day=first, until_day=until_day, recorded_by=actor, recorded_at=timezone.now()
    )
    _write(actor, "absence.recorded", row, kind=kind)
    _tell(person)
    return row


@transaction.atomic
def record_posting(actor: Any, *, user: Any, unit: Any, from_day: date, until_day: date | None = None) -> Posting:
    """Record that a person works in another unit from a day on, for a time or for good.

    The person moves on that day (:func:`settle_postings`; today or earlier: now). Their cases stay until a supervisor
    hands them over.

    Raises:
        NotAllowed; Invalid: no unit, the unit they are in, or the posting overlaps another.
    """
    need(actor, "workforce.plan", user, what=NOT_YOURS)
    first = _in_order(from_day, until_day)
    person = _locked(user)
    if unit is None or unit.pk == person.unit_id:
        raise Invalid(f"{person} is in this unit already.", fix="Choose the unit they go to.", field="unit")
    _no_overlap(person.postings, first, until_day, "This posting")
    now_away = person.postings.on().exclude(home=None).first()
    home = now_away.home if now_away is not None and now_away.until_day is not None else person.unit
    row = Posting.objects.create(
        user=person,
        unit=unit,
        home=home,
        from_day=first,
        until_day=until_day,
        recorded_by=actor,
        recorded_at=timezone.now(),
    )
    _write(actor, "posting.recorded", row, unit=unit.code, home=home.code if home else None)
    settle_postings(person=person)
    _tell(person)
    return row


@transaction.atomic
def cancel_period(actor: Any, row: Any, *, reason: str) -> Period:
    """Take back an absence, a posting or a reduction: it no longer counts, and stays written.

    A posting that has begun moves the person back home at once.

    Raises:
        NotAllowed; NotPossible (taken back already); Invalid (no reason).
    """
    need(actor, "workforce.plan", row.user, what=NOT_YOURS)
    person = _locked(row.user)
    found = type(row).objects.select_for_update(of=("self",)).get(pk=row.pk)
    if found.cancelled_at is not None:
        raise NotPossible("This was taken back already.", fix="There is nothing to do.")
    text = required_text(reason, field="reason", what="The reason")
    found.cancelled_at, found.cancelled_by, found.cancel_reason = timezone.now(), actor, text[:300]
    found.save(update_fields=["cancelled_at", "cancelled_by", "cancel_reason"])
    _write(actor, "period.cancelled", found, what=found._meta.model_name, reason=fingerprint(text))
    if isinstance(found, Posting) and found.applied_at is not None and found.returned_at is None:
        _move(person, found.home, found, "returned_at")
    return found


@transaction.atomic
def end_period(actor: Any, row: Any, *, until_day: date) -> Period:
    """Say on which day an absence, a posting or a reduction ends (earlier or later than planned).

    Raises:
        NotAllowed; NotPossible (cancelled, or "left"); Invalid (before it begins, or overlaps the next one).
    """
    need(actor, "workforce.plan", row.user, what=NOT_YOURS)
    person = _locked(row.user)
    found = type(row).objects.select_for_update(of=("self",)).get(pk=row.pk)
    if found.cancelled_at is not None:
        raise NotPossible("This was taken back.", fix="Record it anew.")
    if isinstance(found, Absence) and found.kind == Absence.Kind.LEFT:
        raise NotPossible(f"{person} left the force.", fix="If that is wrong, take it back with a reason.")
    _in_order(found.from_day, until_day)
    if not isinstance(found, Reduction):
        others = type(found).objects.filter(user=person).exclude(pk=found.pk)
        _no_overlap(others, found.from_day, until_day, "With this end it")
    before, found.until_day = found.until_day, until_day
    found.save(update_fields=["until_day"])
    _write(actor, "period.end_set", found, what=found._meta.model_name, before=str(before))
    if isinstance(found, Posting):
        settle_postings(person=person)
    return found


@transaction.atomic
def record_hours(actor: Any, *, user: Any, hours: Decimal, from_day: date) -> WorkingHours:
    """Record the hours a week that a person is contracted for, from a day on. Raises NotAllowed, Invalid."""
    need(actor, "workforce.plan", user, what=NOT_YOURS)
    if not 0 < hours <= 168:
        raise Invalid("A week has more than 0 and at most 168 hours.", fix="Check the figure.", field="hours")
    person = _locked(user)
    row, _ = WorkingHours.objects.update_or_create(user=person, from_day=from_day, defaults={"hours": hours})
    record(
        actor,
        "hours.recorded",
        person,
        category=Category.COLLECTION,
        payload={"hours": hours, "from_day": str(from_day)},
    )
    return row


@transaction.atomic
def record_reduction(
    actor: Any, *, user: Any, kind: str, hours: Decimal, from_day: date, until_day: date | None = None
) -> Reduction:
    """Record hours a week for which a person is not there for cases. Several at once add up. Raises NotAllowed,
    Invalid (unknown kind, no hours, ends before it begins)."""
    need(actor, "workforce.plan", user, what=NOT_YOURS)
    if kind not in Reduction.Kind.values:
        raise Invalid(f"There is no kind of reduction {kind!r}.", fix="Choose one of the list.", field="kind")
    if not 0 < hours <= 168:
        raise Invalid("A reduction is more than 0 hours a week.", fix="Check the figure.", field="hours")
    row = Reduction.objects.create(
        user=_locked(user),
        kind=kind,
        hours=hours,
        from_day=_in_order(from_day, until_day),
        until_day=until_day,
        recorded_by=actor,
        recorded_at=timezone.now(),
    )
    _write(actor, "reduction.recorded", row, kind=kind, hours=hours)
    return row


@transaction.atomic
def settle_postings(*, person: Any = None, today: date | None = None) -> int:
    """Move people whose posting begins, or has ended. By the tick for everyone, by services for one person.

    Who has left the force can no longer sign in from their first day away. Returns how many people changed.
    """
    day = today or timezone.localdate()
    rows = Posting.objects.filter(cancelled_at=None)
    leavers = Absence.objects.on(day).filter(kind=Absence.Kind.LEFT, user__is_active=True)
    if person is not None:
        rows, leavers = rows.filter(user=person), leavers.filter(user=person)
    changed = 0
    ended = rows.filter(applied_at__isnull=False, returned_at=None, until_day__lt=day)
    for row in ended.select_related("user", "home").order_by("until_day", "pk"):
        _move(row.user, row.home, row, "returned_at")
        changed += 1
    begun = rows.filter(applied_at=None, from_day__lte=day).exclude(until_day__lt=day)
    for row in begun.select_related("user", "unit").order_by("from_day", "pk"):
        _move(row.user, row.unit, row, "applied_at")
        changed += 1
    for absence in leavers.select_related("user"):
        absence.user.is_active = False
        absence.user.save(update_fields=["is_active"])
        record(None, "account.changed", absence.user, category=Category.SYSTEM, payload={"is_active": False})
        changed += 1
    return changed


def _move(person: Any, unit: Unit | None, row: Posting, stamp: str) -> None:
    before = person.unit
    User.objects.filter(pk=person.pk).update(unit=unit)
    person.unit = unit
    setattr(row, stamp, timezone.now())
    row.save(update_fields=[stamp])
    # Whoever supervises the person now answers for their welfare appointment.
    clocks = Clock.objects.open().filter(case=None, referral=None, subject_type="accounts.user", subject_id=person.pk)
    clocks.update(unit=unit)
    record(
        None,
        "posting.moved",
        person,
        category=Category.SYSTEM,
        payload={"from": before.code if before else None, "to": unit.code if unit else None, "posting": row.pk},
    )


def _write(actor: Any, verb: str, row: Any, **payload: Any) -> None:
    record(
        actor,
        verb,
        row.user,
        category=Category.COLLECTION,
        payload={"row": row.pk, "from_day": str(row.from_day), "until_day": str(row.until_day), **payload},
    )


def _tell(person: Any) -> None:
    from safelight.casework.allocation.telling import tell_of_handing_over

    tell_of_handing_over(person=person)
