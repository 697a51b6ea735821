"""Self against inspector: bias, tests, the bound from margins, and scales that may not be mixed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import SquareTable

from safelight.measures.agreement import (
    GradeTable,
    ScaleMapping,
    bound_from_margins,
    bowker,
    compare_grades,
    grade_table,
    optimism_bias,
    stuart_maxwell,
)
from safelight.measures.errors import CountError, EmptySampleError, ScaleMismatchError
from safelight.standards import load_standards

CASE, FORCE = load_standards().grades["case"], load_standards().grades["force"]
DECLARED = ScaleMapping(
    "force",
    "case",
    {
        "outstanding": "good",
        "good": "good",
        "adequate": "good",
        "requires_improvement": "requires_improvement",
        "inadequate": "inadequate",
    },
    "Head of audit",
    "The force counted adequate as good enough in 2016.",
)
# A synthetic table with the 2016 margins: 106 of 132 favourable to the force, 100 below good to the inspector.
TABLE = GradeTable("case", ("good", "requires_improvement", "inadequate"), ((28, 50, 28), (3, 9, 6), (1, 4, 3)))


def test_grades_of_two_scales_are_not_compared_without_a_declared_mapping() -> None:
    """Lost: 'adequate' counted against 'requires improvement' by somebody's silent choice."""
    pairs = [("adequate", "requires_improvement"), ("good", "good"), ("inadequate", "inadequate")]
    with pytest.raises(ScaleMismatchError, match="Declare a mapping"):
        grade_table(pairs, FORCE, CASE)
    table = grade_table(pairs, FORCE, CASE, DECLARED)
    assert table.counts == ((1, 1, 0), (0, 0, 0), (0, 0, 1))
    assert table.mapping is DECLARED and table.scale == "case"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": "case"}, "The mapping goes from 'case'"),
        ({"grades": {"good": "good"}}, "gap or an unknown grade"),
        ({"grades": {**DECLARED.grades, "adequate": "acceptable"}}, "gap or an unknown grade"),
        ({"grades": {**DECLARED.grades, "good": "inadequate"}}, "better grade into a worse"),
        ({"declared_by": " "}, "who declared it"),
    ],
)
def test_a_mapping_with_a_hole_is_refused(change: dict[str, object], says: str) -> None:
    """Lost: a mapping that nobody answers for."""
    fields = {name: getattr(DECLARED, name) for name in ("source", "target", "grades", "declared_by", "reason")}
    with pytest.raises(ScaleMismatchError, match=says):
        grade_table([("good", "good")], FORCE, CASE, ScaleMapping(**{**fields, **change}))


def test_a_grade_from_another_scale_is_refused() -> None:
    """Lost: a mistyped or foreign grade, counted as none."""
    with pytest.raises(ScaleMismatchError, match="'adequate' is not a grade of scale 'case'"):
        grade_table([("adequate", "good")], CASE, CASE)
    with pytest.raises(ScaleMismatchError, match="a mapping was given"):
        grade_table([("good", "good")], CASE, CASE, DECLARED)
    with pytest.raises(EmptySampleError):
        grade_table([], CASE, CASE)


def test_the_bound_of_2016() -> None:
    """Lost: at least 74 of 132, the test that no news story made."""
    bound = bound_from_margins(106, 100, 132)
    assert (bound.at_least, bound.at_most) == (74, 100)
    assert round(bound.share_at_least * 100) == 56
    assert bound.kappa_high == pytest.approx(0.146, abs=0.0005)
    assert bound.kappa_low == pytest.approx(-0.455, abs=0.0005)
    assert bound.test is not None and bound.test.p == pytest.approx(1e-22, rel=0.1)


@pytest.mark.parametrize("n", [1, 5, 8])
def test_the_bound_holds_for_every_table_there_is(n: int) -> None:
    """Lost: 'at least' that is not."""
    for kind, critical in itertools.product(range(n + 1), repeat=2):
        bound = bound_from_margins(kind, critical, n)
        possible = []
        for both in range(n + 1):
            rest = (kind - both, critical - both, n - kind - critical + both)
            if min(rest) < 0:
                continue
            chance = (kind * (n - critical) + (n - kind) * critical) / n**2
            alike = (rest[0] + rest[1]) / n
            possible.append((both, None if chance == 1 else (alike - chance) / (1 - chance)))
        assert (bound.at_least, bound.at_most) == (possible[0][0], possible[-1][0])
        if bound.kappa_low is not None and bound.kappa_high is not None:
            kappas = [value for _, value in possible if value is not None]
            assert (bound.kappa_low, bound.kappa_high) == pytest.approx((min(kappas), max(kappas)))


