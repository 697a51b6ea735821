"""Parameters from a force's own records, on plain arrays: rates, shares, counts, and durations with open ones counted.

Every function gives a `Recorded`, or says in words why the records are too few. What still runs is censored, never left
out: leaving it out makes everything look quicker (Kaplan and Meier 1958; the tail beyond what was seen is taken as
exponential, Brown, Hollander and Korwar 1974).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from safelight.planning.arrays import F8
from safelight.planning.errors import PlanningError
from safelight.planning.estimate import short

LEAST = 20  # fewer records than this say nothing that an assumption does not
DRAWS = 300
Z = 1.959963984540054


@dataclass(frozen=True)
class Recorded:
    """A number from records, with its 95 % interval.

    Args:
        value, low, high: None when there are too few records.
        n: records it rests on.
        how: in words.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    how: str

    @property
    def text(self) -> str:
        if self.value is None:
            return "too few records"
        if self.low is None or self.high is None:
            return short(self.value)
        return f"{short(self.value)} ({short(self.low)} to {short(self.high)})"


def counted(number: int, how: str) -> Recorded:
    """A plain count, such as posts: exact."""
    return Recorded(float(number), None, None, number, how)


def per_year(events: int, days: float, how: str) -> Recorded:
    """A rate from the number of events in so many days, with the exact Poisson interval.

    Raises:
        PlanningError: fewer than 0 events, or no time.
    """
    from scipy.stats import chi2

    if events < 0 or not days > 0:
        raise PlanningError(
            "records", f"{events} events in {days:g} days.", fix="Give at least 0 events and some time."
        )
    if events < LEAST:
        return Recorded(None, None, None, events, how)
    year = 365.25 / days
    low, high = chi2.ppf(0.025, 2 * events) / 2, chi2.ppf(0.975, 2 * events + 2) / 2
    return Recorded(events * year, float(low) * year, float(high) * year, events, how)


def share(part: int, whole: int, how: str) -> Recorded:
    """A share with Wilson's interval.

    Raises:
        PlanningError: the part is not one of the whole.
    """
    if not 0 <= part <= whole:
        raise PlanningError("records", f"{part} of {whole}.", fix="Give a part of the whole.")
    if whole < LEAST:
        return Recorded(None, None, None, whole, how)
    p, n = part / whole, float(whole)
    centre, half = p + Z**2 / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    return Recorded(p, max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale), whole, how)


def mean_of(values: Sequence[float], how: str) -> Recorded:
    """A mean of counts, with a bootstrap interval."""
    found = np.asarray(values, np.float64)
    _at_least_0(found)
    if len(found) < LEAST:
        return Recorded(None, None, None, len(found), how)
    draws = np.random.default_rng(1).choice(found, (DRAWS, len(found))).mean(axis=1)
    return _between(float(found.mean()), draws, len(found), how)


def mean_days(days: Sequence[float], ended: Sequence[bool], how: str) -> Recorded:
    """The mean duration, open ones censored, with a bootstrap interval.

    Args:
        days: how long each lasted, or has lasted so far. ended: whether it has ended.
    """
    length, done = _durations(days, ended)
    if done.sum() < LEAST:
        return Recorded(None, None, None, len(length), how)
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(DRAWS):
        pick = rng.integers(0, len(length), len(length))
        draws.append(_mean(length[pick], done[pick]))
    return _between(_mean(length, done), np.array(draws), len(length), how)


def share_ever(days: Sequence[float], happened: Sequence[bool], how: str) -> Recorded:
    """The share to which something happens at all, those that still wait censored: what the curve falls to."""
    length, done = _durations(days, happened)
    if len(length) < LEAST:
        return Recorded(None, None, None, len(length), how)
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(DRAWS):
        pick = rng.integers(0, len(length), len(length))
        draws.append(1.0 - _end(length[pick], done[pick]))
    return _between(1.0 - _end(length, done), np.array(draws), len(length), how)


def curve(days: F8, ended: F8, entered: F8 | None = None) -> tuple[F8, F8, F8]:
    """Kaplan and Meier: (times, number at risk, number ended) at each time when something ended.

    Args:
        entered: how old each was when watching it began (left truncation); 0 when left out.
    """
    length, done = _durations(days, ended)
    start = np.zeros(len(length)) if entered is None else np.asarray(entered, np.float64)
    times = np.unique(length[done])
    ends = np.searchsorted(times, length[done])
    deaths = np.bincount(ends, minlength=len(times)).astype(np.float64)
    by_end, by_start = np.sort(length), np.sort(start)
    at_risk = np.searchsorted(by_start, times, side="left") - np.searchsorted(by_end, times, side="left")
    return times, at_risk.astype(np.float64), deaths


def _mean(length: F8, done: F8) -> float:
    times, at_risk, deaths = curve(length, done)
    survival = np.cumprod(1.0 - deaths / np.maximum(at_risk, 1.0))
    last = float(length.max(initial=0.0))
    steps = np.diff(np.concatenate([[0.0], times, [last]]))
    area = float((np.concatenate([[1.0], survival]) * steps).sum())
    rest = float(survival[-1]) if len(survival) else 1.0
    # Beyond what was seen: an exponential tail through the last point.
    return area if rest <= 0 or rest >= 1 else area + rest * last / -math.log(rest)


def _end(length: F8, done: F8) -> float:
    _, at_risk, deaths = curve(length, done)
    return float(np.prod(1.0 - deaths / np.maximum(at_risk, 1.0)))


def _durations(days: Sequence[float] | F8, ended: Sequence[bool] | F8) -> tuple[F8, F8]:
    length, done = np.asarray(days, np.float64), np.asarray(ended, bool)
    if len(length) != len(done):
        raise PlanningError("records", "as many durations as endings are needed.", fix="Check the two columns.")
    _at_least_0(length)
    return length, done


def _at_least_0(values: F8) -> None:
    if not np.isfinite(values).all() or (values < 0).any():
        raise PlanningError(
            "records", "a value is below 0 or no number.", fix="Check the dates: an end before a start?"
        )


def _between(value: float, draws: F8, n: int, how: str) -> Recorded:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Recorded(value, float(min(low, value)), float(max(high, value)), n, how)
