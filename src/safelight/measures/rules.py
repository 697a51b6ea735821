"""The four rules of Making Data Count, for one chart or for a hundred thousand simulated ones at once.

Source: NHS England, Making Data Count; the reading of each rule follows NHSRplotthedots (R/ptd_calculate_point_type.R),
and, as Making Data Count itself does by now, points beyond three sigma count in the 2-of-3 rule (issue 194 there).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

RULES = ("outside", "shift", "trend", "two_of_three")
RULE_TEXT = {
    "outside": "a point outside the limits",
    "shift": "seven points in a row on one side of the mean",
    "trend": "seven points in a row that rise, or fall",
    "two_of_three": "two of three points near one limit, all three on that side of the mean",
}
RUN = 7
XMR_LIMIT = 2.66  # 3 / 1.128: three sigma from the mean moving range
XMR_NEAR = XMR_LIMIT * 2 / 3
XMR_RANGE_LIMIT = 3.267  # upper limit of a moving range, in mean moving ranges


def marks(
    values: Floats,
    mean: Floats | float,
    low: Floats | float,
    high: Floats | float,
    near_low: Floats | float,
    near_high: Floats | float,
) -> dict[str, Bools]:
    """Which points break which rule.

    Args:
        values: (charts, points); NaN where there is no figure. A gap breaks no rule and ends every run.
        mean, low, high, near_low, near_high: numbers, or (charts, 1).

    Returns: for each name in ``RULES`` an array of the shape of ``values``. All points of a run are marked.
    """
    import numpy as np

    with np.errstate(invalid="ignore"):  # comparisons with NaN are False, as they should be
        above, below = values > mean, values < mean
        near_top, near_bottom = values > near_high, values < near_low
        step = np.diff(values, axis=1)
        return {
            "outside": (values > high) | (values < low),
            "shift": _whole_runs(above, RUN) | _whole_runs(below, RUN),
            "trend": _steps_to_points(_whole_runs(step > 0, RUN - 1))
            | _steps_to_points(_whole_runs(step < 0, RUN - 1)),
            "two_of_three": _two_of_three(near_top, above) | _two_of_three(near_bottom, below),
        }


def _windows(flags: Bools, width: int) -> Bools:
    """(charts, starts): True where ``width`` flags in a row are set."""
    import numpy as np

    charts, points = flags.shape
    if points < width:
        return np.zeros((charts, 0), dtype=bool)
    found = flags[:, : points - width + 1].copy()
    for shift in range(1, width):
        found &= flags[:, shift : points - width + 1 + shift]
    return found


def _spread(starts: Bools, width: int, points: int) -> Bools:
    """Marks all ``width`` points of every window that starts at a set flag."""
    import numpy as np

    marked = np.zeros((starts.shape[0], points), dtype=bool)
    for shift in range(width):
        marked[:, shift : shift + starts.shape[1]] |= starts
    return marked


def _whole_runs(flags: Bools, width: int) -> Bools:
    return _spread(_windows(flags, width), width, flags.shape[1])


def _steps_to_points(steps: Bools) -> Bools:
    """A marked step marks the points at both of its ends."""
    import numpy as np

    marked = np.zeros((steps.shape[0], steps.shape[1] + 1), dtype=bool)
    marked[:, :-1] |= steps
    marked[:, 1:] |= steps
    return marked


def _two_of_three(near: Bools, side: Bools) -> Bools:
    """Marks the near points of every three neighbours that are all on one side, at least two of them near."""
    import numpy as np

    points = near.shape[1]
    if points < 3:
        return np.zeros_like(near)
    count = near[:, :-2].astype(np.int8) + near[:, 1:-1] + near[:, 2:]
    return _spread((count >= 2) & _windows(side, 3), 3, points) & near
