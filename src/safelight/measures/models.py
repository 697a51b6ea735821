"""The two regression models behind the effects, fitted plainly: logistic by Newton's method, linear by least squares.

They refuse what has no answer (perfect separation, columns that say the same) instead of returning large numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safelight.measures.checks import numbers
from safelight.measures.errors import CountError, NotEstimableError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

STEPS = 50
FARTHEST = 30.0  # a fitted log odds beyond this is a probability of 0 or 1 to 13 places: separation
MOST_LEVELS = 50


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """A fitted model: ``beta`` (columns), and ``bread``, the inverse of the mean information (columns, columns)."""

    beta: Floats
    bread: Floats
    logistic: bool

    def mean(self, design: Floats) -> Floats:
        """Predicted means for a design matrix (cases, columns)."""
        eta: Floats = design @ self.beta
        return sigmoid(eta) if self.logistic else eta

    def slope(self, design: Floats) -> Floats:
        """d mean / d eta for each case."""
        import numpy as np

        if not self.logistic:
            return np.ones(len(design))
        mean = self.mean(design)
        slope: Floats = mean * (1 - mean)
        return slope

    def influence(self, design: Floats, outcome: Floats, gradient: Floats) -> Floats:
        """Each fitted case's influence, through ``beta``, on a figure with that ``gradient`` in beta."""
        found: Floats = (outcome - self.mean(design)) * (design @ (self.bread @ gradient))
        return found


def sigmoid(eta: Floats) -> Floats:
    """1 / (1 + exp(-eta)), without overflow."""
    import numpy as np

    found: Floats = 0.5 * (1 + np.tanh(eta / 2))
    return found


def logistic(design: Floats, outcome: Floats, what: str) -> Fit:
    """Logistic regression by Newton's method.

    Args:
        design: (cases, columns), the constant included.
        outcome: 0 or 1 for each case.
        what: named in errors.

    Raises:
        NotEstimableError: the covariates separate the outcomes perfectly, or say the same twice.
    """
    import numpy as np

    check_rank(design, what)
    beta = np.zeros(design.shape[1])
    n = len(design)
    for _ in range(STEPS):
        mean = sigmoid(design @ beta)
        weight = mean * (1 - mean)
        information = (design * weight[:, None]).T @ design / n
        gradient = design.T @ (outcome - mean) / n
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError as error:
            raise _separated(what) from error
        beta = beta + step * min(1.0, 10 / max(1e-300, float(np.abs(design @ step).max())))
        if float(np.abs(design @ beta).max()) > FARTHEST:
            raise _separated(what)
        if float(np.abs(step).max()) < 1e-10 * (1 + float(np.abs(beta).max())):
            mean = sigmoid(design @ beta)
            information = (design * (mean * (1 - mean))[:, None]).T @ design / n
            bread: Floats = np.linalg.inv(information)
            return Fit(beta, bread, True)
    raise _separated(what)


def linear(design: Floats, outcome: Floats, what: str) -> Fit:
    """Least squares.

    Raises:
        NotEstimableError: the covariates say the same twice.
    """
    import numpy as np

    check_rank(design, what)
    information = design.T @ design / len(design)
    beta: Floats = np.linalg.solve(information, design.T @ outcome / len(design))
    bread: Floats = np.linalg.inv(information)
    return Fit(beta, bread, False)


def check_rank(design: Floats, what: str) -> None:
    """Refuses a design whose columns say the same twice, or with fewer cases than columns."""
    import numpy as np

    if len(design) <= design.shape[1] or np.linalg.matrix_rank(design.T @ design, hermitian=True) < design.shape[1]:
        raise NotEstimableError(
            f"{what}: {len(design)} cases cannot tell {design.shape[1]} columns apart.",
            fix="Leave out a covariate that repeats another or never varies, or join rare levels.",
        )


def _separated(what: str) -> NotEstimableError:
    return NotEstimableError(
        f"{what}: a covariate separates the cases perfectly, so no model can be fitted.",
        fix="Join its levels, or compare only the cases that could have gone either way.",
    )


def design_matrix(covariates: Mapping[str, Any], size: int) -> tuple[Floats, tuple[str, ...]]:
    """The covariates as columns behind a constant, and the names of those columns.

    Numbers are centred and scaled (which changes no effect); texts become one column for each level but the first.

    Raises:
        CountError: a missing value, another length, or more than 50 levels.
    """
    import numpy as np

    columns, names = [np.ones(size)], []
    for name, values in covariates.items():
        array = np.asarray(values)
        if array.ndim != 1 or array.size != size:
            raise CountError(f"Covariate {name!r} has {array.size} values for {size} cases.", fix="Give one for each.")
        if array.dtype.kind in "OUS":
            items = array.tolist()
            if any(value is None or value != value for value in set(items)):
                raise CountError(
                    f"Covariate {name!r} is missing in a case.", fix="Give 'not known' a level of its own."
                )
            levels = sorted(set(map(str, items)))
            if len(levels) > MOST_LEVELS:
                raise CountError(f"Covariate {name!r} has {len(levels)} levels.", fix="Join them into fewer.")
            number = {level: index for index, level in enumerate(levels)}
            place = np.fromiter((number[str(value)] for value in items), dtype=np.int64, count=size)
            columns += [(place == index).astype(float) for index in range(1, len(levels))]
            names += [f"{name}: {level}" for level in levels[1:]]
        else:
            plain = numbers(array, f"covariate {name!r}")
            spread = float(plain.std())
            if spread > 0:  # one that never varies explains nothing and is left out
                columns.append((plain - plain.mean()) / spread)
                names.append(name)
    return np.column_stack(columns), tuple(names)
