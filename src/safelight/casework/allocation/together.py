"""Every unallocated case of a unit at once: who should take which, by the planning engine, each with its reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case as Ordered
from django.db.models import IntegerField, Q, Value, When

from safelight.casework.accounts.models import User
from safelight.casework.allocation.conflicts import conflicts_of
from safelight.casework.allocation.queries import skill_title
from safelight.casework.allocation.weights import Standing, points_of_cases, standings
from safelight.casework.base.standards import standards
from safelight.casework.cases.models import Case
from safelight.casework.workforce.capacity import setting
from safelight.casework.workforce.models import Accreditation

MOST = 200
FAR = 1.0  # the central unit, against 0 for the case's own


@dataclass(frozen=True)
class Proposal:
    """A case, who should take it (None: nobody can), and why."""

    case: Any
    investigator: Any
    reason: str


def propose(user: Any) -> tuple[list[Proposal], bool]:
    """For the unallocated cases of the supervisor's unit, most urgent first; and whether there are more than shown.

    Own unit before the central one, caseloads kept within policy and even. Nothing is written: a supervisor accepts.
    A fixed number of queries.
    """
    waiting = Case.objects.visible_to(user).unallocated().filter(unit=user.unit).select_related("unit")
    # A risk that nobody has assessed counts as the heaviest, as for caseload points.
    ranks = [When(risk=level, then=Value(place)) for place, level in enumerate(standards().risks)]
    rank = Ordered(*ranks, default=Value(-1), output_field=IntegerField())
    found = list(waiting.annotate(rank=rank).order_by("rank", "opened_at", "pk")[: MOST + 1])
    return propose_for(user.unit, found[:MOST]), len(found) > MOST


def propose_for(unit: Any, cases: Sequence[Any], *, without: Collection[int] = ()) -> list[Proposal]:
    """Who should take these cases of the unit, worked out for all of them together, most urgent first.

    Only people who are at work and stay there for days, with what each can carry in the hours they have; a person with
    a declared conflict is not proposed for that case.

    Args:
        cases: with their unit. without: keys of people who take none (who has the cases now).
    """
    if not cases:
        return []
    from safelight.planning.allocation import Task, Worker, allocate_all

    people = list(
        User.objects.filter(Q(unit=unit) | Q(unit__kind="central"), role="investigator", is_active=True)
        .exclude(pk__in=list(without))
        .select_related("unit")
        .order_by("name", "pk")
    )
    stands = standings(people)
    people = [person for person in people if stands[person.pk].absence is None and not _goes(stands[person.pk])]
    held: dict[int, set[str]] = {person.pk: set() for person in people}
    for row in Accreditation.objects.in_force().filter(user__in=held):
        held[row.user_id].add(skill_title(row.skill))
    points, skills = points_of_cases(cases), _skills(cases, held)
    tasks = [
        Task(str(case.pk), case.reference, float(points[case.pk]), skills[case.pk], case.unit.name, _weight(case.risk))
        for case in cases
    ]
    workers = [
        Worker(
            str(person.pk),
            person.name,
            person.unit.name,
            frozenset(held[person.pk]),
            float(stands[person.pk].points),
            float(stands[person.pk].available),
            {unit.name: FAR} if person.unit_id != unit.pk else {},
        )
        for person in people
    ]
    plan = allocate_all(tasks, workers)
    by_key = {str(person.pk): person for person in people}
    said = {one.task.key: (by_key[one.worker.key], one.reason) for one in plan.given}
    said |= {one.task.key: (None, one.reason) for one in plan.left}
    return [Proposal(case, *said[str(case.pk)]) for case in cases]


def _goes(standing: Standing) -> bool:
    """Away within days, for as long as cases of high risk would show for handing over: no use to give them more."""
    coming = standing.ahead
    return coming is not None and (
        coming.days is None or coming.days >= int(setting("absence_handover_days", risk="high"))
    )


def _skills(cases: Sequence[Any], held: dict[int, set[str]]) -> dict[int, str]:
    """What each case asks for. Where somebody declared a conflict it is the skill 'free of the conflict', which all
    the others get: the engine knows skills and no names."""
    closed: dict[int, set[int]] = {}
    for case, person in conflicts_of(cases):
        closed.setdefault(case, set()).add(person)
    asked = {}
    for case in cases:
        asked[case.pk] = title = skill_title(case.required_skill)
        if case.pk in closed:
            asked[case.pk] = f"{title} (and no conflict of interest with {case.reference})"
            for person, skills in held.items():
                if title in skills and person not in closed[case.pk]:
                    skills.add(asked[case.pk])
    return asked


def _weight(risk: str) -> float:
    """What a day of waiting weighs: the planning parameter ``cost.case``, published with every plan."""
    from safelight.planning.parameters import RISKS, load_parameters

    weights = {level: load_parameters().risk("cost.case", level) for level in RISKS}
    return weights.get(risk, max(weights.values()))
