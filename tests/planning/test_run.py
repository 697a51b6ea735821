"""Replications: the same answer however they are run, live intervals, and a way to stop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.planning.networks import everything

from safelight.planning import GROWS, Clock, Duration, Kind, Network, Progress, Station, Step, difference, simulate
from safelight.planning.estimate import estimate, student_975


def test_processes_change_nothing() -> None:
    """A result that depends on the machine could not be checked by anybody."""
    network = everything("growing", load=0.4)
    alone = simulate(network, replications=7, seed=3, processes=1)
    pair = simulate(network, replications=7, seed=3, processes=2)
    for name in ("wait", "judged", "breached", "waiting", "used", "arrived"):
        for one, other in zip(alone.tally.runs, pair.tally.runs, strict=True):
            assert np.array_equal(getattr(one, name), getattr(other, name))
    assert [run.number for run in pair.tally.runs] == list(range(7))
    assert np.array_equal(alone.tally.series("team")[1], pair.tally.series("team")[1])
    assert alone.tally.events == pair.tally.events
    assert alone.tally.age("laboratory") == pair.tally.age("laboratory")


def test_another_seed_is_another_run() -> None:
    one, other = (simulate(everything(), replications=1, seed=seed, processes=1).tally.events for seed in (1, 2))
    assert one != other


def test_intervals_are_live_and_shrink() -> None:
    """A planner sees an interval after the second replication and can stop when it is narrow enough."""
    seen: list[tuple[int, float]] = []

    def look(progress: Progress) -> None:
        found = progress.tally.breached("desk", "urgent")
        assert progress.total == 30
        if found.low is not None and found.high is not None:
            seen.append((progress.done, found.high - found.low))

    simulate(everything(), replications=30, processes=1, on_progress=look)
    assert [done for done, _ in seen] == list(range(2, 31))
    assert seen[-1][1] < seen[2][1]


def test_it_can_be_stopped() -> None:
    done: list[int] = []
    result = simulate(
        everything(),
        replications=1000,
        processes=2,
        on_progress=lambda progress: done.append(progress.done),
        stop=lambda: len(done) >= 4,
    )
    assert result.stopped and result.replications == 4
    whole = simulate(everything(), replications=4, processes=1)
    assert not whole.stopped
    assert whole.tally.wait("desk") == result.tally.wait("desk")


def test_clocks_count_open_cases_too() -> None:
    """A mean over closed cases alone flatters: who still waits past the limit has breached it."""
    step = Step(Duration.fixed(1.0))
    clock = Clock("begun", ("desk",), {"case": 1.0}, at="start")
    network = Network((Kind("case", 2.0, "desk"),), (Station("desk", 1, {"case": step}),), (clock,), days=200.0)
    tally = simulate(network, replications=2, processes=1).tally
    run = tally.runs[0]
    assert run.started[0, 0] <= 200 < 350 < run.breached[0, 0]
    assert run.breached[0, 0] > 0.95 * run.judged[0, 0]
    assert tally.breached("begun").words == GROWS  # the share is a property of the 200 days


def test_the_interval_covers_as_often_as_it_says() -> None:
    """95 % of intervals over 8 draws of a known mean hold it."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(2000):
        found = estimate(rng.normal(5.0, 2.0, 8).tolist())
        assert found.low is not None and found.high is not None
        held += found.low <= 5.0 <= found.high
    assert 0.935 < held / 2000 < 0.965


@pytest.mark.parametrize(
    ("degrees", "truth"), [(1, 12.706), (10, 2.228), (30, 2.042), (31, 2.0395), (60, 2.0003), (1000, 1.9623)]
)
def test_students_t(degrees: int, truth: float) -> None:
    assert student_975(degrees) == pytest.approx(truth, abs=6e-4)


def test_words_where_there_is_no_number() -> None:
    assert "nothing of this kind" in estimate([math.nan]).text()
    assert "interval not known" in estimate([1.0]).text()
    assert estimate([0.99, 1.0, 1.0], high=1.0).high == 1.0


def test_a_difference_is_sharper_than_its_parts() -> None:
    """Common random numbers: the difference of two rules has a narrower interval than either."""
    runs = {
        rule: simulate(everything(rule, days=400.0), replications=12, processes=1).tally for rule in ("fifo", "risk")
    }
    waits = {rule: [run.waiting[1].sum() for run in tally.runs] for rule, tally in runs.items()}
    apart = estimate([*waits["fifo"]])
    both = difference(waits["fifo"], waits["risk"])
    assert both.high - both.low < 0.8 * (apart.high - apart.low)  # type: ignore[operator]
