"""Unstable load is said in words, and stable load is not called unstable."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safelight.planning import GROWS, Brings, Duration, Kind, Network, Route, Station, Step, loads, simulate
from safelight.planning.load import grows_since


def queue(rates: tuple[float, ...], servers: int, rule: str = "fifo", **step: object) -> Network:
    kinds = tuple(Kind(f"k{n}", rate, "desk", rank=n) for n, rate in enumerate(rates))
    steps = {kind.name: replace(Step(Duration.exponential(1.0)), **step) for kind in kinds}
    return Network(kinds, (Station("desk", servers, steps),), rule=rule, days=200.0, warmup=20.0)


def test_overload_has_words_and_no_number() -> None:
    """A mean of two years of a growing queue would look like an answer."""
    tally = simulate(queue((3.0,), 2), replications=2, processes=1).tally
    for found in (
        tally.wait("desk"),
        tally.waiting("desk"),
        tally.age("desk"),
        tally.sojourn("k0"),
        tally.delayed("desk"),
    ):
        assert found.mean is None and found.low is None
        assert found.text() == GROWS
    assert tally.utilisation("desk").mean == pytest.approx(1.0, abs=0.02)
    _, mean, _ = tally.series("desk")
    assert mean[-1] > mean[5] + 50  # the growth itself can be shown


def test_exactly_full_grows_too() -> None:
    assert loads(queue((2.0,), 2))["desk"].growing == {"k0"}


def test_just_below_full_is_a_number() -> None:
    assert not loads(queue((1.99,), 2))["desk"].growing


def test_under_a_fixed_order_only_those_grow_whose_turn_never_comes() -> None:
    """Very high risk may be safe while low risk drowns: both must be said."""
    network = queue((1.0, 0.5, 1.0), 2, "risk")
    assert loads(network)["desk"].growing == {"k2"}
    tally = simulate(network, replications=3, processes=1).tally
    assert tally.wait("desk", "k0").mean is not None
    assert tally.wait("desk", "k2").words == tally.wait("desk").words == GROWS
    assert loads(replace(network, rule="fifo"))["desk"].growing == {"k0", "k1", "k2"}


def test_who_gives_up_waiting_does_not_grow() -> None:
    network = queue((5.0,), 2, patience=Duration.exponential(3.0))
    assert not loads(network)["desk"].growing
    tally = simulate(network, replications=2, processes=1).tally
    assert tally.gave_up("desk").mean == pytest.approx(0.6, abs=0.05)


def test_growth_of_the_rate_names_the_year() -> None:
    """'From year 4 on' is what a planner can act on."""
    factors = tuple(1.0 + 0.02 * month for month in range(60))
    network = replace(queue((1.2,), 2), kinds=(Kind("k0", 1.2, "desk", factors),), days=5 * 365.25, warmup=0.0)
    assert grows_since(network, "desk", "k0") == 4
    assert simulate(network, replications=2, processes=1).tally.wait("desk").words == f"{GROWS} from year 4 on"


def test_a_full_station_protects_those_behind_it() -> None:
    """Behind a bottleneck arrives only what the bottleneck lets through."""
    first = Station("first", 1, {"case": Step(Duration.exponential(1.0), (Route("second", 0.5), Route("first", 0.1)))})
    second = Station("second", 1, {"case": Step(Duration.exponential(1.5))})
    network = Network((Kind("case", 3.0, "first"),), (first, second))
    found = loads(network)
    assert found["first"].growing and not found["second"].growing
    assert found["second"].offered == pytest.approx(0.75, rel=1e-6)


def test_brought_work_counts() -> None:
    brings = Brings("device", "lab", share=0.5, at_least=1, more=3.0)
    stations = (
        Station("desk", None, {"case": Step(Duration.fixed(0.1), (), brings)}),
        Station("lab", 5, {"device": Step(Duration.exponential(1.0))}),
    )
    network = Network((Kind("case", 2.0, "desk"), Kind("device")), stations)
    assert loads(network)["lab"].offered == pytest.approx(4.0)
    assert Brings("d", "s", share=1.0, at_least=1, more=5.0, cap=2).mean == pytest.approx(1.9933, abs=1e-3)
