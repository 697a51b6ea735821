"""Whether a child counts as held overnight: four hours or more spent between midnight and eight in the morning.

The definition is that of the national data collection (Northumbria Police, freedom of information, children in custody
26620). Each night is a window of its own, 00:00 to 08:00 by the clocks of London: two hours at the end of one night and
two at the beginning of the next are no night in a cell. The hours are real ones: the night on which the clocks go
forward has seven, the one on which they go back has nine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
OPENS, CLOSES = time(0), time(8)
THRESHOLD = timedelta(hours=4)


@dataclass(frozen=True)
class Night:
    """The part of one night (the window of the local ``day``) that was spent in detention, in real time."""

    day: date
    spent: timedelta

    @property
    def counts(self) -> bool:
        """Whether the child counts as held overnight for this night."""
        return self.spent >= THRESHOLD


def _window(day: date) -> tuple[datetime, datetime]:
    # Neither midnight nor eight is ever skipped or repeated in London: the clocks change at one.
    opens, closes = (datetime.combine(day, at, LONDON).astimezone(UTC) for at in (OPENS, CLOSES))
    return opens, closes


def _days(start: datetime, end: datetime) -> Iterator[date]:
    day, last = start.astimezone(LONDON).date(), end.astimezone(LONDON).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def nights(start: datetime, end: datetime) -> list[Night]:
    """The nights of a detention from ``start`` to ``end`` (aware), those in which no time was spent left out."""
    found = []
    for day in _days(start, end):
        opens, closes = _window(day)
        spent = min(closes, end) - max(opens, start)
        if spent > timedelta(0):
            found.append(Night(day, spent))
    return found


def held_overnight(start: datetime, end: datetime) -> bool:
    """Whether a detention from ``start`` to ``end`` (aware) counts as overnight on at least one night."""
    return any(night.counts for night in nights(start, end))


def becomes_overnight_at(start: datetime, now: datetime) -> datetime:
    """When a child detained since ``start`` counts as held overnight if nothing changes: the first such moment, which
    lies before ``now`` for one who already does. Always within two days of ``start``."""
    for day in _days(start, start + timedelta(days=2)):
        opens, closes = _window(day)
        moment = max(opens, start) + THRESHOLD
        if moment <= closes:
            return moment
    raise AssertionError("Every second night of London has its four hours.")
