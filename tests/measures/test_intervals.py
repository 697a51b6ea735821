"""Intervals: against the founding figures, scipy and statsmodels, and by counting every possible sample."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from safelight.measures.errors import CountError, EmptySampleError, MeasuresError
from safelight.measures.intervals import clopper_pearson, hypergeometric, proportion, wilson

# Planning facts: k, n, Wilson low and high in per cent.
PUBLISHED = [
    (278, 374, 69.7, 78.5),
    (38, 374, 7.5, 13.6),
    (100, 132, 67.8, 82.3),
    (106, 132, 72.7, 86.2),
    (39, 40, 87.1, 99.6),
    (93, 303, 25.8, 36.1),
    (127, 303, 36.5, 47.5),
    (83, 303, 22.7, 32.7),
    (210, 303, 63.9, 74.2),
    (29, 34, 69.9, 93.6),
    (15, 34, 28.9, 60.5),
    (191, 214, 84.4, 92.7),
    (96, 374, 21.5, 30.3),
    (10, 135, 4.1, 13.1),
    (23, 214, 7.3, 15.6),
    (54, 170, 25.2, 39.1),
]
EXACT = [(39, 40, 86.8, 99.9), (29, 34, 68.9, 95.0), (15, 34, 27.2, 62.1)]


@pytest.mark.parametrize(("k", "n", "low", "high"), PUBLISHED)
def test_the_founding_figures_have_the_intervals_that_were_checked_by_hand(
    k: int, n: int, low: float, high: float
) -> None:
    """Lost: a published share with a wrong interval under it."""
    found = proportion(k, n)
    assert (round(found.low * 100, 1), round(found.high * 100, 1)) == (low, high)
    assert found.method == "Wilson score"


@pytest.mark.parametrize(("k", "n", "low", "high"), EXACT)
def test_exact_intervals_are_those_of_the_facts(k: int, n: int, low: float, high: float) -> None:
    """Lost: a figure for a court with an interval that does not cover."""
    found = proportion(k, n, exact=True)
    assert (round(found.low * 100, 1), round(found.high * 100, 1)) == (low, high)


@given(
    st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95, 0.99])
)
def test_two_packages_agree(kn: tuple[int, int], level: float) -> None:
    """Lost: trust in the arithmetic."""
    k, n = kn
    for ours, theirs in (
        (wilson(k, n, level=level), proportion_confint(k, n, 1 - level, "wilson")),
        (clopper_pearson(k, n, level=level), proportion_confint(k, n, 1 - level, "beta")),
    ):
        low, high = theirs
        assert ours.low == pytest.approx(0.0 if math.isnan(low) else low, abs=1e-9)
        assert ours.high == pytest.approx(1.0 if math.isnan(high) else high, abs=1e-9)
        assert 0 <= ours.low <= k / n <= ours.high <= 1
    scipy = binomtest(k, n).proportion_ci(level, "wilson")
    assert (wilson(k, n, level=level).low, wilson(k, n, level=level).high) == pytest.approx(
        (scipy.low, scipy.high), abs=1e-9
    )


def _tails(k: int, n: int, total: int, size: int) -> tuple[Fraction, Fraction]:
    ways = [math.comb(total, x) * math.comb(size - total, n - x) for x in range(n + 1)]
    whole = sum(ways)
    return Fraction(sum(ways[k:]), whole), Fraction(sum(ways[: k + 1]), whole)


@pytest.mark.parametrize(("n", "size"), [(1, 1), (3, 7), (10, 30), (12, 60), (29, 30)])
def test_the_hypergeometric_interval_is_the_slow_one_and_covers_every_population(n: int, size: int) -> None:
    """Lost: a sample of most of a unit's cases shown as if it were a drop in the sea; or an interval that lies."""
    tail = Fraction(1, 40)
    slow = {}
    for k in range(n + 1):
        kept = [t for t in range(k, size - n + k + 1) if min(_tails(k, n, t, size)) > tail]
        slow[k] = (min(kept) / size, max(kept) / size)
        found = hypergeometric(k, n, size)
        assert (found.low, found.high) == pytest.approx(slow[k]), k
    for total in range(size + 1):
        ways = [math.comb(total, x) * math.comb(size - total, n - x) for x in range(n + 1)]
        caught = sum(w for k, w in enumerate(ways) if slow[k][0] <= total / size <= slow[k][1])
        assert caught / sum(ways) >= 0.95


def test_large_populations_are_quick_and_agree_with_the_binomial() -> None:
    """Lost: a page that hangs on a big force, or a jump where the correction sets in."""
    found = hypergeometric(3000, 10_000, 1_000_000_000)
    binomial = clopper_pearson(3000, 10_000)
    assert (found.low, found.high) == pytest.approx((binomial.low, binomial.high), abs=1e-5)


def test_the_method_follows_the_part_that_was_sampled() -> None:
    """Lost: 303 of 500 cases shown as uncertain as 303 of a million."""
    assert proportion(93, 303, 100_000).method == "Wilson score"
    assert proportion(93, 303, 6_060).method == "Wilson score"  # 5 % exactly
    assert proportion(93, 303, 6_059).method == "exact hypergeometric"
    narrow, wide = proportion(93, 303, 500), proportion(93, 303)
    assert narrow.high - narrow.low < wide.high - wide.low
    census = proportion(93, 303, 303)
    assert (census.low, census.high) == (93 / 303, 93 / 303) and "census" in census.method


def test_nobody_and_everybody_have_an_interval() -> None:
    """Lost: 0 of 12 read as never, which a Wald interval says."""
    assert wilson(0, 12).low == 0 and 0.2 < wilson(0, 12).high < 0.25
    assert wilson(12, 12).high == 1 and 0.75 < wilson(12, 12).low < 0.8
    assert clopper_pearson(0, 12).high == pytest.approx(1 - 0.025 ** (1 / 12))


def test_coverage_is_kept_where_wald_fails() -> None:
    """Lost: '95 %' that covers 64 % at n = 40, p = 0.975, as planning measured for Wald."""
    n, p = 40, 0.975
    chances = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    assert sum(c for k, c in enumerate(chances) if p in wilson(k, n)) == pytest.approx(0.922, abs=0.001)
    assert sum(c for k, c in enumerate(chances) if p in clopper_pearson(k, n)) == pytest.approx(0.983, abs=0.001)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: proportion(0, 0), EmptySampleError, "empty"),
        (lambda: proportion(5, 3), CountError, "k = 5 is more than n = 3"),
        (lambda: proportion(-1, 3), CountError, "less than 0"),
        (lambda: proportion(1.5, 3), CountError, "not a whole number"),  # type: ignore[arg-type]
        (lambda: proportion(True, 3), CountError, "not a whole number"),
        (lambda: proportion(float("nan"), 3), CountError, "not a whole number"),  # type: ignore[arg-type]
        (lambda: proportion(float("inf"), 3), CountError, "not a whole number"),  # type: ignore[arg-type]
        (lambda: proportion(1, 30, 20), CountError, "larger than its population"),
        (lambda: wilson(1, 3, level=95), CountError, "between 0 and 1"),
    ],
)
def test_bad_counts_are_refused_in_words(call: object, error: type[MeasuresError], says: str) -> None:
    """Lost: a figure made of a wrong denominator."""
    with pytest.raises(error, match=says):
        call()  # type: ignore[operator]


def test_the_text_for_a_report() -> None:
    """Lost: a share printed without its interval."""
    assert proportion(93, 303).text() == "30.7 % (95 % interval 25.8 to 36.1)"
