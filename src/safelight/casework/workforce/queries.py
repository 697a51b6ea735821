"""Who holds which accreditation, and when each is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.standards import standards
from safelight.casework.workforce.capacity import available_points, setting
from safelight.casework.workforce.models import Absence, Accreditation, Posting, Reduction, WorkingHours


@dataclass(frozen=True)
class Holding:
    """One accreditation of one person: its title, and how it stands ("in force", "ends soon", "ended", "not yet")."""

    accreditation: Accreditation
    title: str
    standing: str


@dataclass(frozen=True)
class Person:
    """A person with what they hold, latest first."""

    user: Any
    holdings: tuple[Holding, ...]


def standing(row: Accreditation) -> str:
    """How an accreditation stands today."""
    today = timezone.localdate()
    if row.valid_from > today:
        return "not yet"
    if row.valid_until is not None and row.valid_until < today:
        return "ended"
    if row.valid_until is not None and row.valid_until - today <= timedelta(
        days=int(setting("accreditation_warning_days"))
    ):
        return "ends soon"
    return "in force"


def people_page(user: Any, *, after: str = "", size: int = 50) -> tuple[list[Person], str]:
    """The active people of the supervisor's unit (an administrator sees every unit) by username, and the next key."""
    rows = User.objects.filter(is_active=True).exclude(role__in=["administrator", "platform"])
    if user.role == "supervisor":
        rows = rows.filter(unit=user.unit)
    if after:
        rows = rows.filter(username__gt=after)
    held = Prefetch("accreditations", queryset=Accreditation.objects.order_by("-valid_from", "skill"))
    found = list(rows.select_related("unit").prefetch_related(held).order_by("username")[: size + 1])
    skills = standards().skills
    people = [
        Person(
            person,
            tuple(
                Holding(row, skills[row.skill].title if row.skill in skills else row.skill, standing(row))
                for row in person.accreditations.all()
            ),
        )
        for person in found[:size]
    ]
    return people, found[size - 1].username if len(found) > size else ""


@dataclass(frozen=True)
class Colleague:
    """What the page of one person shows: latest first, the rows that were taken back left out."""

    holdings: tuple[Holding, ...]
    absences: list[Absence]
    postings: list[Posting]
    reductions: list[Reduction]
    hours: list[WorkingHours]
    available: Decimal
    full: Decimal


def colleague(person: Any) -> Colleague:
    """One person's accreditations, time and place. Seven queries."""
    skills = standards().skills
    held = person.accreditations.order_by("-valid_from", "skill")
    return Colleague(
        tuple(
            Holding(row, skills[row.skill].title if row.skill in skills else row.skill, standing(row)) for row in held
        ),
        list(person.absences.filter(cancelled_at=None)[:50]),
        list(person.postings.filter(cancelled_at=None).select_related("unit", "home")[:50]),
        list(person.reductions.filter(cancelled_at=None)[:50]),
        list(person.working_hours.all()[:50]),
        available_points([person])[person.pk],
        setting("caseload_capacity_points"),
    )
