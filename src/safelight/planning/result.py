"""What the replications say together: means with intervals, series over time, and where words stand for numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from safelight.planning.arrays import F8
from safelight.planning.compiled import Compiled
from safelight.planning.estimate import Estimate, estimate, student_975
from safelight.planning.load import GROWS, grows_since
from safelight.planning.network import Network
from safelight.planning.replication import Replication

ALL = "all"


@dataclass
class Tally:
    """Gathers replications in the order of their numbers.

    Args:
        compiled: what was run.
        runs: the replications so far, without their series.
    """

    compiled: Compiled
    runs: list[Replication] = field(default_factory=list)
    events: int = 0
    _sum: F8 | None = None
    _squares: F8 | None = None
    _ages: list[F8] = field(default_factory=list)
    _growing: dict[tuple[str, str], int | None] = field(default_factory=dict)

    def add(self, run: Replication) -> None:
        """The next replication; its series over time is added up and let go."""
        self.events += run.events
        waiting = run.grid_waiting.astype(np.float64)
        if self._sum is None or self._squares is None:
            self._sum, self._squares = waiting, waiting**2
        else:
            self._sum += waiting
            self._squares += waiting**2
        counts = run.grid_waiting.sum(axis=2)
        after = np.arange(len(counts)) * self.network.grid >= self.network.warmup
        seen = counts[after].sum(axis=0)
        ages = run.grid_age[after].sum(axis=0)
        self._ages.append(np.divide(ages, seen, out=np.full(len(seen), math.nan), where=seen > 0))
        empty = np.zeros((0, 0, 0), np.int64)
        self.runs.append(Replication(**{**run.__dict__, "grid_waiting": empty, "grid_age": np.zeros((0, 0))}))

    @property
    def network(self) -> Network:
        return self.compiled.network

    def grows(self, station: str, kind: str = ALL) -> int | None:
        """The year after the warm-up from which on this queue grows without limit; None when it does not."""
        kinds = self.network.station(station).steps if kind == ALL else (kind,)
        found = []
        for name in kinds:
            if (station, name) not in self._growing:
                self._growing[station, name] = grows_since(self.network, station, name)
            found.append(self._growing[station, name])
        years = [year for year in found if year is not None]
        return min(years) if years else None

    def wait(self, station: str, kind: str = ALL) -> Estimate:
        """Mean days from entering the queue to the start of service."""
        return self._queue(station, kind, lambda run, s, k: _ratio(run.wait[s, k].sum(), run.started[s, k].sum()))

    def waiting(self, station: str, kind: str = ALL) -> Estimate:
        """Mean number waiting."""
        return self._queue(station, kind, lambda run, s, k: float(run.waiting[s, k].sum()))

    def delayed(self, station: str, kind: str = ALL) -> Estimate:
        """Share of those served that had to wait."""
        return self._queue(
            station, kind, lambda run, s, k: _ratio(run.delayed[s, k].sum(), run.started[s, k].sum()), 1.0
        )

    def gave_up(self, station: str, kind: str = ALL) -> Estimate:
        """Share of those that came to the station and left it without being served."""
        s, k = self.at(station, kind)
        return estimate([_ratio(run.reneged[s, k].sum(), run.entered[s, k].sum()) for run in self.runs], low=0, high=1)

    def utilisation(self, station: str) -> Estimate:
        """Share of the servers' time that is used."""
        s, _ = self.at(station, ALL)
        return estimate([_ratio(run.used[s], run.servers[s]) for run in self.runs], low=0.0)

    def breached(self, clock: str, kind: str = ALL) -> Estimate:
        """Share of clocks that ran past their limit, of all whose outcome is known for certain: open ones count too."""
        c = [one.name for one in self.network.clocks].index(clock)
        kinds = self.network.clocks[c].limits if kind == ALL else (kind,)
        for station in self.network.clocks[c].stations:
            years = [self.grows(station, name) for name in kinds if name in self.network.station(station).steps]
            first = min((year for year in years if year is not None), default=None)
            if first is not None:
                return Estimate(None, None, None, len(self.runs), _since(first))
        k = self._kinds(kind)
        return estimate([_ratio(run.breached[c, k].sum(), run.judged[c, k].sum()) for run in self.runs], low=0, high=1)

    def sojourn(self, kind: str) -> Estimate:
        """Mean days from birth to the end, of those done."""
        growing = [station.name for station in self.network.stations if kind in station.steps]
        if any(self.grows(station, kind) is not None for station in growing):
            return Estimate(None, None, None, len(self.runs), GROWS)
        k = self._kinds(kind)
        return estimate([_ratio(run.sojourn[k].sum(), run.done[k].sum()) for run in self.runs], low=0.0)

    def age(self, station: str) -> Estimate:
        """Mean age in days, counted from birth, of what waits here."""
        year = self.grows(station)
        if year is not None:
            return Estimate(None, None, None, len(self.runs), _since(year))
        s, _ = self.at(station, ALL)
        return estimate([float(ages[s]) for ages in self._ages], low=0.0)

    def series(self, station: str, kind: str = ALL) -> tuple[F8, F8, F8]:
        """(day, mean number waiting, half of the 95 % interval), each (G,); a growing queue is seen growing here.

        The interval of several kinds together is cautious: it takes them as moving together.
        """
        s, k = self.at(station, kind)
        assert self._sum is not None and self._squares is not None
        n = len(self.runs)
        mean = self._sum[:, s, k] / n
        spread = np.sqrt(np.maximum(self._squares[:, s, k] / n - mean**2, 0.0) * n / max(n - 1, 1))
        half = spread * (student_975(n - 1) / math.sqrt(n) if n > 1 else math.nan)
        days = np.arange(len(mean), dtype=np.float64) * self.network.grid
        return days, np.asarray(mean.sum(axis=-1)), np.asarray(half.sum(axis=-1))

    def left_out(self, kind: str) -> Estimate:
        """Items of this kind that a cap left out, in a year."""
        k = self._kinds(kind)
        years = self.network.days / 365.25
        return estimate([float(run.skipped[k].sum()) / years for run in self.runs], low=0.0)

    def _queue(
        self, station: str, kind: str, value: Callable[[Replication, int, list[int]], float], high: float = math.inf
    ) -> Estimate:
        year = self.grows(station, kind)
        if year is not None:
            return Estimate(None, None, None, len(self.runs), _since(year))
        s, k = self.at(station, kind)
        return estimate([value(run, s, k) for run in self.runs], low=0.0, high=high)

    def at(self, station: str, kind: str = ALL) -> tuple[int, list[int]]:
        """The row of a station and the columns of a kind in the arrays of `Replication`."""
        return [one.name for one in self.network.stations].index(station), self._kinds(kind)

    def _kinds(self, kind: str) -> list[int]:
        names = [one.name for one in self.network.kinds]
        return list(range(len(names))) if kind == ALL else [names.index(kind)]


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """The difference of two scenarios, replication by replication: common random numbers make it sharp."""
    return estimate([a - b for a, b in zip(ours, theirs, strict=True)])


def _since(year: int) -> str:
    return GROWS if year == 1 else f"{GROWS} from year {year} on"


def _ratio(over: float, under: float) -> float:
    return float(over) / float(under) if under else math.nan
