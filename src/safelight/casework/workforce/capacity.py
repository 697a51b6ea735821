"""How much a person can carry: full caseload x contracted / full week x (contracted - reductions) / contracted.

The way of counting follows the Ministry of Justice workload measure (available points), re-expressed. Hours and
reductions are rows with dates, so that the answer for a day that has passed stays what it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from safelight.casework.base.prepared import prepared
from safelight.casework.base.standards import standards
from safelight.casework.workforce.models import Absence, Posting, Reduction, WorkingHours

ZERO = Decimal(0)


def setting(name: str, on: date | None = None, risk: str | None = None) -> Decimal:
    """The figure of a policy setting in force on a day (today)."""
    return Decimal(str(standards().policy[name].for_risk(risk, on)))


def available_points(people: Iterable[Any], on: date | None = None) -> dict[int, Decimal]:
    """By person: the caseload points they can carry on a day (today). Two queries."""
    day = on or timezone.localdate()
    keys = [person.pk for person in people]
    full, week = setting("caseload_capacity_points", day), setting("default_week_hours", day)
    contracted: dict[int, Decimal] = {}
    for row in _hours(None, people=keys, day=day):
        contracted[row.user_id] = row.hours
    taken: dict[int, Decimal] = defaultdict(Decimal)
    for reduction in _reductions(None, people=keys, day=day):
        taken[reduction.user_id] += reduction.hours
    made = {}
    for key in keys:
        hours = contracted.get(key, week)
        made[key] = max(ZERO, full * (hours / week) * ((hours - taken[key]) / hours))
    return made


@prepared
def _hours(nobody: None, *, people: Any, day: Any) -> Any:
    return WorkingHours.objects.filter(user__anyof=people, from_day__lte=day).order_by("from_day")


@prepared
def _reductions(nobody: None, *, people: Any, day: Any) -> Any:
    return Reduction.objects.on(day).filter(user__anyof=people)


@prepared
def _absences(nobody: None, *, people: Any, day: Any) -> Any:
    return Absence.objects.on(day).filter(user__anyof=people)


def absences_on(people: Iterable[Any], on: date | None = None) -> dict[int, Absence]:
    """By person: the absence that a day (today) falls into. One query."""
    rows = _absences(None, people=[person.pk for person in people], day=on or timezone.localdate())
    return {row.user_id: row for row in rows}


def postings_on(people: Iterable[Any], on: date | None = None) -> dict[int, Posting]:
    """By person: the posting to another unit that a day (today) falls into. One query."""
    rows = Posting.objects.on(on).filter(user__in=[person.pk for person in people]).select_related("unit", "home")
    return {row.user_id: row for row in rows}


def away_words(absence: Absence) -> str:
    """ "on leave until 3 Dec 2026"; no word about why beyond its kind."""
    kind = absence.get_kind_display().lower()
    if absence.until_day is None:
        return kind if absence.kind == Absence.Kind.LEFT else f"{kind}, nobody knows until when"
    day = absence.until_day
    return f"{kind} until {day.day} {day:%b %Y}"
