"""Allocation, rounds and the forecast, for benchmarks/planning.py."""

from __future__ import annotations

import time
from datetime import date

import numpy as np

from safelight.planning import force_network, load_parameters
from safelight.planning.allocation import Task, Worker, allocate_one
from safelight.planning.assign import assign_counts, assign_points
from safelight.planning.backtest import backtest, history
from safelight.planning.rounds import Crew, Place, Visit, plan_rounds, straight_line

FORCES = {
    "as shipped": {},
    "growth 15 %, 12 more specialists": {
        "referrals.growth": 0.15, "staff.specialists": "+12", "staff.caid": "+2",
    },
    "well staffed, no growth": {"staff.specialists": "+20", "staff.caid": "+2", "referrals.growth": 0},
    "40 of 116 leave in year 4": {
        "staff.specialists": "+20", "staff.caid": "+2", "staff.leaving": 40, "staff.leaving_day": 1100,
    },
    "one pooled team": {"teams": 1, "staff.caid": "+1"},
}  # fmt: skip


def allocation() -> None:
    """5,000 cases, 500 investigators, three skill levels, twelve units: the peer is greedy, riskiest first."""
    rng = np.random.default_rng(1)
    cases, people = 5_000, 500
    units = rng.uniform(0, 40, (12, 2))
    where = units[rng.integers(0, 12, cases)] + rng.normal(0, 3, (cases, 2))
    home = units[rng.integers(0, 12, people)] + rng.normal(0, 3, (people, 2))
    needs, has = rng.choice(3, cases, p=[0.4, 0.4, 0.2]), rng.choice(3, people, p=[0.3, 0.4, 0.3])
    risk = rng.choice(4, cases, p=[0.1, 0.25, 0.3, 0.35])
    far = np.linalg.norm(where[:, None] - home[None], axis=2)
    load = rng.uniform(0, 10, people)
    cost = np.where(has >= needs[:, None], 40 + far + 5 * (has - needs[:, None]) + load, np.inf)
    print(f"allocation: {cases:,} cases x {people} investigators, {int(np.isfinite(cost).sum()):,} pairs")
    began = time.perf_counter()
    found = assign_counts(cost, np.full(people, 11))
    spent = time.perf_counter() - began
    greedy = _greedy(cost, np.ones(cases), np.full(people, 11.0), risk)
    print(f"  counts: {spent:.2f} s, optimum {found.cost:,.0f} proven; greedy {greedy / found.cost - 1:.1%} above it")
    points = np.array([4.0, 2.5, 1.5, 1.0])[risk]
    for slack in (1.05, 1.1, 1.2):
        room = np.round(np.full((people, 1), points.sum() / people * slack) * 2) / 2
        began = time.perf_counter()
        found = assign_points(cost, points, room)
        spent = time.perf_counter() - began
        greedy = _greedy(cost, points, room[:, 0], risk)
        left = int((found.given < 0).sum())
        print(
            f"  points, {slack - 1:.0%} more room than work: {spent:.2f} s, {found.gap:.2%} above the bound, "
            f"{left} unplaced; greedy {greedy / found.bound - 1:.1%} above it"
        )
    workers = [
        Worker(str(n), f"Officer {n}", f"U{n % 12}", frozenset({"a"}), float(rng.uniform(0, 50)), 60.0, {"U0": 1.0})
        for n in range(people)
    ]
    task = Task("c", "C-1", 5.0, "a", "U0", 6.0)
    times = []
    for _ in range(2_000):
        began = time.perf_counter()
        allocate_one(task, workers)
        times.append(1000 * (time.perf_counter() - began))
    low, high = np.quantile(times, [0.5, 0.99])
    print(f"  on arrival, one of {people}, with its reason: median {low:.1f} ms, p99 {high:.1f} ms")


def _greedy(cost: np.ndarray, points: np.ndarray, room: np.ndarray, risk: np.ndarray) -> float:
    """Each case in the order of risk to the cheapest who has room; the cost, or infinity where one is left."""
    left, total = room.copy(), 0.0
    for i in np.argsort(risk, kind="stable"):
        price = np.where(left >= points[i], cost[i], np.inf)
        p = int(price.argmin())
        total += price[p]
        left[p] -= points[i]
    return total


