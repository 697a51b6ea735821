"""The working calendar of England and Wales, and day counting in Europe/London.

Bank holidays come from the list of GOV.UK as the package govuk-bank-holidays carries it; the file is read from disk,
and nothing is ever fetched. Years that the list does not hold are computed from the Banking and Financial Dealings Act
1971 (and the days proclaimed every year since 1978), because a clock must not fail at night when the list ends.
Days proclaimed once, such as a jubilee, are known only where the list has them.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from safelight.errors import StandardsError

LONDON = ZoneInfo("Europe/London")
DAY_END = time(23, 59, 59)
_DAY = timedelta(days=1)
_DIVISION = "england-and-wales"


def easter_sunday(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the 'anonymous' algorithm, Nature, 20 April 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


def bank_holidays_by_rule(year: int) -> frozenset[date]:
    """The eight usual bank holidays of a year, substitute days in place of those on a weekend. No one-off days."""

    def monday_from(day: date) -> date:
        return day + timedelta(days=-day.weekday() % 7)

    easter = easter_sunday(year)
    days = {
        easter - timedelta(days=2),
        easter + _DAY,
        monday_from(date(year, 5, 1)),
        monday_from(date(year, 5, 25)),
        monday_from(date(year, 8, 25)),
    }
    for fixed in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while fixed.weekday() >= 5 or fixed in days:
            fixed += _DAY
        days.add(fixed)
    return frozenset(days)


@functools.cache
def listed_bank_holidays() -> Mapping[int, frozenset[date]]:
    """Year to bank holidays, from the cached GOV.UK list; empty when the list is missing or not readable."""
    spec = importlib.util.find_spec("govuk_bank_holidays")
    years: dict[int, set[date]] = {}
    if spec is None or not spec.submodule_search_locations:
        return MappingProxyType({})
    path = Path(next(iter(spec.submodule_search_locations))) / "bank-holidays.json"
    try:
        for event in json.loads(path.read_text(encoding="utf-8"))[_DIVISION]["events"]:
            day = date.fromisoformat(event["date"])
            years.setdefault(day.year, set()).add(day)
    except (OSError, ValueError, KeyError, TypeError):
        return MappingProxyType({})
    # A year counts as listed only when it is whole: the list may end in the middle of one.
    return MappingProxyType({year: frozenset(days) for year, days in years.items() if len(days) >= 8})


def today() -> date:
    """The date in London now."""
    return datetime.now(LONDON).date()


def local_day(moment: datetime) -> date:
    """The date in London at an aware moment. Raises StandardsError for a naive one."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise StandardsError(
            f"The time {moment.isoformat()} has no time zone.", fix="Give an aware datetime, for example in UTC."
        )
    if not 1900 <= moment.year <= 9000:
        raise StandardsError(
            f"The year {moment.year} is outside what a clock can count.", fix="Correct the date of the event."
        )
    return moment.astimezone(LONDON).date()


def end_of_day(day: date) -> datetime:
    """23:59:59 in London at the end of ``day``, in UTC."""
    return datetime.combine(day, DAY_END, tzinfo=LONDON).astimezone(UTC)


def start_of_day(day: date) -> datetime:
    """Midnight in London at the start of ``day``, in UTC."""
    return datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC)


def add_months(day: date, months: int) -> date:
    """The corresponding date ``months`` later (or earlier), clamped to the end of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Working days: Monday to Friday without bank holidays.

    Args:
        listed: bank holidays of the years that are known from a list; all other years go by rule.
        weekend: weekdays (Monday is 0) that are never worked.
    """

    listed: Mapping[int, frozenset[date]]
    weekend: frozenset[int] = frozenset({5, 6})

    def bank_holidays(self, year: int) -> frozenset[date]:
        """Bank holidays of a year, from the list or by rule."""
        known = self.listed.get(year)
        return known if known is not None else bank_holidays_by_rule(year)

    def is_working_day(self, day: date) -> bool:
        """True from Monday to Friday, bank holidays excepted."""
        return day.weekday() not in self.weekend and day not in self.bank_holidays(day.year)

    def add_working_days(self, day: date, count: int) -> date:
        """The ``count``-th working day after ``day`` (before it, when negative); ``day`` itself never counts."""
        step, left = (_DAY, count) if count >= 0 else (-_DAY, -count)
        while left:
            day += step
            left -= self.is_working_day(day)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``; 0 when ``end`` is not after ``start``."""
        return sum(self.is_working_day(start + _DAY * n) for n in range(1, (end - start).days + 1))

    def day_of_arrival(self, moment: datetime, hours: tuple[time, time] | None) -> date:
        """The day on which something counts as arriving.

        Without working hours: the day itself. With them: the next working day, when it arrives at or after closing time
        or on a day that is not worked (so do the deadlines of the Approved Premises service).
        """
        day = local_day(moment)
        if hours is None:
            return day
        late = moment.astimezone(LONDON).time() >= hours[1]
        return day if self.is_working_day(day) and not late else self.add_working_days(day, 1)


ENGLAND_AND_WALES = WorkingCalendar(listed_bank_holidays())
"""The calendar that every clock uses."""
