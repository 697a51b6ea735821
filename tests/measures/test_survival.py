"""Survival: a slow curve written from the definition, Freireich's published figures, and statsmodels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight, survdiff

from safelight.measures.errors import CountError, EmptySampleError, MeasuresError, NotEstimableError
from safelight.measures.intervals import wilson
from safelight.measures.survival import (
    clock_summary,
    cumulative_incidence,
    kaplan_meier,
    log_rank,
    rmst_difference,
    z_test,
)

# Freireich and others, Blood 21 (1963) 699: weeks in remission; the most published survival data there are.
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
TREATED_ENDED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
ALL = [1] * 21

clocks = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=30)


def slow_curve(rows: Sequence[tuple[int, bool]]) -> dict[int, Fraction]:
    """Kaplan and Meier by the definition, in fractions: of those still watched at each time, how many are met."""
    share, found = Fraction(1), {}
    for time in sorted({time for time, met in rows if met}):
        watched = sum(1 for other, _ in rows if other >= time)
        met = sum(1 for other, done in rows if done and other == time)
        share *= 1 - Fraction(met, watched)
        found[time] = share
    return found


@given(clocks)
def test_the_curve_is_the_slow_one(rows: list[tuple[int, bool]]) -> None:
    """Lost: every figure about time."""
    curve = kaplan_meier(*zip(*rows, strict=True))
    assert dict(zip(curve.times.tolist(), curve.survival.tolist(), strict=True)) == {
        time: pytest.approx(float(share)) for time, share in slow_curve(rows).items()
    }
    assert (curve.n, curve.ended) == (len(rows), sum(met for _, met in rows))
    assert (curve.low <= curve.survival + 1e-12).all() and (curve.survival <= curve.high + 1e-12).all()


@given(clocks, st.integers(0, 12))
def test_the_restricted_mean_is_the_area_of_the_slow_curve(rows: list[tuple[int, bool]], limit: int) -> None:
    """Lost: mean time open, by a formula nobody checked."""
    curve = kaplan_meier(*zip(*rows, strict=True))
    slow = slow_curve(rows)
    if limit > max(time for time, _ in rows) and not (slow and min(slow.values()) == 0):
        with pytest.raises(NotEstimableError):
            curve.rmst(limit)
        return
    area = sum(min([share for time, share in slow.items() if time <= day], default=Fraction(1)) for day in range(limit))
    found = curve.rmst(limit)
    assert found.estimate == pytest.approx(float(area))
    assert found.low <= found.estimate <= found.high


def test_freireichs_published_figures() -> None:
    """Lost: agreement with every textbook."""
    curve = kaplan_meier(TREATED, TREATED_ENDED)
    assert curve.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.survival.round(3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert curve.quantile() == (23, 13, None)
    assert kaplan_meier(PLACEBO, ALL).quantile()[0] == 8
    found = log_rank({"6-MP": (TREATED, TREATED_ENDED), "placebo": (PLACEBO, ALL)})
    assert (round(found.statistic, 2), found.df) == (16.79, 1)


def _random(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dice = np.random.default_rng(seed)
    finish, seen = dice.exponential(6, n), dice.uniform(0, 20, n)
    return np.minimum(finish, seen).round(1), finish <= seen, dice.integers(0, 3, n)


def test_statsmodels_agrees() -> None:
    """Lost: trust in the arithmetic."""
    for seed in range(3):
        time, met, group = _random(seed)
        curve, other = kaplan_meier(time, met), SurvfuncRight(time, met.astype(int))
        places = np.searchsorted(other.surv_times, curve.times)
        share, error = other.surv_prob[places], other.surv_prob_se[places]
        assert curve.survival == pytest.approx(share)
        inside = (curve.survival > 0) & (curve.survival < 1)
        spread = 1.959963985 * error[inside] / (share[inside] * np.log(share[inside]))  # the log-log interval
        assert curve.low[inside] == pytest.approx(share[inside] ** np.exp(-spread))
        assert curve.high[inside] == pytest.approx(share[inside] ** np.exp(spread))
        assert curve.quantile()[0] == other.quantile(0.5)
        ours = log_rank({str(g): (time[group == g], met[group == g]) for g in range(3)})
        statistic, p = survdiff(time, met.astype(int), group)
        assert (ours.statistic, ours.p, ours.df) == pytest.approx((statistic, p, 2))


def test_competing_ends_are_aalen_johansen() -> None:
    """Lost: cases closed without a referral counted as if they would still be referred."""
    time, met, group = _random(5, 300)
    causes = np.where(met, 1 + (group == 0), 0)
    found = cumulative_incidence(time, causes, 1, 8.0)
    other = CumIncidenceRight(time, causes)
    place = np.searchsorted(other.times, 8.0, side="right") - 1
    assert found.estimate == pytest.approx(float(other.cinc[0][place]), abs=1e-9)
    variance = float(other.cinc_se[0][place]) ** 2
    effective = found.estimate * (1 - found.estimate) / variance
    middle = (found.estimate + 1.959964**2 / (2 * effective)) / (1 + 1.959964**2 / effective)
    assert (found.low + found.high) / 2 == pytest.approx(middle, abs=2e-3)
    total = sum(cumulative_incidence(time, causes, cause, 8.0).estimate for cause in (1, 2))
    assert total == pytest.approx(1 - kaplan_meier(time, met).at(8.0))
    naive = 1 - kaplan_meier(time, causes == 1).at(8.0)
    assert naive > found.estimate


def test_open_clocks_are_counted_where_finished_ones_flatter() -> None:
    """Lost: '66 % within 5 days' when it is 51 %: the founding case for this module."""
    dice = np.random.default_rng(8)
    age, truth = dice.uniform(0, 30, 3_000), dice.exponential(4.6 / math.log(2), 3_000)
    found = clock_summary(np.minimum(age, truth), truth <= age, 5.0)
    assert found.finished_median is not None and found.finished_median < 4.2
    assert found.median is not None and found.median == pytest.approx(4.6, abs=0.35)
    assert found.met is not None and found.finished_met is not None
    assert float((truth <= 5).mean()) in found.met and found.finished_met > found.met.high
    assert found.n == found.ended + found.still_open == 3_000


@given(st.lists(st.integers(0, 12), min_size=1, max_size=40), st.integers(0, 12))
def test_without_open_clocks_the_share_is_wilsons(times: list[int], limit: int) -> None:
    """Lost: two intervals for one share."""
    found = kaplan_meier(times, [True] * len(times)).met_within(limit)
    plain = wilson(sum(time <= limit for time in times), len(times))
    assert (found.estimate, found.low, found.high) == pytest.approx((plain.estimate, plain.low, plain.high))


def test_the_share_met_covers_under_censoring() -> None:
    """Lost: '95 %' that holds for textbooks only."""
    dice, covered = np.random.default_rng(2), 0
    for _ in range(1_000):
        finish, seen = dice.exponential(6, 60), dice.uniform(0, 20, 60)
        found = kaplan_meier(np.minimum(finish, seen), finish <= seen)
        covered += 1 - math.exp(-5 / 6) in found.met_within(5)
    assert covered / 1_000 > 0.93


def test_what_nobody_watched_is_not_guessed() -> None:
    """Lost: a median or a share read off beyond the data."""
    found = clock_summary([1, 2, 3, 3], [True, False, False, False], 10)
    assert found.met is None and found.mean_within is None and found.median is None
    assert "No clock was watched until 10: the longest is 3" in found.note and "no median yet" in found.note
    none_met = clock_summary([4, 5, 6], [0, 0, 0], 4)
    assert none_met.met is not None and none_met.met.estimate == none_met.met.low == 0 and none_met.met.high > 0.5
    assert none_met.finished_median is None and none_met.mean_within is not None and none_met.mean_within.estimate == 4


def test_all_met_at_once() -> None:
    """Lost: a division by zero on the best day."""
    found = clock_summary([0, 0, 0], [1, 1, 1], 1)
    assert found.met is not None and found.met.estimate == found.met.high == 1 and found.met.low < 0.5
    assert found.median == 0 and found.mean_within is not None and found.mean_within.estimate == 0


def test_the_difference_of_means_has_its_interval() -> None:
    """Lost: which unit is slower, and by how much."""
    first, second = kaplan_meier(PLACEBO, ALL), kaplan_meier(TREATED, TREATED_ENDED)
    found = rmst_difference(first, second, 20)
    assert found.estimate == pytest.approx(second.rmst(20).estimate - first.rmst(20).estimate)
    assert found.low > 0 and z_test(found) < 0.001


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: kaplan_meier([], []), EmptySampleError),
        (lambda: kaplan_meier([1, -1], [1, 1]), CountError),
        (lambda: kaplan_meier([1, float("nan")], [1, 1]), CountError),
        (lambda: kaplan_meier([1, 2], [1]), CountError),
        (lambda: kaplan_meier([1, 2], [1, 2]), CountError),
        (lambda: kaplan_meier([1, 2], [1, 1]).met_within(float("nan")), CountError),
        (lambda: log_rank({"a": ([1], [1])}), NotEstimableError),
        (lambda: log_rank({"a": ([1], [0]), "b": ([2], [0])}), NotEstimableError),
        (lambda: log_rank({"a": ([], []), "b": ([2], [0])}), EmptySampleError),
        (lambda: cumulative_incidence([1, 2], [1, 0.5], 1, 1), CountError),
    ],
)
def test_bad_clocks_are_refused(call: object, error: type[MeasuresError]) -> None:
    """Lost: a clock that ran backwards, averaged away."""
    with pytest.raises(error):
        call()  # type: ignore[operator]
