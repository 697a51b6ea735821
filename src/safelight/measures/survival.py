"""How long things take, with the clocks that still run counted for what they are: censored, not absent.

"Average days" over finished cases flatters: the slow ones are not in it yet. Start with :func:`clock_summary`, which
gives the honest figures and the flattering one beside them; :func:`kaplan_meier` is the curve behind it,
:func:`log_rank` compares groups, and :func:`cumulative_incidence` is for clocks that can end in more than one way (a
case closed without a referral is neither referred nor still open).

Durations are in any one unit (hours, days), from the event that started the clock. ``ended`` is True where the clock
was met and False where it still ran at the last look. Assumed throughout: that a clock is still open says nothing about
how long it will take beyond having lasted so far, and that cases are independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safelight.measures.checks import LEVEL, numbers, share, two_sided_p, whole, yes_no, z_of
from safelight.measures.comparison import StatisticalTest
from safelight.measures.errors import CountError, NotEstimableError
from safelight.measures.intervals import Interval, score_bounds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """A Kaplan-Meier curve: one place in every array for each time at which a clock was met, in order.

    Attributes:
        times: when clocks were met.
        survival: share still open just after that time.
        low, high: log-log interval of it.
        at_risk, events: clocks open just before, and met, at that time.
        variance: Greenwood's sum up to that time, the variance of log survival.
        n, ended: clocks in all, and met.
        last: the longest duration seen, met or not: nothing is known beyond it while clocks are open.
    """

    times: Floats
    survival: Floats
    low: Floats
    high: Floats
    at_risk: Ints
    events: Ints
    variance: Floats
    n: int
    ended: int
    last: float
    level: float

    def at(self, time: float) -> float:
        """Share still open after ``time``."""
        place = self._place(time)
        return 1.0 if place < 0 else float(self.survival[place])

    def _place(self, time: float) -> int:
        import numpy as np

        return int(np.searchsorted(self.times, time, side="right")) - 1

    def known_until(self, time: float) -> None:
        """Raises NotEstimableError when the data do not reach ``time``."""
        if not 0 <= time < math.inf:
            raise CountError(f"The limit is {time!r}.", fix="Give a time from 0.")
        if time > self.last and (self.survival.size == 0 or self.survival[-1] > 0):
            raise NotEstimableError(
                f"No clock was watched until {time:g}: the longest is {self.last:g}, and some are still open.",
                fix=f"Ask for a time up to {self.last:g}, or wait.",
            )

    def met_within(self, limit: float) -> Interval:
        """The share of clocks met within ``limit``, with open ones counted until they were last seen.

        The interval is Wilson's with the effective sample size S (1 - S) / Greenwood's variance; without open clocks it
        is exactly Wilson's. Source: Rothman, Journal of Chronic Diseases 31 (1978) 557.

        Raises:
            NotEstimableError: no clock was watched so long.
        """
        import numpy as np

        self.known_until(limit)
        place = self._place(limit)
        open_share = self.at(limit)
        variance = 0.0 if place < 0 else open_share**2 * float(self.variance[place])
        if 0 < open_share < 1 and variance > 0:
            effective = open_share * (1 - open_share) / variance
        else:  # nobody, or everybody: the clocks that were watched long enough to tell
            effective = float(self.n if open_share == 0 else max(1, self._watched(limit)))
        low, high = score_bounds(1 - open_share, effective, z_of(self.level))
        low, high = (0.0 if open_share == 1 else low), (1.0 if open_share == 0 else high)
        return Interval(float(np.clip(1 - open_share, 0, 1)), low, high, self.level, "Kaplan-Meier, Rothman-Wilson")

    def _watched(self, limit: float) -> int:
        place = self._place(limit)
        return self.n if self.times.size == 0 or place + 1 >= self.times.size else int(self.at_risk[place + 1])

    def quantile(self, part: float = 0.5) -> tuple[float | None, float | None, float | None]:
        """When ``part`` of the clocks are met, with its interval; None where the data do not reach that far.

        Source: Brookmeyer and Crowley, Biometrics 38 (1982) 29.
        """
        left = 1 - share(part, "the quantile", open_ended=True)

        def first(curve: Floats) -> float | None:
            below = (curve <= left + 1e-12).nonzero()[0]
            return float(self.times[below[0]]) if below.size else None

        return first(self.survival), first(self.low), first(self.high)

    def rmst(self, limit: float) -> Interval:
        """The mean time open within the first ``limit``: the area under the curve, in the unit of the durations.

        Unlike the median it always exists up to the last duration seen, and unlike a plain mean it does not depend on
        clocks that are still open. Source: Royston and Parmar, BMC Medical Research Methodology 13 (2013) 152.

        Raises:
            NotEstimableError: no clock was watched so long.
        """
        area, variance = self._area(limit)
        half = z_of(self.level) * math.sqrt(variance)
        low, high = max(0.0, area - half), min(limit, area + half)
        return Interval(area, low, high, self.level, f"restricted mean up to {limit:g}")

    def _area(self, limit: float) -> tuple[float, float]:
        import numpy as np

        self.known_until(limit)
        inside = self.times < limit
        steps = np.concatenate(([0.0], self.times[inside], [limit]))
        pieces = np.diff(steps) * np.concatenate(([1.0], self.survival[inside]))
        rest = np.cumsum(pieces[::-1])[::-1][1:]  # the area after each time
        n, d = self.at_risk[inside].astype(float), self.events[inside].astype(float)
        spread = np.divide(d, n * (n - d), out=np.zeros_like(d), where=n > d)
        return float(pieces.sum()), float((rest**2 * spread).sum())


@dataclass(frozen=True, slots=True)
class ClockSummary:
    """One clock, honestly: open clocks counted, and the flattering figures beside it.

    Attributes:
        n, ended, still_open: clocks.
        median, median_low, median_high: None where not reached.
        met: share met within the limit; None with a reason in ``note`` where nobody was watched so long.
        mean_within: restricted mean up to the limit; None likewise.
        finished_median, finished_met: over finished clocks only. Shown to be distrusted.
    """

    n: int
    ended: int
    still_open: int
    limit: float
    median: float | None
    median_low: float | None
    median_high: float | None
    met: Interval | None
    mean_within: Interval | None
    finished_median: float | None
    finished_met: float | None
    note: str


def kaplan_meier(durations: Any, ended: Any, *, level: float = LEVEL) -> Curve:
    """The share of clocks still open by time.

    Args:
        durations: one-dimensional, from 0, one for each clock.
        ended: True where the clock was met, False where it was open when last seen; of the same size.
        level: confidence level.

    A clock that was last seen at a time at which another was met counts as open just before it. The interval is
    log-log (Kalbfleisch and Prentice); where the curve is 0 its lower end is 0 and its upper end stays.
    Source: Kaplan and Meier, JASA 53 (1958) 457.

    Raises:
        EmptySampleError: no clock.
        CountError: a negative, missing or infinite duration, or lists of different length.
    """
    import numpy as np

    time = numbers(durations, "durations", least=0)
    met = yes_no(ended, "ended", time.size)
    seen, place = np.unique(time, return_inverse=True)
    finished = np.bincount(place[met], minlength=seen.size)
    leaving = np.bincount(place, minlength=seen.size)
    risk = leaving[::-1].cumsum()[::-1]
    keep = finished > 0
    times, n, d = seen[keep], risk[keep], finished[keep]
    survival = np.cumprod(1 - d / n)
    survival[d == n] = 0.0
    spread = np.divide(d, n * (n - d), out=np.zeros(d.size), where=n > d).cumsum()
    low, high = np.zeros(times.size), np.zeros(times.size)
    inside = survival > 0
    log = np.log(survival[inside])
    wide = z_of(level) * np.sqrt(spread[inside]) / log
    low[inside], high[inside] = np.exp(log * np.exp(-wide)), np.exp(log * np.exp(wide))
    if times.size and not inside[-1]:
        high[-1] = high[-2] if times.size > 1 else 1.0
    return Curve(times, survival, low, high, n, d, spread, time.size, int(met.sum()), float(time.max()), level)


def clock_summary(durations: Any, ended: Any, limit: float, *, level: float = LEVEL) -> ClockSummary:
    """The figures a report needs for one clock and its limit; see :class:`ClockSummary`.

    Args:
        durations, ended: as for :func:`kaplan_meier`.
        limit: the time within which the clock should be met, in the same unit.
    """
    import numpy as np

    curve = kaplan_meier(durations, ended, level=level)
    time, met = np.asarray(durations, dtype=float), yes_no(ended, "ended")
    done = time[met]
    within, mean, note = None, None, ""
    try:
        within, mean = curve.met_within(limit), curve.rmst(limit)
    except NotEstimableError as error:
        note = str(error)
    median, low, high = curve.quantile()
    if median is None:
        note = f"{note} Fewer than half of the clocks are known to be met: there is no median yet.".strip()
    return ClockSummary(
        curve.n,
        curve.ended,
        curve.n - curve.ended,
        limit,
        median,
        low,
        high,
        within,
        mean,
        float(np.median(done)) if done.size else None,
        float((done <= limit).mean()) if done.size else None,
        note,
    )


def rmst_difference(first: Curve, second: Curve, limit: float) -> Interval:
    """How much longer (second minus first) clocks stay open within ``limit``. Assumes independent groups."""
    (a, va), (b, vb) = first._area(limit), second._area(limit)
    half = z_of(first.level) * math.sqrt(va + vb)
    return Interval(b - a, b - a - half, b - a + half, first.level, f"difference of restricted means up to {limit:g}")


def log_rank(groups: Mapping[str, tuple[Any, Any]]) -> StatisticalTest:
    """Whether groups differ in how long their clocks take, over the whole time.

    Args:
        groups: name, and (durations, ended) as for :func:`kaplan_meier`; at least two.

    Sees differences best where one group is slower throughout; curves that cross can cancel out.
    Source: Mantel, Cancer Chemotherapy Reports 50 (1966) 163.

    Raises:
        EmptySampleError: a group without clocks; leave it out and say so.
        NotEstimableError: fewer than two groups, or no clock was met.
    """
    import numpy as np
    from scipy.special import chdtrc

    if len(groups) < 2:
        raise NotEstimableError("There are not two groups to compare.", fix="Give at least two.")
    times, ended = [], []
    for name, (durations, met) in groups.items():
        times.append(numbers(durations, f"durations of {name!r}", least=0))
        ended.append(yes_no(met, f"ended of {name!r}", times[-1].size))
    finishes = np.unique(np.concatenate([t[e] for t, e in zip(times, ended, strict=True)]))
    if not finishes.size:
        raise NotEstimableError("No clock was met in any group: there is nothing to compare yet.")
    risk, events = np.empty((len(times), finishes.size)), np.empty((len(times), finishes.size))
    for row, (time, met) in enumerate(zip(times, ended, strict=True)):
        risk[row] = time.size - np.searchsorted(np.sort(time), finishes, side="left")
        events[row] = np.bincount(np.searchsorted(finishes, time[met]), minlength=finishes.size)
    n, d = risk.sum(axis=0), events.sum(axis=0)
    excess = (events - risk * d / n).sum(axis=1)
    scale = np.divide(d * (n - d), n * n * (n - 1), out=np.zeros_like(n), where=n > 1)
    covariance = np.diag((risk * n * scale).sum(axis=1)) - (risk * scale) @ risk.T
    df = int(np.linalg.matrix_rank(covariance, hermitian=True))
    if df == 0:
        raise NotEstimableError("The groups were never open at the same time: they cannot be compared.")
    statistic = float(excess @ np.linalg.pinv(covariance, rcond=1e-12, hermitian=True) @ excess)
    return StatisticalTest(statistic, df, float(chdtrc(df, statistic)), "log-rank")


def cumulative_incidence(
    durations: Any, causes: Sequence[int] | Any, cause: int, limit: float, *, level: float = LEVEL
) -> Interval:
    """The share that ends in one way within ``limit`` when clocks can end in several (Aalen-Johansen).

    Treating the other ways as 'still open' would overstate it: a case that was closed will never be referred.

    Args:
        durations: one for each clock, from 0.
        causes: 0 where still open, 1, 2, ... for the way it ended.
        cause: the way that is asked for, from 1.
        limit: a time that some clock was watched for.

    Source: Aalen and Johansen, Scandinavian Journal of Statistics 5 (1978) 141; variance as in Marubini and Valsecchi,
    Analysing Survival Data (1995) 10.3.

    Raises:
        EmptySampleError, CountError, NotEstimableError: as for :func:`kaplan_meier` and :meth:`Curve.met_within`.
    """
    import numpy as np

    why = numbers(causes, "causes", least=0)
    whole(cause, "the cause", least=1)
    if (why % 1 != 0).any():
        raise CountError("The causes are not whole numbers.", fix="Use 0 for open and 1, 2, ... for the ways to end.")
    curve = kaplan_meier(durations, why > 0, level=level)
    curve.known_until(limit)
    time = np.asarray(durations, dtype=float)
    inside = curve.times <= limit
    if not inside.any():
        return curve.met_within(limit)
    times, n = curve.times[inside], curve.at_risk[inside].astype(float)
    d = curve.events[inside].astype(float)
    mine = (why == cause) & (time <= limit)
    dk = np.bincount(np.searchsorted(times, time[mine]), minlength=times.size).astype(float)
    before = np.concatenate(([1.0], curve.survival[inside][:-1]))
    incidence = np.cumsum(before * dk / n)
    total = float(incidence[-1])
    left = total - incidence
    variance = float(
        (left**2 * np.divide(d, n * (n - d), out=np.zeros_like(d), where=n > d)).sum()
        + (before**2 * (n - dk) * dk / n**3).sum()
        - 2 * (left * before * dk / n**2).sum()
    )
    effective = total * (1 - total) / variance if 0 < total < 1 and variance > 0 else float(curve.n)
    low, high = score_bounds(total, effective, z_of(level))
    return Interval(total, 0.0 if total == 0 else low, 1.0 if total == 1 else high, level, "Aalen-Johansen, Wilson")


def z_test(difference: Interval) -> float:
    """The two-sided p value that belongs to a symmetric interval such as that of :func:`rmst_difference`."""
    error = (difference.high - difference.low) / (2 * z_of(difference.level))
    if error == 0:
        raise NotEstimableError("The interval has no width: there is nothing to test against.")
    return two_sided_p(difference.estimate / error)
