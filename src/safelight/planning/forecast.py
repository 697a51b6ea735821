"""How many cases will be open in some weeks: from the cases open now, their ages, and those still to come.

Two ways to say it, each right where the other is wrong. *By age*: each open case stays open with the chance that
the curve of durations gives to one of its age (Kaplan and Meier; cases that were open already when watching began enter
at the age that they had: left truncation), and new ones come at the rate of the last year. *By flow*: it goes on rising
or falling as of late, which holds where the people are the limit and durations grow. Both are made for earlier
days of the same records too: the better they were there, the more they weigh, and by how much the two together were
off is the width of the interval (conformal, Vovk et al. 2005, with recent days counting for more and overlapping ones
for less). Nothing that was not known on the day is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from safelight.planning.arrays import F8
from safelight.planning.errors import PlanningError
from safelight.planning.records import LEAST, curve

LOOK_BACK = 365.0
FLOW_BACK = 182.0
EARLIER = 14.0  # days between the earlier forecasts that this one learns from
MOST_EARLIER = 52
ENOUGH = 10
HALF_LIFE = 182.0  # days after which an earlier forecast counts for half


@dataclass(frozen=True)
class Forecast:
    """Open cases at a later day.

    Args:
        now: open today. mean, low, high: then, with the interval of `level`.
        learnt: how many earlier forecasts of the same records it was held against.
    """

    now: int
    mean: float
    low: float
    high: float
    level: float
    days: float
    learnt: int


def forecast_open(
    opened: Sequence[float] | F8,
    closed: Sequence[float] | F8,
    *,
    now: float,
    days: float = 84.0,
    level: float = 0.9,
) -> Forecast:
    """The number of open cases ``days`` after ``now``.

    Args:
        opened: the day on which each case was opened. closed: the day on which it was closed, NaN for an open one.
            Only what was known at ``now`` is used: later openings and closings are not looked at.

    Raises:
        PlanningError: the columns do not fit, a case closes before it opens, or there are too few cases.
    """
    start, end = np.asarray(opened, np.float64), np.asarray(closed, np.float64)
    if start.shape != end.shape or start.ndim != 1:
        raise PlanningError("records", "as many closings as openings are needed.", fix="Give NaN for an open case.")
    if not np.isfinite(start).all() or (end < start).any():
        raise PlanningError("records", "a case closes before it opens, or has no opening.", fix="Check the dates.")
    if not days > 0 or not 0.5 <= level < 1:
        raise PlanningError("forecast", "days above 0 and a level from 0.5 are needed.", fix="84 days and 0.9, say.")
    known = start <= now
    if known.sum() < LEAST or now - start[known].min() < days:
        raise PlanningError(
            "records",
            f"{int(known.sum())} cases in too short a time are too few to forecast.",
            fix=f"It needs at least {LEAST} cases and {days:.0f} days of records.",
        )
    now_ways, spread = _ways(start, end, now, days)
    first = float(start.min()) + LOOK_BACK / 2
    origins = [one for one in now - days - EARLIER * np.arange(MOST_EARLIER) if one >= first]
    weights, shift, half = np.array([0.5, 0.5]), 0.0, NormalDist().inv_cdf(0.5 + level / 2) * spread
    if len(origins) >= ENOUGH:
        made = [_ways(start, end, one, days) for one in origins]
        past, spreads = np.array([one[0] for one in made]), np.array([one[1] for one in made])
        truth = np.array([_open_at(start, end, one + days) for one in origins], np.float64)
        recent = 0.5 ** (np.arange(len(origins)) * EARLIER / HALF_LIFE)
        squares = np.average(((past - truth[:, None]) / spreads[:, None]) ** 2, axis=0, weights=recent) + 1.0
        weights = (1 / squares) / (1 / squares).sum()
        wrong = (truth - past @ weights) / spreads
        middle = float(np.average(wrong, weights=recent))
        shift = middle * spread
        # Forecasts made every two weeks for twelve weeks ahead overlap: they are worth fewer than they are.
        worth = 1 + (len(origins) - 1) * EARLIER / max(days, EARLIER)
        share = min(1.0, level * (worth + 1) / worth)
        half = float(np.quantile(np.abs(wrong - middle), share)) * spread
    mean = max(0.0, float(now_ways @ weights) + shift)
    return Forecast(_open_at(start, end, now), mean, max(0.0, mean - half), mean + half, level, days, len(origins))


def _open_at(start: F8, end: F8, when: float) -> int:
    return int(((start <= when) & ~(end <= when)).sum())


def _ways(start: F8, end: F8, now: float, days: float) -> tuple[F8, float]:
    """The forecasts by age and by flow, and the standard deviation of the first; only what was known at now."""
    known = start <= now
    begun = start[known]
    shut = np.where(end[known] <= now, end[known], np.nan)
    since = max(float(begun.min()), now - LOOK_BACK)
    watched = np.isnan(shut) | (shut > since)
    length = np.where(np.isnan(shut), now, shut)[watched] - begun[watched]
    times, at_risk, deaths = curve(
        np.maximum(length, 1e-9), ~np.isnan(shut[watched]), np.maximum(since - begun[watched], 0.0)
    )
    still = np.concatenate([[1.0], np.cumprod(1.0 - deaths / np.maximum(at_risk, 1.0))])

    def alive(age: F8) -> F8:
        return np.asarray(still[np.searchsorted(times, age, side="right")])

    ages = now - begun[np.isnan(shut)]
    stay = np.clip(alive(ages + days) / np.maximum(alive(ages), 1e-12), 0.0, 1.0)
    rate = float((begun > since).sum()) / (now - since)
    fresh = float(alive((np.arange(200) + 0.5) * days / 200).mean())
    by_age = float(stay.sum()) + rate * days * fresh
    doubt = float((stay * (1 - stay)).sum()) + rate * days * fresh + (days * fresh) ** 2 * rate / (now - since)
    lately = max(float(begun.min()), now - FLOW_BACK)
    drift = (_open_at(start, end, now) - _open_at(start, end, lately)) / (now - lately)
    by_flow = max(0.0, _open_at(start, end, now) + days * drift)
    return np.array([by_age, by_flow]), max(1.0, doubt**0.5)
