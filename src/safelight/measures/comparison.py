"""Compare shares and grades between samples, and say 'not shown' when it is not shown.

A difference is *shown* when its interval leaves out zero and its p value is below 1 - level; it is never called
proven, and 'not shown' is never called 'no difference'. No test makes samples comparable that were drawn differently.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from safelight.measures.checks import LEVEL, k_of_n, share, two_sided_p, whole
from safelight.measures.errors import CountError, EmptySampleError, NotEstimableError, TooFewCasesError
from safelight.measures.intervals import Interval, Proportion, wilson


@dataclass(frozen=True, slots=True)
class StatisticalTest:
    """A test: its statistic, degrees of freedom (0 where there are none), p value, method, and a warning or ''."""

    statistic: float
    df: int
    p: float
    method: str
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two shares side by side: ``difference`` is second minus first, as a share from -1 to 1."""

    first: Proportion
    second: Proportion
    difference: Interval
    test: StatisticalTest
    shown: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One year's sample for :func:`years_table`: ``k`` of ``n``, and whether it was drawn to find weak cases."""

    name: str
    k: int
    n: int
    targeted: bool = False


@dataclass(frozen=True, slots=True)
class Year:
    """One row of the years' table. ``change`` is against the sample before it, None for the first.

    ``p_adjusted`` is Holm's for all changes in the table; ``change.shown`` goes by it.
    """

    sample: Sample
    share: Proportion
    change: Comparison | None
    p_adjusted: float | None
    warning: str


def two_proportions(
    k1: int, n1: int, k2: int, n2: int, *, level: float = LEVEL, names: tuple[str, str] = ("first", "second")
) -> Comparison:
    """Whether a share differs between two independent samples.

    Args:
        k1, n1, k2, n2: cases counted and sampled, first and second sample.
        level: confidence level of the interval; the p value is held against 1 - level.
        names: what the samples are called in the sentence.

    The interval is Newcombe's hybrid score interval (method 10); p is the two-sided score test (the chi-square without
    continuity correction), or Fisher's exact test when an expected count is below 5.
    Assumes independent random samples. Source: Newcombe, Statistics in Medicine 17 (1998) 873.

    Raises:
        EmptySampleError: a sample is empty.
        CountError: k > n, or not counts.
    """
    k1, n1 = k_of_n(k1, n1, names[0])
    k2, n2 = k_of_n(k2, n2, names[1])
    first, second = wilson(k1, n1, level=level), wilson(k2, n2, level=level)
    p1, p2 = k1 / n1, k2 / n2
    change = p2 - p1
    low = change - math.hypot(p2 - second.low, first.high - p1)
    high = change + math.hypot(second.high - p2, p1 - first.low)
    difference = Interval(change, low, high, level, "Newcombe hybrid score")
    pooled = (k1 + k2) / (n1 + n2)
    if min(n1, n2) * min(pooled, 1 - pooled) < 5:
        test = fisher(((k1, n1 - k1), (k2, n2 - k2)))
    else:
        z = change / math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
        test = StatisticalTest(z, 0, two_sided_p(z), "score test for two shares")
    shown = test.p < 1 - level and 0 not in difference
    sentence = _sentence(names, first, second, difference, p_text(test.p), _verdict(shown))
    return Comparison(first, second, difference, test, shown, sentence)


def weighted_change(first: Interval, second: Interval, *, names: tuple[str, str]) -> tuple[Interval, bool, str]:
    """Whether a weighted share differs between two audits, from their intervals: the difference, shown or not, and the
    sentence that says so.

    Args:
        first, second: such as :func:`safelight.measures.weighted_proportion` gives, at one level.

    The interval squares and adds the distances to the bounds (MOVER), as Newcombe's does for simple samples, and is
    the same as his where both intervals are Wilson's. There is no p value: shown is that the interval leaves out zero.
    Assumes independent samples of populations that were drawn by the same rules.
    Source: Zou and Donner, Statistics in Medicine 27 (2008) 1693.

    Raises:
        CountError: intervals of two levels.
    """
    if first.level != second.level:
        raise CountError("The two intervals have different levels.", fix="Compute both at one level.")
    change = second.estimate - first.estimate
    low = change - math.hypot(second.estimate - second.low, first.high - first.estimate)
    high = change + math.hypot(second.high - second.estimate, first.estimate - first.low)
    difference = Interval(change, low, high, first.level, "MOVER")
    shown = 0 not in difference
    return difference, shown, _sentence(names, first, second, difference, "weighted", _verdict(shown))


