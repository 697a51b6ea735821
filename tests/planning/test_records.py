"""Rates, shares and durations from records: right on a known truth, and with open ones counted."""

from __future__ import annotations

import numpy as np
import pytest

from safelight.planning.errors import PlanningError
from safelight.planning.records import counted, curve, mean_days, mean_of, per_year, share, share_ever


def test_open_cases_are_counted_and_the_mean_is_not_flattered() -> None:
    """The mean of finished cases alone says half of the truth here; a plan built on it has half the staff."""
    rng = np.random.default_rng(5)
    truth = rng.exponential(40.0, 1500)
    watched = rng.uniform(0, 60.0, 1500)
    days, ended = np.minimum(truth, watched), truth <= watched
    found = mean_days(days.tolist(), ended.tolist(), "x")
    assert days[ended].mean() < 20
    assert found.value == pytest.approx(40.0, rel=0.1)
    assert found.low < 40.0 < found.high  # type: ignore[operator]


def test_the_share_to_which_it_ever_happens() -> None:
    rng = np.random.default_rng(6)
    ever = rng.random(2000) < 0.4
    when = np.where(ever, rng.exponential(20.0, 2000), 1e9)
    watched = rng.uniform(0, 400.0, 2000)
    found = share_ever(np.minimum(when, watched).tolist(), (when <= watched).tolist(), "x")
    assert found.low < 0.4 < found.high and found.value == pytest.approx(0.4, abs=0.04)  # type: ignore[operator]


def test_rates_and_shares_have_textbook_intervals() -> None:
    rate = per_year(100, 365.25, "x")
    assert (rate.value, rate.low, rate.high) == (100.0, pytest.approx(81.36, abs=0.01), pytest.approx(121.63, abs=0.01))
    part = share(93, 303, "x")  # 30.7 % (25.8 to 36.1), Wilson
    assert (part.low, part.high) == (pytest.approx(0.258, abs=5e-4), pytest.approx(0.361, abs=5e-4))
    assert mean_of([1, 2, 3] * 20, "x").value == 2.0
    assert counted(7, "x").text == "7"


def test_left_truncation_starts_the_count_where_watching_began() -> None:
    times, at_risk, deaths = curve(np.array([5.0, 8.0]), np.array([True, True]), np.array([0.0, 6.0]))
    assert times.tolist() == [5.0, 8.0] and at_risk.tolist() == [1.0, 1.0] and deaths.tolist() == [1.0, 1.0]


def test_too_few_records_give_words_and_impossible_ones_are_refused() -> None:
    """Nineteen cases must not become a force's parameter with a straight face."""
    for few in (
        per_year(19, 100, "x"),
        share(3, 19, "x"),
        mean_of([1.0] * 19, "x"),
        mean_days([1.0] * 19, [True] * 19, ""),
    ):
        assert few.value is None and few.text == "too few records"
    assert mean_days([], [], "x").value is None
    for bad in (
        lambda: per_year(-1, 10, "x"),
        lambda: per_year(5, 0, "x"),
        lambda: share(5, 4, "x"),
        lambda: mean_of([-1.0], "x"),
        lambda: mean_days([-1.0], [True], "x"),
        lambda: mean_days([1.0], [], "x"),
        lambda: share_ever([float("nan")], [True], "x"),
    ):
        with pytest.raises(PlanningError):
            bad()