def test_the_bias_is_in_grades_and_kinder_is_positive() -> None:
    """Lost: the one number that is clear when the coefficients contradict each other."""
    found = optimism_bias(TABLE, seed=4)
    cells = [(i, j, TABLE.counts[i][j]) for i in range(3) for j in range(3)]
    differences = np.repeat([j - i for i, j, _ in cells], [c for _, _, c in cells])
    assert found.estimate == pytest.approx(differences.mean())
    error = differences.std(ddof=1) / np.sqrt(132)
    assert found.low == pytest.approx(found.estimate - 1.96 * error, abs=0.02)
    assert found.high == pytest.approx(found.estimate + 1.96 * error, abs=0.02)
    assert found == optimism_bias(TABLE, seed=4)
    mirrored = GradeTable("case", TABLE.grades, tuple(zip(*TABLE.counts, strict=True)))
    assert optimism_bias(mirrored, seed=4).estimate == -found.estimate


def test_the_tests_are_statsmodels() -> None:
    """Lost: trust in the arithmetic."""
    square = SquareTable(np.array(TABLE.counts), shift_zeros=False)
    same, symmetric = square.homogeneity(), square.symmetry()
    ours = stuart_maxwell(TABLE.counts), bowker(TABLE.counts)
    assert (ours[0].statistic, ours[0].p, ours[0].df) == pytest.approx((same.statistic, same.pvalue, same.df))
    assert (ours[1].statistic, ours[1].p, ours[1].df) == pytest.approx(
        (symmetric.statistic, symmetric.pvalue, symmetric.df)
    )


def test_two_grades_make_both_tests_mcnemars() -> None:
    """Lost: the degrees of freedom when a grade is never used."""
    table = ((5, 9, 0), (2, 4, 0), (0, 0, 0))
    for test in (stuart_maxwell(table), bowker(table)):
        assert (test.statistic, test.df) == (pytest.approx((9 - 2) ** 2 / 11), 1)


def test_everything_side_by_side() -> None:
    """Lost: one coefficient picked because it looks best."""
    found = compare_grades(TABLE, resamples=500)
    assert [item.name for item in found.coefficients] == [
        "Cohen's kappa",
        "Cohen's kappa",
        "Gwet's AC2",
        "Brennan-Prediger",
        "Krippendorff's alpha",
    ]
    assert found.same.k + found.kinder.k + found.stricter.k == TABLE.n == 132
    assert found.bias.low > 0 and not found.reasons
    assert (TABLE.self_margin[0], sum(TABLE.inspector_margin[1:])) == (106, 100)


def test_all_grades_equal_is_said_and_not_divided_by() -> None:
    """Lost: NaN on a page, or kappa 0 for full agreement."""
    found = compare_grades(GradeTable("case", TABLE.grades, ((0, 0, 0), (0, 12, 0), (0, 0, 0))), resamples=500)
    assert (found.bias.low, found.bias.estimate, found.bias.high) == (0, 0, 0)
    assert found.stuart_maxwell is None and found.bowker is None
    values = {item.name: item.value for item in found.coefficients}
    assert values["Cohen's kappa"] is None and values["Krippendorff's alpha"] is None
    assert values["Gwet's AC2"] == values["Brennan-Prediger"] == 1
    assert len(found.reasons) == 5


def test_tables_that_are_none_are_refused() -> None:
    """Lost: a wrong shape read as grades."""
    with pytest.raises(CountError, match="not 3 by 3"):
        GradeTable("case", TABLE.grades, ((1, 2), (3, 4)))
    with pytest.raises(CountError):
        GradeTable("case", ("good", "bad"), ((1, -2), (3, 4)))
    with pytest.raises(EmptySampleError):
        GradeTable("case", ("good", "bad"), ((0, 0), (0, 0)))
    with pytest.raises(CountError):
        bound_from_margins(133, 100, 132)
