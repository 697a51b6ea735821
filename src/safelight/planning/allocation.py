"""Which investigator takes which case: all waiting cases at once, or one as it arrives, each with its reason.

Start here::

    from safelight.planning.allocation import Task, Worker, allocate_all, allocate_one

    plan = allocate_all(tasks, workers)
    plan.given[0].reason        # one sentence for the person who decides
    plan.left[0].reason         # why a case cannot be placed

The engine proposes; a supervisor decides. Nothing here knows a name: `Worker.name` and `Task.name` are what a reader is
shown. Weights are a policy choice (`Weights`), published with the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from safelight.planning.arrays import F8
from safelight.planning.assign import assign_points
from safelight.planning.errors import PlanningError

PIECES = 10  # of a full caseload; each is dearer than the one before


@dataclass(frozen=True)
class Task:
    """A case that waits for somebody.

    Args:
        key: whatever the caller knows it by.
        points: what it adds to a caseload, above 0.
        weight: how much more it matters than a case of weight 1 that it is placed, and placed well.
        skill: the skill that it needs.
        unit: whose case it is.
    """

    key: str
    name: str
    points: float
    skill: str
    unit: str
    weight: float = 1.0


@dataclass(frozen=True)
class Worker:
    """Somebody who takes cases.

    Args:
        skills: what they may take.
        points: what they carry now.
        capacity: a full caseload; nobody is given more.
        unit: where they work; ``reach`` says how far each unit is from theirs (their own is 0).
        reach: units from which they take cases, with a distance of 0 or more.
    """

    key: str
    name: str
    unit: str
    skills: frozenset[str]
    points: float
    capacity: float
    reach: Mapping[str, float] = field(default_factory=dict)

    @property
    def room(self) -> float:
        return max(0.0, self.capacity - self.points)


@dataclass(frozen=True)
class Weights:
    """What counts how much: policy, not fact.

    Args:
        distance: of one unit of distance.
        load: of filling a caseload from empty to full, rising on the way.
    """

    distance: float = 10.0
    load: float = 40.0


@dataclass(frozen=True)
class Given:
    """A case and who should take it, with the reason in one sentence."""

    task: Task
    worker: Worker
    reason: str


@dataclass(frozen=True)
class Left:
    """A case that nobody can take, and why."""

    task: Task
    reason: str


@dataclass(frozen=True)
class Allocated:
    """All cases at once.

    Args:
        given: most urgent first. left: the same.
        gap: by how much, at most, another allocation that places as many could be cheaper (0.01 is one per cent).
    """

    given: tuple[Given, ...]
    left: tuple[Left, ...]
    gap: float


def allocate_all(tasks: Sequence[Task], workers: Sequence[Worker], weights: Weights | None = None) -> Allocated:
    """The cheapest way to place all these cases within everybody's caseload.

    Raises:
        PlanningError: points, capacities or weights that cannot be used.
    """
    how = weights or Weights()
    _check(tasks, workers)
    if not tasks:
        return Allocated((), (), 0.0)
    cost = _costs(tasks, workers, how)
    points = np.array([task.points for task in tasks])
    width, slope = _pieces(workers, how)
    found = assign_points(cost, points, width, slope, weight=np.array([task.weight for task in tasks]))
    after = [worker.points for worker in workers]
    given, left = [], []
    order = sorted(range(len(tasks)), key=lambda i: (-tasks[i].weight, i))
    for i in order:
        if found.given[i] >= 0:
            after[found.given[i]] += tasks[i].points
    for i in order:
        p = int(found.given[i])
        if p < 0:
            left.append(Left(tasks[i], _why_not(tasks[i], workers, after)))
        else:
            given.append(Given(tasks[i], workers[p], _why(tasks[i], workers, p, cost[i], after[p])))
    return Allocated(tuple(given), tuple(left), found.gap)


def allocate_one(task: Task, workers: Sequence[Worker], weights: Weights | None = None) -> Given | Left:
    """Who should take one case as it arrives, everybody else's cases staying where they are.

    Raises:
        PlanningError: points, capacities or weights that cannot be used.
    """
    how = weights or Weights()
    _check([task], workers)
    if workers:
        cost = _costs([task], workers, how)[0]
        width, slope = _pieces(workers, how)
        before = np.cumsum(width, axis=1) - width
        price = cost + (np.clip(task.points - before, 0.0, width) * slope).sum(axis=1)
        price[np.array([worker.room for worker in workers]) < task.points - 1e-9] = np.inf
        p = int(price.argmin())
        if np.isfinite(price[p]):
            return Given(task, workers[p], _why(task, workers, p, cost, workers[p].points + task.points))
    return Left(task, _why_not(task, workers, [worker.points for worker in workers]))


def _check(tasks: Sequence[Task], workers: Sequence[Worker]) -> None:
    for task in tasks:
        if not task.points > 0 or not task.weight > 0:
            raise PlanningError(task.name, "its points or its weight are not above 0.", fix="Give numbers above 0.")
    for worker in workers:
        if not worker.capacity >= 0 or not worker.points >= 0:
            raise PlanningError(worker.name, "a caseload below 0.", fix="Give a capacity and points of at least 0.")


def _able(task: Task, worker: Worker) -> bool:
    return task.skill in worker.skills and (task.unit == worker.unit or task.unit in worker.reach)


def _costs(tasks: Sequence[Task], workers: Sequence[Worker], how: Weights) -> F8:
    """(C, P): distance by the weight of the case; infinite for who may not take it."""
    groups: dict[tuple[str, str], F8] = {}
    rows = []
    for task in tasks:
        if (task.skill, task.unit) not in groups:
            groups[task.skill, task.unit] = np.array(
                [
                    how.distance * (0.0 if task.unit == worker.unit else worker.reach[task.unit])
                    if _able(task, worker)
                    else np.inf
                    for worker in workers
                ]
            )
        rows.append(groups[task.skill, task.unit] * task.weight)
    return np.array(rows).reshape(len(tasks), len(workers))


def _pieces(workers: Sequence[Worker], how: Weights) -> tuple[F8, F8]:
    """Room in tenths of a caseload, each point dearer than those of the tenth before."""
    low = np.arange(PIECES) / PIECES
    high = low + 1 / PIECES
    full = np.array([worker.capacity for worker in workers])[:, None]
    now = np.array([worker.points for worker in workers])[:, None]
    width = np.clip(full * high - np.maximum(now, full * low), 0.0, None)
    slope = how.load * 2 * ((low + high) / 2)[None, :] / np.maximum(full, 1e-9)
    return np.floor(width * 100 + 1e-6) / 100, slope


def _why(task: Task, workers: Sequence[Worker], p: int, cost: F8, after: float) -> str:
    who = workers[p]
    able = int(np.isfinite(cost).sum())
    others = [worker for at, worker in enumerate(workers) if at != p and np.isfinite(cost[at])]
    text = f"{who.name} holds {task.skill}, is in {who.unit} and carries {who.points:.1f} of {who.capacity:g} points"
    if not others:
        return f"{text}: nobody else can take it."
    nearer = [worker for at, worker in enumerate(workers) if cost[at] < cost[p] - 1e-9]
    if nearer:
        return f"{text}, {after:.1f} with this list; the {len(nearer)} in {task.unit} would be fuller."
    lighter = sum(1 for worker in others if worker.points < who.points - 1e-9 and worker.unit == who.unit)
    place = "the least" if lighter == 0 else f"{lighter} carry less but take others of this list"
    return f"{text}, {place} of {able} who can take it: {after:.1f} with this list."


def _why_not(task: Task, workers: Sequence[Worker], after: Sequence[float]) -> str:
    skilled = [worker for worker in workers if task.skill in worker.skills]
    if not skilled:
        return f"Nobody holds {task.skill}."
    near = [at for at, worker in enumerate(workers) if _able(task, worker)]
    if not near:
        return f"{len(skilled)} hold {task.skill}, but none of them takes cases of {task.unit}."
    most = max(max(0.0, workers[at].capacity - after[at]) for at in near)
    people = "the only one who holds" if len(near) == 1 else f"the {len(near)} who hold"
    full = sum(workers[at].capacity for at in near)
    return (
        f"It needs {task.points:g} points, and of {people} {task.skill} and take cases of {task.unit} nobody has more "
        f"than {most:.1f} left of {full:g} together, once the more urgent cases are placed."
    )
