"""Suggestions: who is qualified, free of a conflict, there, in the right unit, and least loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from safelight.casework.accounts.models import User
from safelight.casework.allocation.conflicts import conflicted_with
from safelight.casework.allocation.weights import Standing, caseloads, points_of, points_of_case, standings
from safelight.casework.base.standards import standards
from safelight.casework.workforce.capacity import away_words
from safelight.casework.workforce.models import Accreditation, Unit

__all__ = ["Suggestion", "caseloads", "may_take", "points_of", "qualified", "suggest"]

ONE_PLACE = Decimal("0.1")


@dataclass(frozen=True)
class Suggestion:
    """A qualified investigator for a case, with the reason in one sentence. ``points`` is the caseload now, ``percent``
    of what the person can carry; ``over``: with this case they would stand above the limit of policy."""

    investigator: Any
    points: Decimal
    percent: Decimal
    over: bool
    reason: str


def skill_title(skill: str) -> str:
    known = standards().skills.get(skill)
    return known.title if known else skill


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
    """Who could take the case: qualified for its skill, at work, without a declared conflict; its own unit before the
    central one; those who stay within the limit of policy first; least loaded, for the hours they work, first.

    The investigator who has it now is left out. A fixed number of queries.
    """
    units = list(Unit.objects.filter(Q(pk=case.unit_id) | Q(kind="central")))
    held = qualified(case.required_skill, units)
    now = case.investigator
    if now is not None:
        held.pop(now.pk, None)
    for key in conflicted_with(case):
        held.pop(key, None)
    found = standings([row.user for row in held.values()])
    held = {key: row for key, row in held.items() if found[key].absence is None}
    title, more = skill_title(case.required_skill), points_of_case(case)

    def over(row: Accreditation) -> bool:
        standing = found[row.user_id]
        return not standing.available or standing.with_more(more) > standing.excess

    def order(row: Accreditation) -> tuple[bool, bool, Decimal, str, int]:
        standing = found[row.user_id]
        return (row.user.unit_id != case.unit_id, over(row), standing.percent, row.user.name, row.user_id)

    ranked = sorted(held.values(), key=order)
    local = sum(1 for row in ranked if row.user.unit_id == case.unit_id)
    made = []
    for place, row in enumerate(ranked[:limit]):
        here = row.user.unit_id == case.unit_id
        among, rank = (local, place) if here else (len(ranked) - local, place - local)
        made.append(_suggestion(row, title, found[row.user_id], more, over(row), _place(rank, among)))
    return made


def _suggestion(
    row: Accreditation, title: str, standing: Standing, more: Decimal, over: bool, place: str
) -> Suggestion:
    points = standing.points.quantize(ONE_PLACE)
    until = f"to {row.valid_until.year}" if row.valid_until else "without an end date"
    text = (
        f"{row.user} holds {title} {until}, is in {row.user.unit}, "
        f"and carries {points} points, {standing.percent:.0f}% of what they can, {place}."
    )
    if not standing.available:
        text += " No hours are left for cases."
    elif over:
        text += f" With this case {standing.with_more(more):.0f}%, above the limit of {standing.excess:.0f}%."
    if standing.ahead is not None:
        day = standing.ahead.from_day
        text += f" From {day.day} {day:%b %Y} {away_words(standing.ahead)}."
    return Suggestion(row.user, points, standing.percent, over, text)


def _place(rank: int, among: int) -> str:
    if among == 1:
        return "the only one qualified there"
    if rank == 0:
        return f"the least of {among} qualified there"
    return f"number {rank + 1} of {among} qualified there, least first"


def may_take(case: Any) -> list[User]:
    """Every active investigator of the force who holds the skill, is at work and has declared no conflict, those of the
    case's unit first."""
    closed = conflicted_with(case)
    people = [row.user for key, row in qualified(case.required_skill).items() if key not in closed]
    found = standings(people)
    there = [user for user in people if found[user.pk].absence is None]
    return sorted(there, key=lambda user: (user.unit_id != case.unit_id, str(user.unit or ""), user.name))
