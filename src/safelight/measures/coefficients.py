"""Agreement beyond chance: kappa, AC2, Brennan-Prediger and alpha, weighted for how far two grades lie apart.

Each has its own idea of chance, and in unbalanced data they contradict each other: look at them together.
Source for all but alpha: Gwet, Handbook of Inter-Rater Reliability, 4th edition (2014), chapters 2 to 4.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from safelight.measures.checks import whole
from safelight.measures.errors import CountError, EmptySampleError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Weights = Literal["identity", "linear", "quadratic"]
Metric = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient: 1 is full agreement, 0 what its idea of chance gives, below 0 less. None when not defined."""

    name: str
    weights: str
    value: float | None
    observed: float
    chance: float | None
    reason: str = ""


def weight_matrix(size: int, weights: Weights) -> NDArray[np.float64]:
    """How much two grades agree: 1 on the diagonal, 0 at the ends of the scale (identity: 0 off the diagonal)."""
    import numpy as np

    if weights not in ("identity", "linear", "quadratic"):
        raise CountError(f"The weights {weights!r} are unknown.", fix="Use identity, linear or quadratic.")
    if weights == "identity":
        return np.eye(size)
    apart = np.abs(np.arange(size)[:, None] - np.arange(size)[None, :]) / (size - 1)
    matrix: NDArray[np.float64] = 1 - (apart if weights == "linear" else apart**2)
    return matrix


def coefficients(counts: Sequence[Sequence[int]]) -> tuple[Coefficient, ...]:
    """Kappa with linear and quadratic weights, AC2, Brennan-Prediger and alpha with quadratic (interval) weights.

    Args:
        counts: square table, ``counts[i][j]`` cases graded i by the first and j by the second grader, best grade first.

    Assumes that both grade every case and that grades are equally far apart (that is what the weights say).
    """
    return (
        cohen_kappa(counts, "linear"),
        cohen_kappa(counts, "quadratic"),
        gwet_ac2(counts, "quadratic"),
        brennan_prediger(counts, "quadratic"),
        alpha_from_table(counts),
    )


def cohen_kappa(counts: Sequence[Sequence[int]], weights: Weights = "identity") -> Coefficient:
    """Cohen's (weighted) kappa: chance is the product of both graders' own margins.

    Source: Cohen, Psychological Bulletin 70 (1968) 213.
    """
    p = _shares(counts)
    matrix = weight_matrix(len(p), weights)
    chance = float((matrix * (p.sum(axis=1)[:, None] * p.sum(axis=0)[None, :])).sum())
    return _made("Cohen's kappa", weights, float((matrix * p).sum()), chance)


def gwet_ac2(counts: Sequence[Sequence[int]], weights: Weights = "quadratic") -> Coefficient:
    """Gwet's AC2 (AC1 with identity weights): chance is grading at random in doubtful cases only.

    It overstates agreement when there is none in unbalanced data.
    """
    p = _shares(counts)
    size = len(p)
    matrix = weight_matrix(size, weights)
    mean = (p.sum(axis=1) + p.sum(axis=0)) / 2
    chance = float(matrix.sum() / (size * (size - 1)) * (mean * (1 - mean)).sum())
    return _made("Gwet's AC2", weights, float((matrix * p).sum()), chance)


def brennan_prediger(counts: Sequence[Sequence[int]], weights: Weights = "quadratic") -> Coefficient:
    """Brennan and Prediger's coefficient: chance is every grade equally often.

    Source: Brennan and Prediger, Educational and Psychological Measurement 41 (1981) 687.
    """
    p = _shares(counts)
    matrix = weight_matrix(len(p), weights)
    return _made("Brennan-Prediger", weights, float((matrix * p).sum()), float(matrix.mean()))


def alpha_from_table(counts: Sequence[Sequence[int]], metric: Metric = "interval") -> Coefficient:
    """Krippendorff's alpha for two graders, from their square table."""
    import numpy as np

    table = np.asarray(_checked(counts), dtype=float)
    return _alpha(table + table.T, metric)


def krippendorff_alpha(
    ratings: Sequence[Sequence[Hashable | None]], order: Sequence[Hashable], metric: Metric = "interval"
) -> Coefficient:
    """Krippendorff's alpha for any number of graders, with gaps.

    Args:
        ratings: one row for each case, one grade for each grader, None where a grader did not grade it. Cases with
            fewer than two grades carry no information and are left out.
        order: all grades, best first.
        metric: ``nominal`` (same or not), ``ordinal`` (by how many cases lie between) or ``interval`` (by rank).

    Source: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011); Content Analysis (2004) 11.3.

    Raises:
        EmptySampleError: no case with two grades.
        CountError: a grade that is not in ``order``.
    """
    import numpy as np

    place = {grade: index for index, grade in enumerate(order)}
    coincidences = np.zeros((len(place), len(place)))
    for row in ratings:
        given = [grade for grade in row if grade is not None]
        if unknown := [grade for grade in given if grade not in place]:
            raise CountError(f"{unknown[0]!r} is not one of the grades.", fix="Name every grade in order.")
        if len(given) < 2:
            continue
        counts = np.bincount([place[grade] for grade in given], minlength=len(place))
        coincidences += (np.outer(counts, counts) - np.diag(counts)) / (len(given) - 1)
    if not coincidences.any():
        raise EmptySampleError("No case has two grades.", fix="Say that there is nothing to compare.")
    return _alpha(coincidences, metric)


def _alpha(coincidences: NDArray[np.float64], metric: Metric) -> Coefficient:
    import numpy as np

    totals = coincidences.sum(axis=0)
    n = totals.sum()
    rank = np.arange(len(totals), dtype=float)
    if metric == "nominal":
        distance = 1 - np.eye(len(totals))
    elif metric == "interval":
        distance = (rank[:, None] - rank[None, :]) ** 2
    elif metric == "ordinal":
        middle = np.cumsum(totals) - totals / 2
        distance = (middle[:, None] - middle[None, :]) ** 2
    else:
        raise CountError(f"The metric {metric!r} is unknown.", fix="Use nominal, ordinal or interval.")
    seen = float((coincidences * distance).sum() / n)
    expected = float((np.outer(totals, totals) * distance).sum() / (n * (n - 1)))
    if expected == 0:
        reason = "every grade is the same, so there is no disagreement to expect by chance"
        return Coefficient("Krippendorff's alpha", metric, None, 1.0, None, reason)
    scale = float(distance.max())
    return Coefficient("Krippendorff's alpha", metric, 1 - seen / expected, 1 - seen / scale, 1 - expected / scale)


def _made(name: str, weights: str, observed: float, chance: float) -> Coefficient:
    if math.isclose(chance, 1.0, abs_tol=1e-12):
        reason = "every case has the same grade, so chance alone gives full agreement"
        return Coefficient(name, weights, None, observed, chance, reason)
    return Coefficient(name, weights, (observed - chance) / (1 - chance), observed, chance)


def _checked(counts: Sequence[Sequence[int]]) -> list[list[int]]:
    rows = [[whole(value, "a cell of the table") for value in row] for row in counts]
    if len(rows) < 2 or any(len(row) != len(rows) for row in rows):
        raise CountError("The table of grades is not square.", fix="Give a row and a column for every grade.")
    if not any(map(any, rows)):
        raise EmptySampleError("No case was graded by both.", fix="Say that there is nothing to compare.")
    return rows


def _shares(counts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    import numpy as np

    table = np.asarray(_checked(counts), dtype=float)
    shares: NDArray[np.float64] = table / table.sum()
    return shares
