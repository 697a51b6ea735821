"""By which day a registered sex offender must notify, or is to be visited, counted from events and absences alone.

No database here, so that the counting can be held against a slow model day by day. The rules are the standards':
days away are disregarded (Sexual Offences Act 2003 s.83(4), and the interval of a plan), or a period that ends
meanwhile goes on to the end of three days beginning with the return (s.85(3)). Days are days in London; a duty is in
time until the end of its day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from safelight.standards import Duration, due_after_pauses
from safelight.standards.clocks import ClockRule
from safelight.standards.working_calendar import local_day, start_of_day


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


def span(stay: Away) -> tuple[datetime, datetime | None]:
    """A stay as a pause: from the beginning of its first day to the beginning of the day of return, which counts."""
    return start_of_day(stay.begins), start_of_day(stay.ends) if stay.ends is not None else None


def due_day(rule: ClockRule, event: date, stays: Iterable[Away], *, own: Duration | None = None) -> date | None:
    """The last day for what ``rule`` asks after an event on ``event``.

    Args:
        stays: they count only for a rule that is suspended in custody, in hospital and abroad.
        own: the interval of the offender's own plan, for the rule about visits.

    Returns:
        None while the offender is away and the time is not over, or where nothing is set.
    """
    begins = start_of_day(event)
    due = rule.due_at(begins, own=own)
    length = own or rule.duration_for(on=event)
    if due is None or length is None or not rule.pause_reasons:
        return local_day(due) if due else None
    found = due_after_pauses(
        due,
        begins,
        [span(stay) for stay in stays],
        duration=length,
        beginning_with=rule.calendar == "calendar_beginning_with",
        after_pause=rule.after_pause,
    )
    return local_day(found) if found else None
