"""Which device is examined next, and why: the published rule of the forensic queue (docs/forensic-queue.md).

    index = (cost of a day's delay x what triage found) / days of work x (1 + share of its time that is used) ^ 2

It is the order 'growing' of the planning model, with the numbers of standards/data/forensic_queue.toml; a child in live
contact comes before every index. Everything is worked out from the facts when the queue is read, so that no place can
be stale: the same facts at the same moment give the same order (ties: the longest seized, then the lower number).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from safelight.planning.rules import Facts, find_rule
from safelight.standards.forensic_queue import QueueRule, queue_rule
from safelight.triage.priority import band_of

_DAY = 86_400.0
#: Without a time that the standards set, the index grows as if this long were given.
_NO_TIME = timedelta(days=28)


@dataclass(frozen=True)
class Waiting:
    """What the rule looks at, for one device that waits.

    Args:
        key: the examination's key.
        live: a child on the case is in live contact.
        risk: of the case; "" where nobody assessed it.
        points: of the triage priority, live contact left out.
        kind: of device.
        seized_at, since: when it was seized, and from when its time counts (aware).
        due_at: when its time is over; None where the standards set none.
    """

    key: int
    live: bool
    risk: str
    points: int
    kind: str
    seized_at: datetime
    since: datetime
    due_at: datetime | None


@dataclass(frozen=True)
class Place:
    """A device in the queue: its place (from 1), index, reasons, and when it passes the one ahead (None: not soon)."""

    place: int
    index: float
    reasons: tuple[str, ...]
    waiting: Waiting = field(repr=False)
    passes: datetime | None = None


def strength(one: Waiting, rule: QueueRule) -> tuple[float, float]:
    """The index of a device on the day its time begins, and the power with which it grows."""
    cost = rule.cost.get(one.risk) or max(rule.cost.values())
    work = rule.days_of_work.get(one.kind) or rule.days_of_work["other"]
    return _score(rule.order, cost * rule.found[band_of(one.points)], work, _given(one) / _DAY)


@lru_cache(maxsize=4096)
def _score(order: str, cost: float, work: float, days: float) -> tuple[float, float]:
    """What the order of the planning model says of one kind of work; a queue of thousands has few kinds."""
    score = find_rule(order).score(Facts(rank=0, cost=cost, mean=work, deadline=days))
    return score.growth, score.power


def _given(one: Waiting) -> float:
    given = (one.due_at or one.since + _NO_TIME) - one.since
    return max(given.total_seconds(), 1.0)


def index_of(one: Waiting, now: datetime, rule: QueueRule | None = None) -> float:
    """The index at a moment; it only ever grows."""
    growth, power = strength(one, rule or queue_rule())
    used = max(0.0, (now - one.since).total_seconds()) / _given(one)
    return float(growth * (1.0 + used) ** power)


def sort_key(one: Waiting, now: datetime, rule: QueueRule) -> tuple[int, float, float, int]:
    """First in this order is examined first."""
    return (0 if one.live else 1, -index_of(one, now, rule), one.seized_at.timestamp(), one.key)


def in_order(waiting: Iterable[Waiting], now: datetime, rule: QueueRule | None = None) -> list[Waiting]:
    """The queue at a moment, next one first."""
    rule = rule or queue_rule()
    return sorted(waiting, key=lambda one: sort_key(one, now, rule))


def place_of(queue: Sequence[Waiting], number: int, now: datetime, rule: QueueRule | None = None) -> Place:
    """The place of the ``number``-th (from 0) of a queue that :func:`in_order` made, with its reasons."""
    rule = rule or queue_rule()
    one = queue[number]
    passes = passing(queue[number - 1], one, now, rule) if number else None
    return Place(number + 1, index_of(one, now, rule), reasons_of(one, now, rule), one, passes)


def passing(ahead: Waiting, behind: Waiting, now: datetime, rule: QueueRule | None = None) -> datetime | None:
    """When ``behind`` comes before ``ahead`` if nothing else changes; None for never or after a year.

    The root of each index is a straight line in time, so that two of them cross once at most.
    """
    rule = rule or queue_rule()
    if ahead.live and not behind.live:
        return None
    (a, power), (b, _) = strength(ahead, rule), strength(behind, rule)
    a, b = a ** (1 / power), b ** (1 / power)
    slope = b / _given(behind) - a / _given(ahead)
    if slope <= 0:
        return None
    gap = a * (1 + _used(ahead, now)) - b * (1 + _used(behind, now))
    seconds = gap / slope
    if not math.isfinite(seconds) or seconds < 0 or seconds > 365 * _DAY:
        return None
    return now + timedelta(seconds=seconds)


def _used(one: Waiting, now: datetime) -> float:
    return max(0.0, (now - one.since).total_seconds()) / _given(one)


_RISK = {"very_high": "Very high risk", "high": "High risk", "medium": "Medium risk", "low": "Low risk"}


def reasons_of(one: Waiting, now: datetime, rule: QueueRule | None = None) -> tuple[str, ...]:
    """Why it stands where it does: every factor of the index, in words."""
    rule = rule or queue_rule()
    band = band_of(one.points)
    cost = rule.cost.get(one.risk) or max(rule.cost.values())
    work = rule.days_of_work.get(one.kind) or rule.days_of_work["other"]
    said = ["A child on the case is in live contact: before every other."] if one.live else []
    said.append(f"{_RISK.get(one.risk, 'Risk not assessed, counted as very high')}: {cost:g} for a day's delay")
    said.append(f"Triage priority {band} ({one.points} points): x {rule.found[band]:g}")
    said.append(f"About {work:g} {'day' if work == 1 else 'days'} of work: / {work:g}")
    used = _used(one, now)
    grown = f"x {(1 + used) ** strength(one, rule)[1]:.2f}"
    if one.due_at is None:
        said.append(f"No time is set by the standards; counted as {_NO_TIME.days} days: {grown}")
    elif now > one.due_at:
        said.append(f"Its time ran out {_days(now - one.due_at)} ago: {grown}")
    else:
        said.append(f"{used:.0%} of its time is used: {grown}")
    return tuple(said)


def _days(gone: timedelta) -> str:
    return f"{gone.days} {'day' if gone.days == 1 else 'days'}" if gone.days else f"{gone.seconds // 3600} hours"
