"""The forecast of open cases: right on a force whose truth is known, honest about its doubt, deaf to the future."""

from __future__ import annotations

import numpy as np
import pytest

from safelight.planning import force_network, load_parameters
from safelight.planning.backtest import backtest, history
from safelight.planning.errors import PlanningError
from safelight.planning.forecast import forecast_open


def test_it_beats_the_same_as_last_quarter_and_keeps_its_promise_on_a_synthetic_force() -> None:
    """A chief officer plans posts by it: a promise of 90 per cent that holds in 60 is worse than none.

    The full backtest (many forces and origins) is in benchmarks/planning.py --backtest; its figures are in the docs.
    """
    parameters = load_parameters().with_changes({"referrals.per_year": 1900, "staff.specialists": 50, "teams": 1})
    found = backtest([history(force_network(parameters, years=4.0), seed=7)], origins=np.arange(800.0, 1700.0, 42.0))
    assert len(found.truth) == 22
    assert found.error < found.naive
    assert found.coverage >= 0.8


def test_steady_cases_are_forecast_where_they_settle() -> None:
    """Five a day that last forty days are two hundred open cases, whatever the day."""
    rng = np.random.default_rng(2)
    opened = np.sort(rng.uniform(0, 1500, 7500))
    closed = opened + rng.exponential(40.0, 7500)
    found = forecast_open(opened, np.where(closed <= 1400, closed, np.nan), now=1400.0)
    assert found.low < 200 < found.high
    assert found.mean == pytest.approx(200, abs=30)
    assert found.high - found.low < 120 and found.learnt > 30


def test_the_future_is_not_looked_at() -> None:
    """A backtest that peeks would praise any forecast."""
    rng = np.random.default_rng(3)
    opened = np.sort(rng.uniform(0, 1000, 2000))
    closed = opened + rng.exponential(60.0, 2000)
    whole = forecast_open(opened, closed, now=700.0)
    known = opened <= 700
    cut = forecast_open(opened[known], np.where(closed[known] <= 700, closed[known], np.nan), now=700.0)
    assert whole == cut


@pytest.mark.parametrize(
    ("opened", "closed", "words"),
    [
        ([], [], "too few to forecast"),
        ([1.0] * 5, [2.0] * 5, "too few to forecast"),
        ([5.0], [1.0], "closes before it opens"),
        ([5.0], [], "as many closings"),
        ([float("nan")], [1.0], "closes before it opens, or has no opening"),
    ],
)
def test_too_few_or_impossible_records_are_said(opened: list[float], closed: list[float], words: str) -> None:
    with pytest.raises(PlanningError, match=words):
        forecast_open(opened, closed, now=100.0)


def test_days_and_level_are_checked() -> None:
    for given in ({"days": 0.0}, {"level": 1.0}):
        with pytest.raises(PlanningError, match="days above 0"):
            forecast_open([1.0], [2.0], now=100.0, **given)
