"""By which day a registered sex offender must notify, or is to be visited, counted from events and absences alone.

No database and no clock here, so that the counting can be held against a slow model day by day. Sources: Sexual
Offences Act 2003 s.83(4) (days in custody, in hospital or abroad are disregarded in the first three days) and s.85(3)
(a year that ends meanwhile goes on to the end of three days beginning with the return). Durations come from the
standards. Days are days in London; a duty is in time until the end of its day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from safelight.standards.duration import Duration
from safelight.standards.working_calendar import add_months

DAY = timedelta(days=1)


class Away(Protocol):
    """A stay in custody, in hospital or abroad: from a day until the day of return (None: not back yet)."""

    @property
    def begins(self) -> date: ...

    @property
    def ends(self) -> date | None: ...


@dataclass(frozen=True)
class Stay:
    """A stay away, for callers without rows."""

    begins: date
    ends: date | None = None


def away_on(day: date, stays: Iterable[Away]) -> bool:
    """Whether the offender is away at the end of ``day``. The day of return counts as being back."""
    return any(stay.begins <= day and (stay.ends is None or day < stay.ends) for stay in stays)


def after(day: date, length: Duration) -> date:
    """The last day of ``length`` counted from ``day`` on, the day itself not counted; a short month ends earlier.

    Raises:
        ValueError: hours or working days, in which no duty of an offender is counted.
    """
    if length.unit == "calendar_days":
        return day + length.count * DAY
    if length.unit in ("months", "years"):
        return add_months(day, length.count * (12 if length.unit == "years" else 1))
    raise ValueError(f"{length} is not counted in calendar days")


def _return_after(day: date, stays: Iterable[Away]) -> date | None:
    """The first day from ``day`` on on which the offender is not away; None while nobody knows it."""
    rows = list(stays)
    while True:
        over = [stay.ends for stay in rows if stay.begins <= day and (stay.ends is None or day < stay.ends)]
        if not over:
            return day
        if None in over:
            return None
        day = max(one for one in over if one is not None)


def beginning_with(event: date, days: int, stays: Iterable[Away]) -> date | None:
    """The last of ``days`` days beginning with ``event``, days away disregarded (s.83(4)).

    Returns:
        None while the offender is away and the days are not full: the duty rests.
    """
    rows, day = list(stays), event
    for number in range(days):
        found = _return_after(day, rows)
        if found is None:
            return None
        if number == days - 1:
            return found
        day = found + DAY
    return None


def periodic(notified: date, length: Duration, stays: Iterable[Away], *, days_after_return: int = 3) -> date | None:
    """The last day for the next notification after one on ``notified`` (s.85: a year; without a home: seven days).

    A period that ends while the offender is away goes on to the end of ``days_after_return`` days beginning with the
    return; one that ends before or after is not touched. None while the offender is away past its end.
    """
    rows, last = list(stays), after(notified, length)
    while away_on(last, rows):
        back = _return_after(last, rows)
        if back is None:
            return None
        last = back + (days_after_return - 1) * DAY
    return last


def visit_due(counted_from: date, every: Duration, stays: Iterable[Away]) -> date | None:
    """The last day for the next visit: the interval of the plan, days away not counted (policy, no statute).

    None while the offender is away and the interval is not over.
    """
    rows = list(stays)
    left, day = (after(counted_from, every) - counted_from).days, counted_from
    while left:
        day += DAY
        if away_on(day, rows):
            found = _return_after(day, rows)
            if found is None:
                return None
            day = found
        left -= 1
    return day
