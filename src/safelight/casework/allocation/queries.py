"""Caseload and suggestions: who is qualified, in the right unit, and least loaded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q

from safelight.casework.accounts.models import User
from safelight.casework.allocation.models import Allocation
from safelight.casework.base.standards import standards
from safelight.casework.workforce.models import Accreditation, Unit

ONE_PLACE = Decimal("0.1")


@dataclass(frozen=True)
class Suggestion:
    """A qualified investigator for a case, with the reason in one sentence. ``points`` is the caseload now."""

    investigator: Any
    points: Decimal
    reason: str


def points_of(risk: str) -> Decimal:
    """The caseload points of one open case. A case whose risk nobody has assessed counts as the heaviest."""
    setting = standards().policy["caseload_points"]
    if risk:
        return Decimal(str(setting.for_risk(risk)))
    return max(Decimal(str(setting.for_risk(level))) for level in standards().risks)


def caseloads(investigators: Iterable[Any]) -> dict[int, Decimal]:
    """The points that each of these people carries: the sum over their live allocations by today's risk. One query."""
    totals: dict[int, Decimal] = defaultdict(Decimal)
    rows = (
        Allocation.objects.filter(ended_at=None, investigator__in=[person.pk for person in investigators])
        .values("investigator", "case__risk")
        .annotate(n=Count("pk"))
        .order_by()
    )
    for row in rows:
        totals[row["investigator"]] += points_of(row["case__risk"]) * row["n"]
    return dict(totals)


def qualified(skill: str, units: Iterable[Any] | None = None) -> dict[int, Accreditation]:
    """By person: the accreditation in force for ``skill`` that lasts longest, of active investigators."""
    rows = Accreditation.objects.in_force().filter(skill=skill, user__is_active=True, user__role="investigator")
    if units is not None:
        rows = rows.filter(user__unit__in=list(units))
    best: dict[int, Accreditation] = {}
    for row in rows.select_related("user__unit"):
        held = best.get(row.user_id)
        if held is None or _ends(row) > _ends(held):
            best[row.user_id] = row
    return best


def _ends(row: Accreditation) -> str:
    return "9999" if row.valid_until is None else row.valid_until.isoformat()


def suggest(case: Any, limit: int = 5) -> list[Suggestion]:
    """Who could take the case: qualified for its skill; its own unit before the central one; least loaded first.

    The investigator who has it now is left out. Three queries.
    """
    units = list(Unit.objects.filter(Q(pk=case.unit_id) | Q(kind="central")))
    held = qualified(case.required_skill, units)
    now = case.investigator
    if now is not None:
        held.pop(now.pk, None)
    loads = caseloads([row.user for row in held.values()])
    skill = standards().skills.get(case.required_skill)
    title = skill.title if skill else case.required_skill

    def order(row: Accreditation) -> tuple[bool, Decimal, str, int]:
        return (row.user.unit_id != case.unit_id, loads.get(row.user_id, Decimal(0)), row.user.name, row.user_id)

    ranked = sorted(held.values(), key=order)
    local = sum(1 for row in ranked if row.user.unit_id == case.unit_id)
    made = []
    for place, row in enumerate(ranked[:limit]):
        here = row.user.unit_id == case.unit_id
        among, rank = (local, place) if here else (len(ranked) - local, place - local)
        points = loads.get(row.user_id, Decimal(0)).quantize(ONE_PLACE)
        until = f"to {row.valid_until.year}" if row.valid_until else "without an end date"
        made.append(
            Suggestion(
                row.user,
                points,
                f"{row.user} holds {title} {until}, is in {row.user.unit}, "
                f"and carries {points} points, {_place(rank, among)}.",
            )
        )
    return made


def _place(rank: int, among: int) -> str:
    if among == 1:
        return "the only one qualified there"
    if rank == 0:
        return f"the least of {among} qualified there"
    return f"number {rank + 1} of {among} qualified there, least first"


def may_take(case: Any) -> list[User]:
    """Every active investigator of the force who holds the skill, those of the case's unit first."""
    people = [row.user for row in qualified(case.required_skill).values()]
    return sorted(people, key=lambda user: (user.unit_id != case.unit_id, str(user.unit or ""), user.name))
