"""Comparison: the chi-squares and differences of the facts, scipy and statsmodels, and 'not shown' where it is so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from safelight.measures.comparison import (
    Sample,
    chi_square,
    fisher,
    holm,
    mcnemar,
    two_means,
    two_proportions,
    weighted_change,
    years_table,
)
from safelight.measures.errors import CountError, EmptySampleError, NotEstimableError, TooFewCasesError
from safelight.measures.intervals import wilson

Y2016, Y2018, Y2021, Q3 = (96, 278), (93, 127, 83), (54, 63, 53), (10, 64, 61)


def test_improvement_from_2016_to_2018_is_not_shown() -> None:
    """Lost: the sentence that the founding reports should have printed."""
    found = two_proportions(278, 374, 210, 303, names=("2016", "2018/19"))
    assert not found.shown
    assert found.test.p == pytest.approx(0.147, abs=0.0005)
    difference = found.difference
    assert [round(x * 100, 1) for x in (difference.estimate, difference.low, difference.high)] == [-5.0, -11.8, 1.8]
    assert found.sentence == (
        "2018/19 against 2016: 74.3 to 69.3 %, -5.0 points (95 % interval -11.8 to +1.8), p = 0.147: "
        "a change is not shown."
    )


def test_a_change_that_is_there_is_called_shown() -> None:
    """Lost: caution that never says yes."""
    found = two_proportions(10, 135, 93, 303)
    assert found.shown and found.sentence.endswith("p < 0.001: a change is shown.")


def test_newcombes_own_example() -> None:
    """Lost: the method that the report names. 56 of 70 against 48 of 80: 0.0524 to 0.3339 (Newcombe 1998, table II)."""
    found = two_proportions(48, 80, 56, 70).difference
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0, 1), st.floats(0, 1))
def test_the_difference_is_statsmodels(n1: int, n2: int, a: float, b: float) -> None:
    """Lost: trust in the arithmetic."""
    k1, k2 = round(a * n1), round(b * n2)
    found = two_proportions(k1, n1, k2, n2)
    low, high = confint_proportions_2indep(k2, n2, k1, n1, method="newcomb", compare="diff")
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high), abs=1e-9)
    assert 0 <= found.test.p <= 1


def test_the_chi_squares_of_the_facts() -> None:
    """Lost: the published comparison of years."""
    for table, statistic, df in (
        ([Y2018, Y2021], 1.222, 2),
        ([Q3, Y2018], 31.172, 2),
        ([Y2016, (93, 210)], 2.100, 1),
    ):
        found = chi_square(table)
        assert (round(found.statistic, 3), found.df) == (statistic, df)
        other = stats.chi2_contingency(table, correction=False)
        assert (found.statistic, found.p) == pytest.approx((other.statistic, other.pvalue))
        assert not found.warning
    assert "smallest expected count is 1.5" in chi_square([(1, 9), (2, 8)]).warning


def test_fisher_is_exact() -> None:
    """Lost: small online samples. The facts: 85.3 against 67.3 %, p = .031; sent back 44.1 against 10.2 %, p = 2e-6."""
    assert fisher([(29, 5), (181, 88)]).p == pytest.approx(0.031, abs=0.0005)
    assert fisher([(15, 19), (38, 336)]).p == pytest.approx(2e-6, rel=0.1)
    assert fisher([(3, 1), (1, 3)]).p == pytest.approx(34 / 70)  # the lady tasting tea, two-sided


@given(st.lists(st.integers(0, 25), min_size=4, max_size=4))
def test_fisher_is_scipys(cells: list[int]) -> None:
    """Lost: trust in the arithmetic."""
    table = [cells[:2], cells[2:]]
    if all(map(sum, table)):
        assert fisher(table).p == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


def test_small_counts_use_the_exact_test() -> None:
    """Lost: a p value from a formula that needs more cases than there are."""
    found = two_proportions(0, 10, 3, 12)
    assert found.test.method == "Fisher exact"
    assert found.test.p == pytest.approx(stats.fisher_exact([[0, 10], [3, 9]]).pvalue)


def test_years_say_what_cannot_be_compared() -> None:
    """Lost: a trend drawn through samples that were aimed at weak areas."""
    rows = years_table(
        [
            Sample("2016", 96, 374),
            Sample("2017 Q3", 10, 135, True),
            Sample("2018", 93, 303),
            Sample("2021", 54, 170),
        ]
    )
    assert rows[0].change is None
    changes = [row.change for row in rows[1:]]
    assert [change is not None and change.shown for change in changes] == [False, False, False]
    assert changes[0] is not None and changes[2] is not None
    assert "cannot be compared, 2017 Q3 drew on areas known to be weak" in changes[0].sentence
    assert changes[2].sentence.endswith("adjusted for 3 comparisons: a change is not shown.")
    plain = years_table([Sample("one", 10, 135), Sample("two", 93, 303)])[1]
    assert plain.change is not None and plain.change.shown and plain.p_adjusted == plain.change.test.p
    with pytest.raises(EmptySampleError, match="2019 is empty"):
        years_table([Sample("2018", 1, 2), Sample("2019", 0, 0)])
    with pytest.raises(EmptySampleError):
        years_table([])


@pytest.mark.parametrize("values", [[0.5], [0.01, 0.04, 0.03], [0.2, 0.001, 0.2, 0.0], [1.0, 0.9, 0.02, 0.02, 0.3]])
def test_holm_is_statsmodels(values: list[float]) -> None:
    """Lost: false signals among many comparisons."""
    assert holm(values) == pytest.approx(tuple(multipletests(values, method="holm")[1]))


def test_mcnemar_at_the_bound() -> None:
    """Lost: the proof that 74 contradictions are no accident."""
    assert mcnemar(74, 0).p == pytest.approx(1e-22, rel=0.1)
    assert mcnemar(10, 2).p == pytest.approx(stats.binomtest(2, 12).pvalue)
    assert mcnemar(5, 5).p == 1
    with pytest.raises(TooFewCasesError):
        mcnemar(0, 0)


def test_means_are_scipys() -> None:
    """Lost: days compared as if all groups varied alike."""
    first, second = [1.0, 2.0, 4.0, 9.0], [3.0, 8.0, 9.0, 30.0, 12.0]
    difference, test = two_means(first, second)
    other = stats.ttest_ind(second, first, equal_var=False)
    interval = other.confidence_interval()
    assert test.p == pytest.approx(other.pvalue)
    assert (difference.low, difference.high) == pytest.approx((interval.low, interval.high))
    with pytest.raises(TooFewCasesError):
        two_means([1.0], second)
    with pytest.raises(NotEstimableError):
        two_means([1.0, 1.0], [2.0, 2.0])


def test_tables_that_hold_nothing_are_refused() -> None:
    """Lost: a division by zero where a unit had no case."""
    with pytest.raises(EmptySampleError):
        chi_square([(0, 0), (1, 2)])
    with pytest.raises(EmptySampleError):
        chi_square([(1, 0), (2, 0)])
    with pytest.raises(CountError):
        chi_square([(1, 2), (3,)])
    with pytest.raises(CountError):
        fisher([(1, 2, 3), (1, 2, 3)])
    with pytest.raises(EmptySampleError):
        fisher([(0, 0), (1, 2)])
    with pytest.raises(EmptySampleError, match="second is empty"):
        two_proportions(1, 2, 0, 0)


def test_a_weighted_change_is_newcombes_where_both_samples_are_simple() -> None:
    """Lost: two weighted audits compared as if they were simple samples."""
    plain = two_proportions(96, 374, 93, 303)
    difference, shown, sentence = weighted_change(wilson(96, 374), wilson(93, 303), names=("2016", "2018"))
    assert (difference.low, difference.high) == pytest.approx((plain.difference.low, plain.difference.high))
    assert not shown and sentence.endswith("weighted: a change is not shown.")
    assert weighted_change(wilson(10, 135), wilson(93, 303), names=("a", "b"))[1]
    with pytest.raises(CountError, match="levels"):
        weighted_change(wilson(1, 9), wilson(1, 9, level=0.9), names=("a", "b"))
