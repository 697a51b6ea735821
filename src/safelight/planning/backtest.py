"""Is the forecast any good? Histories whose truth is known, from the model of a force, and forecasts along them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from safelight.planning import arrays as a
from safelight.planning.arrays import F8
from safelight.planning.compiled import compile_network
from safelight.planning.errors import PlanningError
from safelight.planning.forecast import forecast_open
from safelight.planning.network import Network
from safelight.planning.replication import run_world

ENDED, GAVE_UP = 1, 2  # marks of the trace, see `_kernel`


@dataclass(frozen=True)
class Backtest:
    """Forecasts along one or more histories. Arrays have one place for each."""

    truth: F8
    now: F8
    mean: F8
    low: F8
    high: F8

    @property
    def coverage(self) -> float:
        """The share of intervals that held the truth."""
        return float(((self.truth >= self.low) & (self.truth <= self.high)).mean())

    @property
    def error(self) -> float:
        """The mean absolute error of the forecast."""
        return float(np.abs(self.truth - self.mean).mean())

    @property
    def naive(self) -> float:
        """The mean absolute error of 'the same as now'."""
        return float(np.abs(self.truth - self.now).mean())


def history(network: Network, *, seed: int, number: int = 0) -> tuple[F8, F8]:
    """The cases of one run of a force (`force_network`): the days on which each was opened and closed, NaN if open.

    Raises:
        PlanningError: the run is longer than a trace can hold.
    """
    compiled = compile_network(network)
    size = int(4e5 * network.days / 365.25)
    world = run_world(compiled, seed, number, trace=size)
    n = int(world.reg[a.TRACED])
    if n >= size:
        raise PlanningError("network", "its run is too long to keep as a history.", fix="Shorten it.")
    times, codes = world.trace_times[:n], world.trace_codes[:n]
    what, serial = codes % 4, codes // 4096
    station = np.searchsorted(np.asarray(compiled.first), (codes // 4) % 1024, side="right") - 1
    names = [one.name for one in network.stations]
    opened, closed, begun = (np.full(int(serial.max(initial=0)) + 1, np.nan) for _ in range(3))

    for place, column in (("desk", opened), ("allocation", begun), ("supervision", closed)):
        here = (what == ENDED) & (station == names.index(place))
        column[serial[here]] = times[here]
    gone = what == GAVE_UP
    closed[serial[gone]] = times[gone]
    # A case is what was allocated; what the desk did not take further never was one.
    cases = np.isfinite(opened) & np.isfinite(begun)
    return opened[cases], closed[cases]


def backtest(histories: Iterable[tuple[F8, F8]], *, origins: Iterable[float], days: float = 84.0) -> Backtest:
    """Forecasts from each origin of each history, beside what came."""
    found = []
    when = list(origins)
    for opened, closed in histories:
        for origin in when:
            one = forecast_open(opened, closed, now=origin, days=days)
            truth = ((opened <= origin + days) & ~(closed <= origin + days)).sum()
            found.append((float(truth), float(one.now), one.mean, one.low, one.high))
    return Backtest(*np.array(found).T)
