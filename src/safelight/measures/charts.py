"""Statistics behind control charts and funnel plots (no drawing): is this month, or this unit, out of the ordinary?

* :func:`xmr_chart` for a figure by month, with the four rules of Making Data Count;
* :func:`t_chart` for days between rare events, :func:`g_chart` for cases between rare events;
* :func:`funnel` to compare units of different size at one time.

Every chart carries ``false_alarm``: how often a chart of that length cries wolf when nothing has changed. Four rules on
24 months do so in about 15 of 100 charts, and far oftener where one month hangs on the last: a signal is a reason to
look, never a finding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from safelight.measures.alarms import false_alarm_rate
from safelight.measures.checks import k_of_n, numbers, share, whole
from safelight.measures.errors import CountError, EmptySampleError, TooFewCasesError
from safelight.measures.rules import RULES, XMR_LIMIT, XMR_NEAR, XMR_RANGE_LIMIT, marks

LEAST_POINTS = 8
PROVISIONAL = 13
TAIL = (1 - 0.9973) / 2  # the tail beyond three sigma
WARNING, ACTION = 0.95, 0.998


@dataclass(frozen=True, slots=True)
class Point:
    """One point: ``value`` is None for a month without a figure; ``rules`` names the rules that it breaks."""

    label: str
    value: float | None
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ControlChart:
    """A control chart, ready to be drawn.

    Attributes:
        centre, low, high: centre line and limits in the unit of the values; ``low`` is None where there is none.
        near_low, near_high: two thirds of the way to the limits (the 2-of-3 rule); None where the rule is not used.
        points: in order.
        false_alarm: share of unchanged charts of this length that show at least one signal.
        false_alarm_note: what that rests on.
        notes: what the reader must know: gaps, provisional limits, no variation.
    """

    kind: str
    centre: float
    low: float | None
    high: float
    near_low: float | None
    near_high: float | None
    points: tuple[Point, ...]
    false_alarm: float
    false_alarm_note: str
    notes: tuple[str, ...]

    @property
    def signals(self) -> tuple[Point, ...]:
        """The points that break a rule."""
        return tuple(point for point in self.points if point.rules)


@dataclass(frozen=True, slots=True)
class Limits:
    """Funnel limits for one size ``n``, as shares: 95 % (warning) and 99.8 % (action)."""

    n: int
    warning_low: float
    warning_high: float
    action_low: float
    action_high: float


@dataclass(frozen=True, slots=True)
class FunnelUnit:
    """One unit in a funnel. ``share``, ``limits`` and ``z`` are None where it had no case.

    ``beyond`` is '' inside, 'warning' beyond the 95 % limits, 'action' beyond the 99.8 % limits.
    """

    name: str
    k: int
    n: int
    share: float | None
    limits: Limits | None
    z: float | None
    beyond: str


@dataclass(frozen=True, slots=True)
class Funnel:
    """Units against a target.

    Attributes:
        target: the share they are held against.
        units: in the order given.
        curve: limits over the range of sizes, for drawing.
        overdispersion: how many times more the units vary than chance alone would have them (1 is chance). Well above 1
            means that they differ in what they deal with, and 'beyond' then says little about any one of them.
        false_alarm: the chance, at most, that a unit lies beyond the action limits although all are alike.
    """

    target: float
    units: tuple[FunnelUnit, ...]
    curve: tuple[Limits, ...]
    overdispersion: float
    false_alarm: float
    notes: tuple[str, ...]


def xmr_chart(
    values: Sequence[float | None], labels: Sequence[str] | None = None, *, screen: bool = False
) -> ControlChart:
    """An individuals chart: limits at 2.66 mean moving ranges from the mean, and the four rules.

    Args:
        values: one for each month, in order; None for a month without a figure (no case to take a share of). A count of
            0 is a figure. A gap takes part in nothing: the moving range across it is left out, and runs end at it.
        labels: one for each value; numbers from 1 when left out.
        screen: leave moving ranges beyond 3.267 times their mean out of the limits, once, as NHS Plot the Dots does.

    Assumes figures that are roughly symmetric and do not hang on the month before; for counts below about 5 a month use
    a t or g chart. Fewer than 13 points give provisional limits and a note.
    Source: Shewhart (1931); Wheeler, Understanding Variation (2000); NHS England, Making Data Count.

    Raises:
        EmptySampleError: no figure at all.
        TooFewCasesError: fewer than 8 figures.
    """
    import numpy as np

    if not any(value is not None for value in values):
        raise EmptySampleError("There is no figure in any month.", fix="Say that there is nothing to chart.")
    names = _labels(labels, len(values))
    numbers([value for value in values if value is not None], "the figures")
    data = np.array([math.nan if value is None else float(value) for value in values])
    known = int(np.isfinite(data).sum())
    if known < LEAST_POINTS:
        raise TooFewCasesError(
            f"{known} figures are too few for a control chart.",
            fix=f"Show them as a plain list until there are {LEAST_POINTS}.",
        )
    mean = float(np.nanmean(data))
    ranges = np.abs(np.diff(data))
    ranges = ranges[np.isfinite(ranges)]
    if not ranges.size:
        raise TooFewCasesError("No two figures follow each other: there is no moving range.", fix="Fill the gaps.")
    if screen:
        ranges = ranges[ranges <= XMR_RANGE_LIMIT * ranges.mean()]
    spread = float(ranges.mean())
    low, high = mean - XMR_LIMIT * spread, mean + XMR_LIMIT * spread
    near = XMR_NEAR * spread
    notes = []
    if known < len(data):
        notes.append(f"{len(data) - known} months have no figure; runs end there.")
    if known < PROVISIONAL:
        notes.append(f"{known} figures: the limits are provisional.")
    if spread == 0:
        notes.append("The figures do not vary: there are no limits and no rule is read.")
        flags = {name: np.zeros(len(data), dtype=bool) for name in RULES}
    else:
        flags = {
            name: found[0] for name, found in marks(data[None, :], mean, low, high, mean - near, mean + near).items()
        }
    points = tuple(
        Point(name, value, tuple(rule for rule in RULES if flags[rule][place]))
        for place, (name, value) in enumerate(zip(names, values, strict=True))
    )
    rate, note = false_alarm_rate(known)
    return ControlChart("XmR", mean, low, high, mean - near, mean + near, points, rate, note, tuple(notes))


def t_chart(gaps: Sequence[float], labels: Sequence[str] | None = None) -> ControlChart:
    """Time between rare events, such as days between children left in a cell overnight.

    Args:
        gaps: time from each event to the next, from 0, in order.
        labels: of the later event of each gap.

    The times are raised to the power 1 / 3.6, which makes exponential times nearly normal, charted as XmR, and the
    lines turned back. A point above the limit is a long quiet time. Where many events fall on one day, count cases
    instead (:func:`g_chart`). Source: Nelson, Journal of Quality Technology 26 (1994) 239.

    Raises:
        EmptySampleError, TooFewCasesError, CountError: as for :func:`xmr_chart`; a negative time.
    """
    power = 1 / 3.6
    times = numbers(gaps, "times between events", least=0)
    inner = xmr_chart([float(time**power) for time in times], labels)

    def back(value: float | None) -> float | None:
        return None if value is None or value <= 0 else float(value ** (1 / power))

    points = tuple(
        Point(point.label, float(time), point.rules) for point, time in zip(inner.points, times, strict=True)
    )
    zero = int((times == 0).sum())
    notes = inner.notes + ((f"{zero} events fell on the day of the one before.",) if zero else ())
    return ControlChart(
        "t",
        back(inner.centre) or 0.0,
        back(inner.low),
        back(inner.high) or 0.0,
        back(inner.near_low),
        back(inner.near_high),
        points,
        inner.false_alarm,
        inner.false_alarm_note,
        notes,
    )


def g_chart(counts: Sequence[int], labels: Sequence[str] | None = None) -> ControlChart:
    """Cases between rare events, such as cases audited between one inadequate case and the next.

    Args:
        counts: cases without the event before each event, from 0, in order.
        labels: of the events.

    Limits are the 0.135 and 99.865 % points of the geometric distribution and the centre is its median; the rules are a
    point outside and seven points on one side. Assumes that each case has the same small chance.
    Source: Benneyan, Health Care Management Science 4 (2001) 305; probability limits as in Montgomery, Statistical
    Quality Control (2013) 7.3.

    Raises:
        EmptySampleError, TooFewCasesError, CountError: as for :func:`xmr_chart`; also when every count is 0.
    """
    import numpy as np

    names = _labels(labels, len(counts))
    whole_counts = [whole(value, "a count between events") for value in counts]
    if not whole_counts:
        raise EmptySampleError("There is no event.", fix="Say that there is nothing to chart.")
    if len(whole_counts) < LEAST_POINTS:
        raise TooFewCasesError(f"{len(whole_counts)} events are too few for a control chart.", fix="List them.")
    mean = sum(whole_counts) / len(whole_counts)
    if mean == 0:
        raise CountError("Every case is an event: it is not rare.", fix="Use an XmR chart of the share by month.")
    step = math.log1p(-1 / (1 + mean))  # log of the chance that a case passes without the event
    high = max(0, math.ceil(math.log(TAIL) / step - 1))
    low = math.floor(math.log1p(-TAIL) / step)
    centre = max(0, math.ceil(math.log(0.5) / step - 1))
    data = np.array([whole_counts], dtype=float)
    flags = marks(data, centre, low - 0.5, high + 0.5, low - 0.5, high + 0.5)
    used = ("outside", "shift")
    points = tuple(
        Point(name, float(value), tuple(rule for rule in used if flags[rule][0][place]))
        for place, (name, value) in enumerate(zip(names, whole_counts, strict=True))
    )
    beyond = math.exp(step * (high + 1)) + (-math.expm1(step * low) if low > 0 else 0.0)
    return ControlChart(
        "g",
        float(centre),
        float(low) if low > 0 else None,
        float(high),
        None,
        None,
        points,
        -math.expm1(len(points) * math.log1p(-beyond)),
        "computed for points outside the limits only; runs of seven add to it",
        (f"{len(points)} events: the limits are provisional.",) if len(points) < PROVISIONAL else (),
    )


def funnel(units: Sequence[tuple[str, int, int]], target: float | None = None) -> Funnel:
    """Units against one share, with limits that widen where there are few cases.

    Args:
        units: (name, k, n); a unit without cases stays in the list, unmarked.
        target: the share to hold them against; the share of all cases together when left out.

    Limits are exact binomial (:func:`funnel_limits`). Overdispersion is the mean squared z, the outer tenth on each
    side drawn in. Assumes independent cases of the same mix in every unit.
    Source: Spiegelhalter, Statistics in Medicine 24 (2005) 1185.

    Raises:
        EmptySampleError: no unit has a case.
        TooFewCasesError: one unit with cases and no target: it would be compared with itself.
        CountError: k > n, a unit twice, a target of 0 or 1.
    """
    if len({name for name, _, _ in units}) < len(units):
        raise CountError("A unit is named twice.", fix="Give each unit once.")
    rows = [
        (name, *k_of_n(k, n, f"unit {name!r}")) if n else (name, whole(k, f"k of {name!r}"), 0) for name, k, n in units
    ]
    filled = [row for row in rows if row[2]]
    if not filled:
        raise EmptySampleError("No unit has a case.", fix="Say that there is nothing to compare.")
    if target is None and len(filled) < 2:
        raise TooFewCasesError("Only one unit has cases: there is nothing to compare it with.", fix="Give a target.")
    goal = sum(row[1] for row in filled) / sum(row[2] for row in filled) if target is None else share(target, "target")
    if not 0 < goal < 1:
        raise CountError(f"The target is {goal:g}: every unit is alike, or none may differ.", fix="Show the counts.")
    found = []
    for name, k, n in rows:
        if not n:
            found.append(FunnelUnit(name, k, n, None, None, None, ""))
            continue
        limits = funnel_limits(n, goal)
        p = k / n
        beyond = "warning" if not limits.warning_low <= p <= limits.warning_high else ""
        beyond = "action" if not limits.action_low <= p <= limits.action_high else beyond
        found.append(FunnelUnit(name, k, n, p, limits, (p - goal) / math.sqrt(goal * (1 - goal) / n), beyond))
    zs = [unit.z for unit in found if unit.z is not None]
    phi = _overdispersion(zs)
    empty = [name for name, _, n in rows if not n]
    notes = [f"{', '.join(empty)} had no case."] if empty else []
    if phi > 2 and len(zs) > 2:
        notes.append(f"Units vary {phi:.1f} times as much as chance: they differ in more than luck, so read with care.")
    largest = max(n for _, _, n in rows)
    sizes = sorted({max(1, round(largest * 1.1 * step / 60)) for step in range(1, 61)})
    alarm = -math.expm1(len(filled) * math.log(ACTION))
    return Funnel(goal, tuple(found), tuple(funnel_limits(n, goal) for n in sizes), phi, alarm, tuple(notes))


def funnel_limits(n: int, target: float) -> Limits:
    """Exact binomial limits around ``target`` for a unit of ``n`` cases, as shares of whole cases.

    A unit *beyond* a limit is there by chance in at most 2.5 (or 0.1) of 100 cases on each side. They are not smoothed
    between whole cases: smoothed limits mark small units too often (3 of 4 against 30 % would lie beyond 95 %, although
    chance does that in 8 of 100).
    """
    from scipy.special import bdtr

    n = whole(n, "n", least=1)
    share(target, "target", open_ended=True)

    def limit(tail: float) -> float:
        # The first r with P(R <= r) >= tail, started at its normal approximation.
        r = int(min(n, max(0, n * target + NormalDist().inv_cdf(tail) * math.sqrt(n * target * (1 - target)))))
        while r > 0 and bdtr(r - 1, n, target) >= tail:
            r -= 1
        while bdtr(r, n, target) < tail:
            r += 1
        return r / n

    return Limits(
        n, limit((1 - WARNING) / 2), limit((1 + WARNING) / 2), limit((1 - ACTION) / 2), limit((1 + ACTION) / 2)
    )


def _overdispersion(zs: Sequence[float]) -> float:
    import numpy as np

    values = np.asarray(zs)
    low, high = np.quantile(values, [0.1, 0.9])
    return float((np.clip(values, low, high) ** 2).mean())


def _labels(labels: Sequence[str] | None, size: int) -> Sequence[str]:
    if labels is None:
        return [str(number) for number in range(1, size + 1)]
    if len(labels) != size:
        raise CountError(f"There are {len(labels)} labels for {size} points.", fix="Give one for each.")
    return labels
