"""A mean with its 95 % interval over replications, or words where a number would mislead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

_T975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def student_975(degrees: int) -> float:
    """The 97.5 % point of Student's t (table to 30 degrees of freedom, then Cornish and Fisher's expansion)."""
    if degrees <= len(_T975):
        return _T975[degrees - 1]
    z = NormalDist().inv_cdf(0.975)
    first = (z**3 + z) / (4 * degrees)
    return z + first + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)


def short(value: float, form: str = ".3g") -> str:
    """A number as people write it: 0.185, 12.5 and 1,300, never 1.3e+03."""
    text = f"{value:{form}}"
    return f"{float(text):,.0f}" if "e+" in text else text


@dataclass(frozen=True)
class Estimate:
    """A mean over replications with its 95 % confidence interval.

    Args:
        mean, low, high: None when there is no number to give; with one replication the interval is not known.
        replications: how many had a value; 0 for what is given and not simulated, such as a cost.
        words: instead of the number, such as 'grows without limit'.
    """

    mean: float | None
    low: float | None
    high: float | None
    replications: int
    words: str = ""

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """A number that is given, not simulated."""
        return cls(value, value, value, 0)

    def text(self, form: str = ".3g", scale: float = 1.0) -> str:
        """In one phrase: '3.1 (2.9 to 3.4)', or the words."""
        if self.words or self.mean is None:
            return self.words or "no value"
        mean = short(self.mean * scale, form)
        if self.replications == 0:
            return mean
        if self.low is None or self.high is None:
            return f"{mean} (one run: interval not known)"
        return f"{mean} ({short(self.low * scale, form)} to {short(self.high * scale, form)})"


def estimate(values: Sequence[float], *, low: float = -math.inf, high: float = math.inf) -> Estimate:
    """From one value for each replication; NaN stands for none. The interval is cut at ``low`` and ``high``."""
    found = [value for value in values if not math.isnan(value)]
    n = len(found)
    if n == 0:
        return Estimate(None, None, None, 0, "no value: nothing of this kind came in the run")
    mean = math.fsum(found) / n
    if n == 1:
        return Estimate(mean, None, None, 1)
    half = student_975(n - 1) * math.sqrt(math.fsum((value - mean) ** 2 for value in found) / (n - 1) / n)
    return Estimate(mean, max(low, mean - half), min(high, mean + half), n)
