"""Checks that every measure makes before it computes: each raises with what is wrong and what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from safelight.measures.errors import CountError, EmptySampleError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95


def whole(value: object, what: str, *, least: int = 0) -> int:
    """``value`` as a whole number of at least ``least``; numpy integers and 3.0 count as whole, True does not."""
    number = value if not hasattr(value, "item") else value.item()
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number // 1:
        raise CountError(f"{what} is {value!r}, not a whole number.", fix="Give a count.")
    if number < least:
        raise CountError(f"{what} is {int(number)}, less than {least}.", fix=f"Give a count from {least}.")
    return int(number)


def k_of_n(k: object, n: object, what: str = "the sample") -> tuple[int, int]:
    """A numerator and its denominator, 0 <= k <= n and n >= 1."""
    k, n = whole(k, f"k of {what}"), whole(n, f"n of {what}")
    if n == 0:
        raise EmptySampleError(f"{what} is empty: nothing was counted out of 0.", fix="Say that nothing was sampled.")
    if k > n:
        raise CountError(f"k = {k} is more than n = {n} in {what}.", fix="Check which is the numerator.")
    return k, n


def share(value: float, what: str, *, open_ended: bool = False) -> float:
    """A number from 0 to 1; strictly between them when ``open_ended``."""
    inside = 0 < value < 1 if open_ended else 0 <= value <= 1
    if isinstance(value, bool) or not inside:
        raise CountError(f"{what} is {value!r}, not between 0 and 1.", fix="Write 95 % as 0.95.")
    return float(value)


def z_of(level: float) -> float:
    """The two-sided normal quantile of a confidence level: 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + share(level, "level", open_ended=True) / 2)


def two_sided_p(z: float) -> float:
    """The two-sided normal p value of a z, without loss far out in the tail."""
    return math.erfc(abs(z) / math.sqrt(2))


def numbers(values: Any, what: str, *, least: float | None = None) -> NDArray[np.float64]:
    """A one-dimensional array of finite numbers, at least one of them, none below ``least``."""
    import numpy as np

    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise CountError(f"{what} holds something that is not a number.", fix="Take it out or correct it.") from error
    if array.ndim != 1:
        raise CountError(f"{what} has {array.ndim} dimensions, not one.", fix="Give a plain list of numbers.")
    if array.size == 0:
        raise EmptySampleError(f"{what} is empty.", fix="Say that there is nothing to measure.")
    bad = ~np.isfinite(array)
    if bad.any():
        raise CountError(
            f"{what} is missing or not finite at position {int(np.argmax(bad)) + 1}.",
            fix="Take the row out and say so, or correct it.",
        )
    if least is not None and array.min() < least:
        place = int(np.argmin(array))
        raise CountError(f"{what} is {array[place]:g} at position {place + 1}, below {least:g}.", fix="Correct it.")
    return array


def yes_no(values: Any, what: str, size: int | None = None) -> NDArray[np.bool_]:
    """A one-dimensional array of True and False (or 1 and 0), of the given size."""
    import numpy as np

    array = np.asarray(values)
    if array.dtype != np.bool_:
        plain = numbers(values, what)
        if not np.isin(plain, (0.0, 1.0)).all():
            raise CountError(f"{what} holds values other than 0 and 1.", fix="Give True and False, or 1 and 0.")
        array = plain.astype(bool)
    if array.ndim != 1 or (size is not None and array.size != size):
        raise CountError(f"{what} has {array.size} values, not {size}.", fix="Give one value for each case.")
    return array


def same_length(first: Sequence[object], second: Sequence[object], what: str) -> None:
    """Two lists that belong together have the same length."""
    if len(first) != len(second):
        raise CountError(f"{what}: {len(first)} against {len(second)}.", fix="Give one of each for every case.")
