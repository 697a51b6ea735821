"""What a pause does to a due time.

Two readings, as the rule says. *Disregarded* (Sexual Offences Act 2003 s.83(4)): the time of the pause does not
count; a clock in hours is due that much later, and of one in days a day does not count that ends within a pause: the
whole days that come nearest to time that is left out. *Run on* (s.85(3), ``after_pause``): the clock runs, and only if
it would run out during the pause it runs out a stated number of days after it, beginning with the day on which the
pause ends.

A clock is computed from its events, not from how they arrived: pauses may be told late, twice or in any order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from safelight.errors import StandardsError
from safelight.standards.duration import Duration
from safelight.standards.working_calendar import ENGLAND_AND_WALES, WorkingCalendar, end_of_day, local_day, start_of_day

Pause = tuple[datetime, datetime | None]
"""From when (aware) until when; None while it lasts."""
_DAY = timedelta(days=1)


def joined(pauses: Iterable[Pause]) -> list[Pause]:
    """Pauses in order of time, those that touch or overlap made into one; the last may have no end."""
    made: list[Pause] = []
    for start, end in sorted(pauses, key=lambda one: one[0]):
        if end is not None and end <= start:
            continue
        if made and (made[-1][1] is None or start <= made[-1][1]):
            first, last = made.pop()
            made.append((first, None if last is None or end is None else max(last, end)))
        else:
            made.append((start, end))
    return made


def due_after_pauses(
    due: datetime | None,
    triggered_at: datetime,
    pauses: Iterable[Pause],
    *,
    duration: Duration,
    beginning_with: bool = False,
    after_pause: Duration | None = None,
    calendar: WorkingCalendar = ENGLAND_AND_WALES,
) -> datetime | None:
    """When a clock is due whose time was interrupted.

    Args:
        due: when it would be due without any pause (UTC), at the end of a day in London unless it counts in hours.
        pauses: those of this clock, in any order; what lies before the trigger is left out.
        duration: what the clock counts; only its unit matters here.
        beginning_with: the day of the trigger is day 1.
        after_pause: calendar days for the reading *run on*; None means that the pause is disregarded.

    Returns:
        The due time in UTC; None while a pause lasts that began before it was due. A pause after the due time changes
        nothing: what is late stays late.

    Raises:
        StandardsError: ``after_pause`` is not in calendar days.
    """
    if after_pause is not None and after_pause.unit != "calendar_days":
        raise StandardsError(f"After a pause of {after_pause} nothing can be counted.", fix="Give calendar days.")
    if due is None:
        return None
    spans = [(max(start, triggered_at), end) for start, end in joined(pauses) if end is None or end > triggered_at]
    if after_pause is not None:
        return _run_on(due, spans, after_pause)
    if duration.unit == "hours":
        return _hours_later(due, spans)
    first = local_day(triggered_at) + (timedelta(0) if beginning_with else _DAY)
    return _days_later(due, first, spans, calendar if duration.unit == "working_days" else None)


def _run_on(due: datetime, spans: list[Pause], after: Duration) -> datetime | None:
    for start, end in spans:
        if start > due:
            break
        if end is None:
            return None
        if due <= end:
            due = max(due, end_of_day(local_day(end) + _DAY * (after.count - 1)))
    return due


def _hours_later(due: datetime, spans: list[Pause]) -> datetime | None:
    for start, end in spans:
        if start >= due:
            break
        if end is None:
            return None
        due += end - start
    return due


def _days_later(due: datetime, first: date, spans: list[Pause], working: WorkingCalendar | None) -> datetime | None:
    last = local_day(due)
    for start, end in spans:
        if start > end_of_day(last):
            break
        if end is None:
            return None
        day = max(first, local_day(start))
        while day <= last and start_of_day(day + _DAY) <= end:
            if working is None or working.is_working_day(day):
                last = last + _DAY if working is None else working.add_working_days(last, 1)
            day += _DAY
    return end_of_day(last)