def rounds(long: float) -> None:
    """100 visits, 14 pairs, time windows: PyVRP in 10 s against a long run and OR-Tools' guided local search."""
    rng = np.random.default_rng(4)
    base = Place(51.5, -0.1)
    asked = []
    for n in range(100):
        opens = float(rng.choice([420, 420, 720, 900]))
        closes = min(1200.0, opens + float(rng.choice([300, 480, 600])))
        place = Place(51.5 + rng.normal(0, 0.07), -0.1 + rng.normal(0, 0.11))
        asked.append(Visit(f"V{n}", place, "medium", float(rng.choice([30, 45, 60])), opens, closes))
    crews = [
        Crew(f"Crew {n}", (f"PC {n}a", f"PC {n}b"), 480.0 if n % 2 else 600.0, 1020.0 if n % 2 else 1140.0)
        for n in range(14)
    ]
    day = [date(2026, 12, 1)]
    ours = {
        (seconds, seed): plan_rounds(asked, crews, base, days=day, seconds=seconds, seed=seed)
        for seconds, seed in ((1.0, 1), (5.0, 1), (10.0, 1), (10.0, 2), (long, 3))
    }
    peer = {seconds: _ortools(asked, crews, straight_line(base, asked).minutes, seconds) for seconds in (10,)}
    best = min([plan.travel for plan in ours.values() if not plan.left] + [one for one in peer.values() if one])
    print(f"rounds: 100 visits, 14 pairs; best known {best:.1f} minutes on the road")
    for (seconds, seed), plan in ours.items():
        missed = f", {len(plan.left)} left out" if plan.left else ""
        print(
            f"  ours, {seconds:g} s, seed {seed}: {plan.travel:.1f} minutes, {plan.travel / best - 1:.2%} above{missed}"
        )
    for seconds, one in peer.items():
        print(f"  OR-Tools, {seconds} s: " + (f"{one:.1f} minutes, {one / best - 1:.2%} above" if one else "nothing"))


def _ortools(asked: list[Visit], crews: list[Crew], minutes: np.ndarray, seconds: int) -> float | None:
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    times = np.rint(minutes * 60).astype(int)
    stay = [0] + [round(visit.minutes * 60) for visit in asked]
    manager = pywrapcp.RoutingIndexManager(len(times), len(crews), 0)
    model = pywrapcp.RoutingModel(manager)
    drive = model.RegisterTransitMatrix(times.tolist())
    spend = model.RegisterTransitMatrix((times + np.array(stay)[:, None]).tolist())
    model.SetArcCostEvaluatorOfAllVehicles(drive)
    model.AddDimension(spend, 24 * 3600, 24 * 3600, False, "time")
    when = model.GetDimensionOrDie("time")
    for n, visit in enumerate(asked, 1):
        when.CumulVar(manager.NodeToIndex(n)).SetRange(round(visit.opens * 60), round(visit.closes * 60))
    for n, crew in enumerate(crews):
        when.CumulVar(model.Start(n)).SetRange(round(crew.begins * 60), round(crew.ends * 60))
        when.CumulVar(model.End(n)).SetRange(round(crew.begins * 60), round(crew.ends * 60))
    how = pywrapcp.DefaultRoutingSearchParameters()
    how.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    how.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    how.time_limit.seconds = seconds
    found = model.SolveWithParameters(how)
    return None if found is None else found.ObjectiveValue() / 60


def forecast(seeds: int) -> None:
    """The open caseload twelve weeks ahead on synthetic forces, from an origin every six weeks over five years."""
    print("forecast of open cases, 12 weeks ahead, 90 % intervals")
    whole = []
    for name, changes in FORCES.items():
        network = force_network(load_parameters().with_changes(changes), years=6.0)
        histories = [history(network, seed=2026, number=n) for n in range(seeds)]
        found = backtest(histories, origins=np.arange(730.0, network.days - 90, 42.0))
        whole.append(found)
        print(
            f"  {name}: {len(found.truth)} forecasts, {found.coverage:.1%} covered, error {found.error:.0f} cases, "
            f"'same as last quarter' {found.naive:.0f}: ratio {found.error / found.naive:.2f}"
        )
    held = np.concatenate([(one.truth >= one.low) & (one.truth <= one.high) for one in whole])
    error = np.mean([abs(one.truth - one.mean).mean() for one in whole])
    naive = np.mean([one.naive for one in whole])
    print(f"  all: {len(held)} forecasts, {held.mean():.1%} covered, error {error:.0f}, ratio {error / naive:.2f}")
