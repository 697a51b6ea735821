"""What the services of an offender share: the row locked, days checked, the manager and supervisors to tell."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import CLOCK_SKEW, required_text
from safelight.casework.offenders.models import Event, Offender
from safelight.casework.people.values import EARLIEST, plain


def locked(actor: Any, offender: Offender, rule: str = "offenders.manage", *, what: str) -> Offender:
    """The offender, locked for this transaction.

    Raises:
        NotAllowed: the actor may not.
        NotPossible: the offender is off the register.
    """
    need(actor, rule, offender, what=what, fix="Ask a supervisor of the offender's unit.")
    rows = Offender.objects.select_for_update(of=("self",)).select_related("person", "unit", "manager")
    row: Offender = rows.get(pk=offender.pk)
    if row.ended_on is not None:
        raise NotPossible(f"{row.reference} is off the register since {row.ended_on:%d %b %Y}.")
    return row


def past_day(value: date | None, *, field: str, what: str) -> date:
    """``value``, or today when it is None. Raises Invalid before 1900 or after today."""
    today = timezone.localdate()
    if value is None:
        return today
    if not EARLIEST <= value <= today:
        raise Invalid(
            f"{what} ({value:%d %b %Y}) {'lies in the future' if value > today else 'lies before 1900'}.",
            fix="Check the date.",
            field=field,
        )
    return value


def past_moment(value: datetime | None, *, field: str, what: str) -> datetime:
    """``value``, or now when it is None. Raises Invalid before 1900, in the future or without a time zone."""
    now = timezone.now()
    if value is None:
        return now
    if timezone.is_naive(value):
        raise Invalid(f"{what} has no time zone.", fix="Give an aware time.", field=field)
    if value > now + CLOCK_SKEW:
        raise Invalid(f"{what} lies in the future.", fix="Give the time when it happened.", field=field)
    past_day(timezone.localdate(min(value, now)), field=field, what=what)
    return min(value, now)


def text_of(value: str | None, *, field: str, what: str, longest: int = 4_000) -> str:
    """Words that must be there. Raises Invalid when there are none, or too many."""
    return plain(required_text(value, field=field, what=what), longest=longest, field=field, what=what)


def write_event(actor: Any, offender: Offender, kind: str, text: str, at: datetime | None = None) -> Event:
    """A line in the life of the record."""
    now = timezone.now()
    return Event.objects.create(
        offender=offender, kind=kind, at=at or now, text=text, recorded_at=now, recorded_by=actor
    )


def supervisors_of(offender: Offender) -> list[User]:
    """The active supervisors of the offender's unit."""
    return list(User.objects.filter(role="supervisor", is_active=True, unit=offender.unit_id).order_by("pk"))


def answerable(offender: Offender) -> list[User]:
    """Who is told of what concerns the offender: the manager, and the supervisors of the unit, if they may see it."""
    people = [*([offender.manager] if offender.manager else []), *supervisors_of(offender)]
    return [user for user in people if Offender.objects.visible_to(user).filter(pk=offender.pk).exists()]
