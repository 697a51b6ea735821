"""Coefficients of agreement: published values of irrCAC and Krippendorff, and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from safelight.measures.coefficients import (
    alpha_from_table,
    brennan_prediger,
    cohen_kappa,
    gwet_ac2,
    krippendorff_alpha,
)
from safelight.measures.errors import CountError, EmptySampleError

# Published with irrCAC (Gwet): cont3x3abstractors, two abstractors, 100 patients.
ABSTRACTORS = ((13, 0, 0), (0, 20, 7), (0, 4, 56))
# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: four observers, twelve units, gaps.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def test_irrcac_publishes_the_same() -> None:
    """Lost: figures that another office cannot repeat with the usual package."""
    assert cohen_kappa(ABSTRACTORS).value == pytest.approx(0.7964094, abs=1e-7)
    assert gwet_ac2(ABSTRACTORS, "identity").value == pytest.approx(0.8493305, abs=1e-7)
    assert brennan_prediger(ABSTRACTORS, "identity").value == pytest.approx(0.835)
    assert alpha_from_table(ABSTRACTORS, "nominal").value == pytest.approx(0.7972585, abs=1e-7)
    assert round(gwet_ac2(ABSTRACTORS, "linear").value or 0, 3) == 0.900
    assert round(gwet_ac2(ABSTRACTORS, "quadratic").value or 0, 3) == 0.940


@pytest.mark.parametrize(("metric", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorff_publishes_the_same(metric: str, value: float) -> None:
    """Lost: agreement of several auditors with gaps."""
    found = krippendorff_alpha(list(zip(*OBSERVERS, strict=True)), [1, 2, 3, 4, 5], metric)  # type: ignore[arg-type]
    assert round(found.value or 0, 3) == value


tables = st.integers(2, 4).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, 30), min_size=size, max_size=size), min_size=size, max_size=size)
)


@given(tables)
def test_kappa_is_statsmodels_and_alpha_of_a_table_is_alpha_of_its_cases(table: list[list[int]]) -> None:
    """Lost: trust in the arithmetic."""
    counts = np.array(table)
    if counts.sum() < 2:
        return
    for weights, name in (("linear", "linear"), ("quadratic", "quadratic")):
        found = cohen_kappa(table, weights)  # type: ignore[arg-type]
        if found.value is not None and found.chance is not None and found.chance < 0.999:
            assert found.value == pytest.approx(cohens_kappa(counts, wt=name, return_results=False), abs=1e-9)
    pairs = [(i, j) for i, row in enumerate(table) for j, times in enumerate(row) for _ in range(times)]
    for metric in ("nominal", "ordinal", "interval"):
        one = alpha_from_table(table, metric)  # type: ignore[arg-type]
        two = krippendorff_alpha(pairs, range(len(table)), metric)  # type: ignore[arg-type]
        assert one.value == (None if two.value is None else pytest.approx(two.value))


def test_chance_levels() -> None:
    """Lost: the zero point. Grades at random give about 0, full agreement gives 1."""
    even, full = ((25, 25), (25, 25)), ((30, 0), (0, 10))
    for coefficient in (cohen_kappa, gwet_ac2, brennan_prediger):
        assert coefficient(even).value == pytest.approx(0)  # type: ignore[operator]
        assert coefficient(full).value == pytest.approx(1)  # type: ignore[operator]


def test_bad_tables_are_refused() -> None:
    """Lost: a coefficient of nothing."""
    with pytest.raises(EmptySampleError):
        cohen_kappa(((0, 0), (0, 0)))
    with pytest.raises(CountError):
        gwet_ac2(((1, 2, 3), (4, 5, 6)))
    with pytest.raises(CountError, match="weights 'cubic'"):
        cohen_kappa(ABSTRACTORS, "cubic")  # type: ignore[arg-type]
    with pytest.raises(CountError, match="metric"):
        alpha_from_table(ABSTRACTORS, "ratio")  # type: ignore[arg-type]
    with pytest.raises(CountError, match="'x' is not one of the grades"):
        krippendorff_alpha([("x", "good")], ["good"])
    with pytest.raises(EmptySampleError, match="two grades"):
        krippendorff_alpha([("good", None)], ["good", "bad"])
