"""Assignment on arrays: the optimum is the optimum, caps hold, the bound is a bound."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from safelight.planning.assign import assign_counts, assign_points
from safelight.planning.errors import PlanningError


def brute(cost: np.ndarray, points: np.ndarray, room: np.ndarray, out: float) -> float:
    """The cheapest of all allocations, by trying every one; ``out`` for each case left out."""
    best = np.inf
    for choice in itertools.product(range(-1, cost.shape[1]), repeat=cost.shape[0]):
        load = np.zeros(cost.shape[1])
        total = 0.0
        for case, person in enumerate(choice):
            total += out if person < 0 else cost[case, person]
            if person >= 0:
                load[person] += points[case]
        if (load <= room + 1e-9).all():
            best = min(best, total)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_the_flow_is_as_good_as_trying_everything(seed: int) -> None:
    """A 'proven optimum' that is not one would send a child's case to the wrong desk with a certificate."""
    rng = np.random.default_rng(seed)
    cost = np.where(rng.random((5, 3)) < 0.3, np.inf, rng.integers(0, 50, (5, 3)).astype(float))
    slots = np.array([1, 2, 1])
    found = assign_counts(cost, slots)
    left = int((found.given < 0).sum())
    best = brute(cost, np.ones(5), slots.astype(float), 1000.0)
    assert found.proven
    assert found.cost + 1000.0 * left == pytest.approx(best)


def test_the_most_urgent_are_placed_first_where_not_all_can_be() -> None:
    found = assign_counts(np.ones((3, 1)), np.array([1]), weight=np.array([1.0, 20.0, 6.0]))
    assert found.given.tolist() == [-1, 0, -1]


def test_a_rising_ramp_spreads_cases_over_people() -> None:
    found = assign_counts(np.ones((4, 2)), np.array([4, 4]), ramp=np.tile([0.0, 5.0, 9.0, 20.0], (2, 1)))
    assert np.bincount(found.given).tolist() == [2, 2]
    assert found.cost == pytest.approx(4 + 2 * 5)


@pytest.mark.parametrize("seed", range(6))
def test_points_hold_every_cap_and_the_bound_is_below_the_best_there_is(seed: int) -> None:
    """A bound above the true optimum would praise a bad allocation."""
    rng = np.random.default_rng(seed)
    cost = rng.integers(1, 40, (6, 3)).astype(float)
    points = rng.choice([1.0, 1.5, 2.5, 4.0], 6)
    room = np.array([6.0, 5.0, 5.5])
    found = assign_points(cost, points, room[:, None])
    load = np.bincount(found.given[found.given >= 0], weights=points[found.given >= 0], minlength=3)
    assert (load <= room + 1e-9).all()
    placed = found.given >= 0
    if placed.all():
        best = brute(cost, points, room, 1e6)
        assert found.bound <= best + 1e-6
        assert found.cost == pytest.approx(cost[np.arange(6), found.given].sum())
        assert found.cost <= best * 1.25


def test_a_large_one_is_within_half_a_per_cent_of_its_bound() -> None:
    """The size of a force's month; the full size is in benchmarks/planning.py."""
    rng = np.random.default_rng(3)
    cost = 40.0 + rng.uniform(0, 40, (600, 60)) + rng.uniform(0, 10, 60)[None, :]
    points = rng.choice([1.0, 1.5, 2.5, 4.0], 600, p=[0.35, 0.3, 0.25, 0.1])
    room = np.full((60, 1), np.ceil(points.sum() / 60 * 1.1))
    found = assign_points(cost, points, room)
    assert (found.given >= 0).all()
    assert found.gap <= 0.005
    again = assign_points(cost, points, room)
    assert np.array_equal(found.given, again.given), "the same question has the same answer"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"points": np.array([0.0, 1.0])}, "points"),
        ({"points": np.array([1.001, 1.0])}, "points"),
        ({"width": np.array([[-1.0]])}, "width"),
        ({"cost": np.array([[-1.0], [2.0]])}, "cost"),
        ({"cost": np.array([1.0, 2.0])}, "cost"),
        ({"slope": np.array([[-1.0]])}, "slope"),
    ],
)
def test_values_that_cannot_be_are_refused_with_their_name(change: dict, field: str) -> None:
    given = {"cost": np.ones((2, 1)), "points": np.ones(2), "width": np.array([[5.0]]), **change}
    with pytest.raises(PlanningError) as refused:
        assign_points(given["cost"], given["points"], given["width"], given.get("slope"))
    assert refused.value.field == field


def test_nobody_and_nothing() -> None:
    assert assign_points(np.zeros((0, 2)), np.zeros(0), np.ones((2, 1))).given.tolist() == []
    assert assign_points(np.zeros((2, 0)), np.ones(2), np.zeros((0, 1))).given.tolist() == [-1, -1]
    assert assign_counts(np.full((2, 1), np.inf), np.array([3])).given.tolist() == [-1, -1]