def _sentence(
    names: tuple[str, str],
    first: Interval,
    second: Interval,
    difference: Interval,
    p: str,
    verdict: str,
) -> str:
    points = f"{difference.estimate * 100:+.1f} points"
    bounds = f"{difference.level * 100:g} % interval {difference.low * 100:+.1f} to {difference.high * 100:+.1f}"
    return (
        f"{names[1]} against {names[0]}: {first.estimate * 100:.1f} to {second.estimate * 100:.1f} %, "
        f"{points} ({bounds}), {p}: {verdict}."
    )


def _verdict(shown: bool) -> str:
    return "a change is shown" if shown else "a change is not shown"


def p_text(p: float) -> str:
    """``p = 0.147``, or ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def chi_square(table: Sequence[Sequence[int]]) -> StatisticalTest:
    """Pearson's chi-square for a table of counts, without continuity correction.

    Args:
        table: at least 2 rows and 2 columns; a row or column that holds nothing is refused, not dropped.

    Warns when an expected count is below 5 (Cochran, Biometrics 10 (1954) 417). Assumes independent cases.

    Raises:
        CountError: ragged or negative.
        EmptySampleError: a row or column sums to nothing.
    """
    from scipy.special import chdtrc

    rows = [[whole(value, "a cell") for value in row] for row in table]
    if len(rows) < 2 or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        raise CountError("The table is not at least 2 by 2 with rows of one length.", fix="Give all cells.")
    sums, columns = [sum(row) for row in rows], [sum(column) for column in zip(*rows, strict=True)]
    if not all(sums) or not all(columns):
        raise EmptySampleError("A row or a column of the table holds no case.", fix="Leave it out and say so.")
    total = sum(sums)
    expected = [[r * c / total for c in columns] for r in sums]
    cells = zip(rows, expected, strict=True)
    statistic = sum((o - e) ** 2 / e for row, want in cells for o, e in zip(row, want, strict=True))
    df = (len(sums) - 1) * (len(columns) - 1)
    least = min(map(min, expected))
    warning = f"the smallest expected count is {least:.1f}: the p value is approximate" if least < 5 else ""
    return StatisticalTest(statistic, df, float(chdtrc(df, statistic)), "Pearson chi-square", warning)


def fisher(table: Sequence[Sequence[int]]) -> StatisticalTest:
    """Fisher's exact test for a 2 by 2 table, two-sided: the tables no likelier than this one, margins fixed.

    ``statistic`` is the sample odds ratio (inf where a zero stands in its denominator).
    Source: Fisher, Statistical Methods for Research Workers (1934) 21.02.

    Raises:
        CountError: not 2 by 2, or negative.
        EmptySampleError: a row is empty.
    """
    if len(table) != 2 or any(len(row) != 2 for row in table):
        raise CountError("Fisher's test needs a table of 2 by 2.", fix="Use chi_square for a larger one.")
    (a, b), (c, d) = ([whole(value, "a cell") for value in row] for row in table)
    if a + b == 0 or c + d == 0:
        raise EmptySampleError("A row of the table holds no case.", fix="Say that nothing was sampled.")
    size, column = a + b, a + c
    ways = {x: math.comb(size, x) * math.comb(c + d, column - x) for x in _possible(size, c + d, column)}
    # Python's whole numbers make the comparison exact: no tolerance is needed for ties.
    p = sum(way for way in ways.values() if way <= ways[a]) / sum(ways.values())
    ratio = (a * d) / (b * c) if b * c else (math.inf if a * d else 1.0)
    return StatisticalTest(ratio, 0, p, "Fisher exact")


def _possible(first: int, second: int, column: int) -> range:
    return range(max(0, column - second), min(first, column) + 1)


def holm(values: Sequence[float]) -> tuple[float, ...]:
    """p values adjusted for how many there are: Holm, Scandinavian Journal of Statistics 6 (1979) 65."""
    order = sorted(range(len(values)), key=lambda i: share(values[i], "a p value"))
    found, running = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        running = max(running, min(1.0, (len(values) - rank) * values[place]))
        found[place] = running
    return tuple(found)


def years_table(samples: Sequence[Sample], *, level: float = LEVEL) -> tuple[Year, ...]:
    """The share in each year with its interval, and the change from the year before, adjusted for looking often.

    Args:
        samples: in order of time; each with at least one case. ``targeted`` marks samples drawn from areas known to be
            weak: their changes are computed and carry a warning, and are never called shown.

    Raises:
        EmptySampleError: no year, or a year without cases: leave it out and say so.
        CountError: k > n.
    """
    if not samples:
        raise EmptySampleError("There is no year to compare.", fix="Give at least one sample.")
    changes = [two_proportions(a.k, a.n, b.k, b.n, level=level, names=(a.name, b.name)) for a, b in pairwise(samples)]
    adjusted = holm([change.test.p for change in changes])
    first = wilson(*k_of_n(samples[0].k, samples[0].n, samples[0].name), level=level)
    rows = [Year(samples[0], first, None, None, _warn(samples[0], None))]
    for before, sample, change, p in zip(samples, samples[1:], changes, adjusted, strict=False):
        warning = _warn(sample, before)
        shown = change.shown and p < 1 - level and not warning
        verdict = f"the samples cannot be compared, {warning}" if warning else _verdict(shown)
        many = f", adjusted for {len(changes)} comparisons" if len(changes) > 1 else ""
        sentence = _sentence(
            (before.name, sample.name), change.first, change.second, change.difference, p_text(p) + many, verdict
        )
        rows.append(Year(sample, change.second, replace(change, shown=shown, sentence=sentence), p, warning))
    return tuple(rows)


def _warn(sample: Sample, before: Sample | None) -> str:
    targeted = [item.name for item in (before, sample) if item is not None and item.targeted]
    return f"{' and '.join(targeted)} drew on areas known to be weak, not at random" if targeted else ""


def mcnemar(b: int, c: int) -> StatisticalTest:
    """Exact McNemar test for pairs: ``b`` pairs differ one way, ``c`` the other.

    Two-sided binomial with p = 1/2. ``statistic`` is b - c. Source: McNemar, Psychometrika 12 (1947) 153.

    Raises:
        TooFewCasesError: no pair differs, so there is nothing to test.
    """
    b, c = whole(b, "b"), whole(c, "c")
    n = b + c
    if n == 0:
        raise TooFewCasesError("No pair differs: there is nothing to test.", fix="Say that all pairs agree.")
    tail = sum(math.comb(n, i) for i in range(min(b, c) + 1))
    return StatisticalTest(float(b - c), 0, min(1.0, 2 * tail / 2**n), "exact McNemar")


def two_means(
    first: Sequence[float], second: Sequence[float], *, level: float = LEVEL
) -> tuple[Interval, StatisticalTest]:
    """Welch's comparison of two means: the difference second minus first, and its test.

    Assumes independent samples, not too skewed for their size. Source: Welch, Biometrika 34 (1947) 28.

    Raises:
        TooFewCasesError: a sample of one.
        NotEstimableError: no spread in either.
    """
    from scipy.special import stdtr, stdtrit

    from safelight.measures.checks import numbers

    a, b = numbers(first, "the first sample"), numbers(second, "the second sample")
    if min(a.size, b.size) < 2:
        raise TooFewCasesError("A sample has one case: its spread cannot be known.", fix="Give at least two.")
    va, vb = float(a.var(ddof=1)) / a.size, float(b.var(ddof=1)) / b.size
    if va + vb == 0:
        raise NotEstimableError("All values of each sample are equal: there is no spread to test against.")
    df = (va + vb) ** 2 / (va**2 / (a.size - 1) + vb**2 / (b.size - 1))
    change, error = float(b.mean() - a.mean()), math.sqrt(va + vb)
    half = float(stdtrit(df, 0.5 + share(level, "level", open_ended=True) / 2)) * error
    p = 2 * float(stdtr(df, -abs(change) / error))
    test = StatisticalTest(change / error, 0, p, f"Welch, {df:.1f} degrees of freedom")
    return Interval(change, change - half, change + half, level, "Welch"), test
