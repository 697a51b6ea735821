"""Who takes which case, on arrays: a proven optimum where caps are counts, a bound and a gap where they are points.

Counts: minimum-cost flow (OR-Tools, cost scaling), an integer optimum. Points: the linear relaxation, in which a case
may be split, is a transport of points and so a flow as well, solved exactly over every pair; then it is rounded and
repaired by moves and swaps. The relaxation is the bound that says how far from the optimum the answer can be at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from safelight.planning.arrays import F8, I8
from safelight.planning.errors import PlanningError, SelfCheckError

SCALE = 1000  # costs are kept to a thousandth in the flow, which counts in whole numbers
HUNDREDTHS = 100  # points are counted in hundredths in the relaxation
FINE = 10_000
NEAR = 60
PASSES = 60


@dataclass(frozen=True)
class Assignment:
    """Who takes what.

    Args:
        given: (C,) the person's row for each case, or -1 where nobody can take it.
        cost: of all that is placed, with what carrying it costs.
        bound: no allocation that places as much costs less than this.
        proven: the cost is the optimum itself.
    """

    given: I8
    cost: float
    bound: float
    proven: bool

    @property
    def gap(self) -> float:
        """(cost - bound) / bound; 0 when proven."""
        return 0.0 if self.proven else (self.cost - self.bound) / max(abs(self.bound), 1e-9)


def assign_counts(cost: F8, slots: I8, *, weight: F8 | None = None, ramp: F8 | None = None) -> Assignment:
    """The cheapest allocation that places as many cases as possible, the heaviest first; proven.

    Args:
        cost: (C, P), at least 0; infinite where a person may not take a case.
        slots: (P,) how many cases each person takes at most.
        weight: (C,) above 0: which cases to place first where not all can be; 1 each when left out.
        ramp: (P, S) what the first, second, ... case of a person costs beside it, never falling; nothing when left out.

    Raises:
        PlanningError: shapes or values that cannot be used.
        SelfCheckError: the solver gave up (a fault of ours).
    """
    cases, people = _checked(cost)
    if len(slots) != people or (slots < 0).any():
        raise PlanningError("slots", "one number of at least 0 for each person is needed.", fix="Check the caps.")
    heavy = np.ones(cases) if weight is None else weight
    if len(heavy) != cases or not (heavy > 0).all():
        raise PlanningError("weight", "one number above 0 for each case is needed.", fix="Check the weights.")
    i, j = np.nonzero(np.isfinite(cost))
    whole = np.rint(cost[i, j] * SCALE).astype(np.int64)
    steps = np.zeros((people, 1)) if ramp is None else ramp
    whole_steps = np.rint(steps * SCALE).astype(np.int64)
    if (np.diff(whole_steps, axis=1) < 0).any():
        raise PlanningError("ramp", "it falls.", fix="Let each further case cost at least as much as the one before.")
    # Leaving a case out costs more than any chain of moves could save, so that nobody is left out for a saving.
    highest = int(whole.max(initial=0)) + int(whole_steps.max(initial=0))
    out = (highest + 1) * (2 * people + 2) * np.ceil(heavy / heavy.min()).astype(np.int64)
    width = whole_steps.shape[1]
    capacity = np.minimum(1, np.maximum(0, slots[:, None] - np.arange(width)[None, :]))
    capacity[:, -1] = np.maximum(0, slots - (width - 1))
    one = np.ones(cases, np.int64)
    flow, arcs = _transport(
        cases, people, one, i, j, one[i], whole, one, out, capacity.ravel(), whole_steps.ravel(), width
    )
    taken = flow.flows(arcs) > 0
    given = np.full(cases, -1, np.int64)
    given[i[taken]] = j[taken]
    held = np.bincount(given[given >= 0], minlength=people)
    total = float(whole[taken].sum())
    for p in np.nonzero(held)[0]:
        total += float(whole_steps[p, np.minimum(np.arange(held[p]), width - 1)].sum())
    return Assignment(given, total / SCALE, total / SCALE, True)


def assign_points(
    cost: F8, points: F8, width: F8, slope: F8 | None = None, *, weight: F8 | None = None, near: int = NEAR
) -> Assignment:
    """A cheap allocation under caps in points, with the bound that says how far from the optimum it can be.

    Args:
        cost: (C, P), at least 0; infinite where a person may not take a case.
        points: (C,) above 0, in hundredths at the finest.
        width: (P, S) room in points, in pieces; the pieces of one person add up to the room left.
        slope: (P, S) cost of a point in each piece, never falling along a row; nothing when left out.
        weight: (C,) above 0: what leaving a case out costs, against the others.
        near: how many of the cheapest people for each case the repair tries.

    Raises:
        PlanningError: shapes or values that cannot be used.
        SelfCheckError: the solver gave up (a fault of ours).
    """
    cases, people = _checked(cost)
    if len(points) != cases or not (np.isfinite(points) & (points > 0)).all():
        raise PlanningError(
            "points", "one number above 0 for each case is needed.", fix="Check the points of the risks."
        )
    if width.shape[0] != people or not (np.isfinite(width) & (width >= 0)).all():
        raise PlanningError("width", "room of at least 0 points for each person is needed.", fix="Check the caps.")
    steep = np.zeros_like(width) if slope is None else slope
    if steep.shape != width.shape or (np.diff(steep, axis=1) < 0).any() or (steep < 0).any():
        raise PlanningError("slope", "it falls or is below 0.", fix="Let each further piece cost at least as much.")
    heavy = np.ones(cases) if weight is None else weight
    if cases == 0 or people == 0:
        return Assignment(np.full(cases, -1, np.int64), 0.0, 0.0, True)
    small = np.rint(points * HUNDREDTHS).astype(np.int64)
    rooms = np.floor(width * HUNDREDTHS + 1e-6).astype(np.int64)
    if (np.abs(small - points * HUNDREDTHS) > 1e-6).any():
        raise PlanningError("points", "they have more than two decimals.", fix="Round them to hundredths.")
    highest = float(np.where(np.isfinite(cost), cost, 0.0).max(initial=0.0)) + float(
        points.max() * steep.max(initial=0.0)
    )
    nobody = (highest + 1.0) * 10.0 * heavy / heavy.min() * np.maximum(points / points.min(), 1.0)
    order = np.argsort(cost, axis=1, kind="stable")[:, : min(near, people)]
    order = np.where(np.isfinite(np.take_along_axis(cost, order, 1)), order, -1).astype(np.int64)
    i, j, part, least = _relaxed(cost, small, rooms, steep / HUNDREDTHS, nobody)
    room = rooms.sum(axis=1) / HUNDREDTHS
    given, load = _rounded(cost, points, room, i, j, part / HUNDREDTHS)
    load = _repaired(cost, points, rooms / HUNDREDTHS, steep, order, given, load, nobody)
    if (load > room + 1e-6).any():
        raise SelfCheckError("an allocation went over a cap")
    whole = _total(cost, rooms / HUNDREDTHS, steep, given, load, nobody)
    left = float(nobody[given < 0].sum())
    return Assignment(given, whole - left, min(least, whole) - left, whole - least <= 1e-6 * abs(whole))


def _checked(cost: F8) -> tuple[int, int]:
    if cost.ndim != 2:
        raise PlanningError("cost", "a table of cases by people is needed.", fix="Give one row for each case.")
    if np.isnan(cost).any() or (cost < 0).any():
        raise PlanningError(
            "cost", "a cost is below 0 or no number.", fix="Give costs of at least 0, infinite for never."
        )
    return cost.shape[0], cost.shape[1]


def _relaxed(cost: F8, points: I8, width: I8, slope: F8, nobody: F8) -> tuple[I8, I8, I8, float]:
    """The linear relaxation, exactly: cases may be split, and then points flow as in any transport problem.

    Returns:
        for each pair that carries something: its case, its person, its points; and the cost.
    """
    cases, people = cost.shape
    i, j = np.nonzero(np.isfinite(cost))
    rates = np.floor(cost[i, j] / points[i] * FINE).astype(np.int64)  # floor: a bound must not be too high
    out = np.floor(nobody / points * FINE).astype(np.int64)
    pieces = width.shape[1]
    flow, arcs = _transport(
        cases,
        people,
        points,
        i,
        j,
        points[i],
        rates,
        points,
        out,
        width.ravel(),
        np.floor(slope * FINE).astype(np.int64).ravel(),
        pieces,
    )
    carried = flow.flows(arcs)
    some = carried > 0
    return i[some], j[some], carried[some], flow.optimal_cost() / FINE


def _transport(
    cases: int,
    people: int,
    supply: I8,
    i: I8,
    j: I8,
    most: I8,
    rates: I8,
    out_most: I8,
    out: I8,
    width: I8,
    slope: I8,
    pieces: int,
) -> tuple[Any, I8]:
    """Cases send their supply to people, or nowhere at the cost ``out``; people pass it on in pieces of rising cost."""
    from ortools.graph.python import min_cost_flow

    source, sink = cases + people, cases + people + 1
    each, zero = np.arange(cases), np.zeros(cases, np.int64)
    flow = min_cost_flow.SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(np.full(cases, source), each, supply, zero)
    arcs = flow.add_arcs_with_capacity_and_unit_cost(i, j + cases, most, rates)
    flow.add_arcs_with_capacity_and_unit_cost(each, np.full(cases, sink), out_most, out)
    flow.add_arcs_with_capacity_and_unit_cost(
        np.repeat(np.arange(people) + cases, pieces), np.full(people * pieces, sink), width, slope
    )
    whole = int(supply.sum())
    flow.set_nodes_supplies(np.array([source, sink]), np.array([whole, -whole]))
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise SelfCheckError(f"the flow has no optimum ({status}) although leaving every case out is allowed")
    return flow, arcs


def _rounded(cost: F8, points: F8, room: F8, i: I8, j: I8, part: F8) -> tuple[I8, F8]:
    """Whole cases as the relaxation has them; the split ones, heaviest first, to whom they are cheapest and fit."""
    cases, people = cost.shape
    given = np.full(cases, -1, np.int64)
    sure = part >= points[i] - 1e-9
    given[i[sure]] = j[sure]
    load = np.bincount(j[sure], weights=points[i[sure]], minlength=people).astype(np.float64)
    for one in np.argsort(-points, kind="stable"):
        if given[one] >= 0:
            continue
        fits = np.isfinite(cost[one]) & (load + points[one] <= room + 1e-9)
        if fits.any():
            p = int(np.where(fits, cost[one], np.inf).argmin())
            given[one] = p
            load[p] += points[one]
    return given, load


def _repaired(cost: F8, points: F8, width: F8, slope: F8, near: I8, given: I8, load: F8, nobody: F8) -> F8:
    from safelight.planning._repair import improve

    cases, people = cost.shape
    most = math.ceil(float(width.sum(axis=1).max(initial=0.0)) / float(points.min())) + 2
    member = np.full((people, max(1, min(most, cases))), -1, np.int64)
    place, count = np.zeros(cases, np.int64), np.zeros(people, np.int64)
    for i in np.nonzero(given >= 0)[0]:
        p = given[i]
        member[p, count[p]], place[i] = i, count[p]
        count[p] += 1
    for _ in range(PASSES):
        if improve(cost, points, width, slope, near, given, load, nobody, member, place, count) <= 1e-6:
            break
    return np.bincount(given[given >= 0], weights=points[given >= 0], minlength=people).astype(np.float64)


def _total(cost: F8, width: F8, slope: F8, given: I8, load: F8, nobody: F8) -> float:
    placed = np.nonzero(given >= 0)[0]
    before = np.cumsum(width, axis=1) - width
    part = np.clip(load[:, None] - before, 0.0, width)
    return float(cost[placed, given[placed]].sum() + (part * slope).sum() + nobody[given < 0].sum())
