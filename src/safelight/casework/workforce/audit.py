"""The skills audit: who holds what, what ends soon, and what is missing against what the open cases need, by unit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from safelight.casework.allocation.models import Allocation
from safelight.casework.allocation.weights import complexity_now, points_of, standings
from safelight.casework.base.standards import standards
from safelight.casework.cases.models import Case
from safelight.casework.workforce.capacity import ZERO, away_words, setting
from safelight.casework.workforce.models import Accreditation, Unit

MOST = 100


@dataclass(frozen=True)
class Cell:
    """One skill in one unit.

    Attributes:
        holders: investigators who hold it in force. ending: of them, within the days that policy warns ahead.
        cases, points: open cases of the unit that need it, and what they weigh.
        available: points that its holders of the unit can carry, for the hours they work, those away left out.
    """

    unit: Unit
    skill: str
    title: str
    holders: int
    ending: int
    cases: int
    points: Decimal
    available: Decimal

    @property
    def gap(self) -> Decimal:
        """Points of work beyond what its holders can carry; 0 where they can."""
        return max(ZERO, self.points - self.available)


@dataclass(frozen=True)
class Taker:
    """Somebody who may take cases that need a skill, and how they stand."""

    user: Any
    until: Any
    percent: Decimal
    away: str


@dataclass(frozen=True)
class Audit:
    """The whole audit as one person may see it."""

    cells: list[Cell]
    ending: list[Accreditation]
    unfit: list[Allocation]
    days: int


def title_of_skill(skill: str) -> str:
    known = standards().skills.get(skill)
    return known.title if known else skill


def _units(user: Any) -> Any:
    rows = Unit.objects.all()
    return rows.filter(pk=user.unit_id) if user.role == "supervisor" else rows


def audit(user: Any) -> Audit:
    """The audit of the supervisor's unit, or of every unit for those who read the whole force. Only cases that the user
    may see are counted. A fixed number of queries."""
    today = timezone.localdate()
    days = int(setting("accreditation_warning_days"))
    units = {unit.pk: unit for unit in _units(user)}
    held = Accreditation.objects.in_force().filter(user__is_active=True, user__unit__in=list(units))
    rows = list(held.select_related("user__unit").order_by("valid_until", "user__name", "pk"))
    officers = {row.user_id: row.user for row in rows if row.user.role == "investigator"}
    stands = standings(officers.values())
    # Who renewed already holds the same skill for longer.
    last: dict[tuple[int, str], Any] = {}
    for row in rows:
        key = (row.user_id, row.skill)
        last[key] = None if row.valid_until is None or (key in last and last[key] is None) else row.valid_until
    soon = today + timedelta(days=days)
    ending = [
        row
        for row in rows
        if row.valid_until is not None and row.valid_until <= soon and last[row.user_id, row.skill] == row.valid_until
    ]
    holders: dict[tuple[int, str], set[int]] = defaultdict(set)
    for row in rows:
        if row.user_id in officers:
            holders[row.user.unit_id, row.skill].add(row.user_id)
    cases: dict[tuple[int, str], int] = defaultdict(int)
    points: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    needed = (
        Case.objects.visible_to(user)
        .open()
        .filter(unit__in=list(units))
        .annotate(complexity=complexity_now("pk"))
        .values("unit", "required_skill", "risk", "live_contact", "complexity")
        .annotate(n=Count("pk"))
        .order_by()
    )
    for one in needed:
        key = (one["unit"], one["required_skill"])
        cases[key] += one["n"]
        weight = points_of(one["risk"], complexity=one["complexity"], live_contact=one["live_contact"])
        points[key] += weight * one["n"]
    late = {(row.user_id, row.skill) for row in ending}
    cells = []
    for unit, skill in sorted({*holders, *cases}, key=lambda key: (units[key[0]].name, title_of_skill(key[1]))):
        people = holders.get((unit, skill), set())
        there = [stands[key].available for key in people if stands[key].absence is None]
        cells.append(
            Cell(
                units[unit],
                skill,
                title_of_skill(skill),
                len(people),
                sum((key, skill) in late for key in people),
                cases.get((unit, skill), 0),
                points.get((unit, skill), ZERO),
                sum(there, ZERO),
            )
        )
    return Audit(cells, ending[:MOST], unfit(user, list(units)), days)


def unfit(user: Any, units: list[int]) -> list[Allocation]:
    """Live allocations whose investigator does not hold, in force today, the skill that the case needs. One query."""
    fit = Accreditation.objects.in_force().filter(user=OuterRef("investigator"), skill=OuterRef("case__required_skill"))
    rows = Allocation.objects.filter(
        ~Exists(fit), Case.objects.visible_to(user).open().filter(unit__in=units).holding("case"), ended_at=None
    )
    return list(rows.select_related("case__unit", "investigator").order_by("case_id")[:MOST])


def takers(user: Any, skill: str) -> list[Taker]:
    """Who may take cases that need this skill, least loaded first. A fixed number of queries."""
    held = Accreditation.objects.in_force().filter(
        skill=skill, user__is_active=True, user__role="investigator", user__unit__in=_units(user)
    )
    best: dict[int, Accreditation] = {}
    for row in held.select_related("user__unit"):
        before = best.get(row.user_id)
        if before is None or (
            before.valid_until is not None and (row.valid_until is None or row.valid_until > before.valid_until)
        ):
            best[row.user_id] = row
    stands = standings([row.user for row in best.values()])
    made = [
        Taker(
            row.user,
            row.valid_until,
            stands[key].percent,
            away_words(absence) if (absence := stands[key].absence) else "",
        )
        for key, row in best.items()
    ]
    return sorted(made, key=lambda one: (bool(one.away), one.percent, one.user.name))
