"""Every unallocated case of a unit at once: who should take which, by the planning engine, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Case as Ordered
from django.db.models import IntegerField, Q, Value, When

from safelight.casework.accounts.models import User
from safelight.casework.allocation.queries import caseloads, points_of
from safelight.casework.base.standards import standards
from safelight.casework.cases.models import Case
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
    Five queries.
    """
    waiting = Case.objects.visible_to(user).unallocated().filter(unit=user.unit).select_related("unit")
    # A risk that nobody has assessed counts as the heaviest, as for caseload points.
    ranks = [When(risk=level, then=Value(place)) for place, level in enumerate(standards().risks)]
    rank = Ordered(*ranks, default=Value(-1), output_field=IntegerField())
    found = list(waiting.annotate(rank=rank).order_by("rank", "opened_at", "pk")[: MOST + 1])
    cases = found[:MOST]
    if not cases:
        return [], False
    from safelight.planning.allocation import Task, Worker, allocate_all

    people = list(
        User.objects.filter(Q(unit=user.unit) | Q(unit__kind="central"), role="investigator", is_active=True)
        .select_related("unit")
        .order_by("name", "pk")
    )
    held: dict[int, set[str]] = {person.pk: set() for person in people}
    for row in Accreditation.objects.in_force().filter(user__in=held):
        held[row.user_id].add(_title(row.skill))
    loads = caseloads(people)
    full = float(standards().policy["caseload_capacity_points"].value)
    tasks = [
        Task(
            str(case.pk), case.reference, float(points_of(case.risk)), _title(case.required_skill), case.unit.name,
            _weight(case.risk),
        )
        for case in cases
    ]  # fmt: skip
    workers = [
        Worker(
            str(person.pk),
            person.name,
            person.unit.name,
            frozenset(held[person.pk]),
            float(loads.get(person.pk, 0)),
            full,
            {user.unit.name: FAR} if person.unit_id != user.unit_id else {},
        )
        for person in people
    ]
    plan = allocate_all(tasks, workers)
    by_key = {str(person.pk): person for person in people}
    said = {one.task.key: (by_key[one.worker.key], one.reason) for one in plan.given}
    said |= {one.task.key: (None, one.reason) for one in plan.left}
    return [Proposal(case, *said[str(case.pk)]) for case in cases], len(found) > MOST


def _title(skill: str) -> str:
    known = standards().skills.get(skill)
    return known.title if known else skill


def _weight(risk: str) -> float:
    """What a day of waiting weighs: the planning parameter ``cost.case``, published with every plan."""
    from safelight.planning.parameters import RISKS, load_parameters

    weights = {level: load_parameters().risk("cost.case", level) for level in RISKS}
    return weights.get(risk, max(weights.values()))
