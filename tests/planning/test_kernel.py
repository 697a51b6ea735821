"""The event loop against a slow model in plain Python, event for event, and the laws that every run obeys."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.planning.networks import everything
from tests.planning.plain import Plain

from safelight.planning import arrays as a
from safelight.planning.compiled import compile_network
from safelight.planning.errors import SelfCheckError
from safelight.planning.replication import check_laws, replicate, run_world
from safelight.planning.rules import RULES
from safelight.planning.seeds import derive, uniform

KINDS = ("arrived", "ended", "gave up", "escalated")


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("load", [0.6, 1.5])
def test_every_event_is_the_one_of_the_plain_model(rule: str, load: float) -> None:
    """Otherwise an answer would rest on a fast loop that nobody can read."""
    network = everything(rule, load=load)
    plain = Plain(network, seed=7, number=3).run()
    world = run_world(compile_network(network), 7, 3, trace=100_000)
    n = int(world.reg[a.TRACED])
    assert n == len(plain.events) > 800
    times, codes = world.trace_times[:n], world.trace_codes[:n]
    found = [(int(code) >> 12, (int(code) >> 2) & 1023, KINDS[int(code) & 3]) for code in codes]
    assert found == [(serial, station, what) for _, serial, station, what in plain.events]
    assert np.allclose(times, [t for t, *_ in plain.events], rtol=1e-9, atol=1e-9)
    assert {what for *_, what in plain.events} == set(KINDS)


def test_waits_are_counted_as_the_plain_model_counts_them() -> None:
    network = everything("risk", days=28.0)
    plain = Plain(network, 5, 0).run()
    sums: dict[tuple[int, str], float] = defaultdict(float)
    role = [place.role for place in plain.places]
    for station, kind, wait in plain.waits:
        sums[role[station], kind] += wait
    run = replicate(compile_network(network), 5, 0)
    names = [kind.name for kind in network.kinds]
    for (r, kind), total in sums.items():
        assert run.wait[r, names.index(kind)] == pytest.approx(total, abs=1e-7)
    assert run.started.sum() == len(plain.waits)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**40), st.floats(0.1, 4.0), st.sampled_from(sorted(RULES)), st.floats(8.0, 200.0))
def test_no_case_is_lost_and_littles_law_holds(seed: int, load: float, rule: str, days: float) -> None:
    """`replicate` checks both on every run and refuses the run otherwise."""
    run = replicate(compile_network(everything(rule, days, load)), seed, 0)
    assert (run.arrived == run.left + run.lost + run.inside).all()
    assert (run.breached <= run.judged).all()


def test_a_broken_run_is_our_fault_and_said() -> None:
    """A number from a run that lost a case must never reach a reader."""
    world = run_world(compile_network(everything()), 1, 0)
    check_laws(world)
    world.kind_int[0, a.K_LEFT] -= 1
    with pytest.raises(SelfCheckError, match="lost or made up"):
        check_laws(world)
    world.kind_int[0, a.K_LEFT] += 1
    world.row_float[4, a.F_WAIT_ALL] += 1.0
    with pytest.raises(SelfCheckError, match="Little"):
        check_laws(world)


def test_a_run_that_outgrows_its_room_is_the_same_run() -> None:
    """Room is doubled in the middle of a run: nothing may change by it."""
    network = everything("fifo", days=600.0, load=40.0)
    world = run_world(compile_network(network), 2, 0)
    assert len(world.item_int) > 1 << 13
    check_laws(world)


def test_two_scenarios_meet_the_same_cases() -> None:
    """Common random numbers: what is compared is the change, not the luck."""
    one, other = everything("fifo"), everything("c-mu")
    first = run_world(compile_network(one), 9, 0, trace=50_000)
    second = run_world(compile_network(other), 9, 0, trace=50_000)
    arrivals = [w.trace_times[: w.reg[a.TRACED]][(w.trace_codes[: w.reg[a.TRACED]] & 3) == 0] for w in (first, second)]
    assert len(arrivals[0]) > 100
    assert np.array_equal(arrivals[0], arrivals[1])


def test_streams_are_uniform_and_not_related() -> None:
    """A bad stream would bias every answer; neighbouring counters and keys are where it would show."""
    from safelight.planning import _streams

    keys = [derive(1, n) for n in range(2000)]
    draws = np.array([[uniform(key, n) for n in range(20)] for key in keys])
    assert draws[3, 4] == _streams.uniform(np.uint64(keys[3]), 4)
    assert abs(draws.mean() - 0.5) < 0.005
    assert np.abs(np.corrcoef(draws.T) - np.eye(20)).max() < 0.09
    counts = np.histogram(draws, bins=100, range=(0, 1))[0]
    assert ((counts - 400) ** 2 / 400).sum() < 150
