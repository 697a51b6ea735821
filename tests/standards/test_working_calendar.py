"""Working days of England and Wales: a clock counted over a bank holiday that is not one is late for a child."""

from __future__ import annotations

import json
import socket
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.errors import StandardsError
from safelight.standards import ENGLAND_AND_WALES, LONDON, WorkingCalendar
from safelight.standards.working_calendar import add_months, bank_holidays_by_rule, easter_sunday, local_day

# Days proclaimed once, and the days that were moved for them (Royal proclamations; the list of GOV.UK).
EXTRA = {
    date(2012, 6, 5),
    date(2020, 5, 8),
    date(2022, 6, 2),
    date(2022, 6, 3),
    date(2022, 9, 19),
    date(2023, 5, 8),
    date(2012, 6, 4),
}
MOVED_AWAY = {date(2012, 5, 28), date(2020, 5, 4), date(2022, 5, 30)}
DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def listed() -> dict[int, set[date]]:
    text = (resources.files("govuk_bank_holidays") / "bank-holidays.json").read_text(encoding="utf-8")
    years: dict[int, set[date]] = {}
    for event in json.loads(text)["england-and-wales"]["events"]:
        day = date.fromisoformat(event["date"])
        years.setdefault(day.year, set()).add(day)
    return years


@pytest.mark.parametrize("year", sorted(listed()))
def test_the_rule_agrees_with_the_list_except_for_proclaimed_days(year: int) -> None:
    """Lost: correct due dates in every year after the list ends."""
    known = listed()[year]
    assert bank_holidays_by_rule(year) - MOVED_AWAY == known - EXTRA
    assert ENGLAND_AND_WALES.bank_holidays(year) == known, "the list decides where it exists"


@pytest.mark.parametrize(
    ("year", "day"),
    [(1818, "03-22"), (1943, "04-25"), (1981, "04-19"), (2000, "04-23"), (2008, "03-23"), (2038, "04-25")],
)
def test_easter_of_known_years(year: int, day: str) -> None:
    """The earliest, the latest and some other Easters, from almanacs."""
    assert easter_sunday(year).isoformat() == f"{year}-{day}"


@given(st.integers(1900, 2200))
def test_every_year_has_eight_holidays_on_weekdays(year: int) -> None:
    """Lost: a substitute day, so that a clock runs out on a closed office."""
    days = bank_holidays_by_rule(year)
    assert len(days) == 8
    assert all(day.weekday() < 5 and day.year == year for day in days)


def test_a_year_beyond_the_list_does_not_fail() -> None:
    """Lost: the whole clock service, on the night when the list ends."""
    assert date(2060, 12, 27) in ENGLAND_AND_WALES.bank_holidays(2060)
    assert ENGLAND_AND_WALES.add_working_days(date(2060, 12, 24), 1) == date(2060, 12, 29)
    assert WorkingCalendar({}).is_working_day(date(2026, 12, 28)) is False


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost: a police network that sees a surprise connection, or a clock that waits for one."""
    from safelight.standards.working_calendar import listed_bank_holidays

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("network used")

    monkeypatch.setattr(socket, "socket", refuse)
    listed_bank_holidays.cache_clear()
    assert listed_bank_holidays()[2026]


@given(DAYS, st.integers(0, 60))
def test_adding_working_days_agrees_with_walking(day: date, count: int) -> None:
    end = ENGLAND_AND_WALES.add_working_days(day, count)
    walked = sum(ENGLAND_AND_WALES.is_working_day(day + timedelta(n)) for n in range(1, (end - day).days + 1))
    assert walked == count == ENGLAND_AND_WALES.working_days_between(day, end)
    assert count == 0 or ENGLAND_AND_WALES.is_working_day(end)


@given(DAYS, st.integers(1, 40))
def test_working_days_backwards_end_on_a_working_day(day: date, count: int) -> None:
    start = ENGLAND_AND_WALES.add_working_days(day, -count)
    assert start < day
    assert ENGLAND_AND_WALES.is_working_day(start)
    assert ENGLAND_AND_WALES.working_days_between(start - timedelta(1), day - timedelta(1)) == count


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2025-12-15", 1, "2026-01-15"),
        ("2026-03-31", -1, "2026-02-28"),
    ],
)
def test_months_are_clamped_to_the_end_of_a_shorter_month(day: str, months: int, expected: str) -> None:
    assert add_months(date.fromisoformat(day), months).isoformat() == expected


def test_a_late_arrival_counts_next_working_day_only_with_working_hours() -> None:
    """Friday 18:00 before the August bank holiday."""
    late = datetime(2026, 8, 28, 18, tzinfo=LONDON)
    hours = (time(9), time(17))
    assert ENGLAND_AND_WALES.day_of_arrival(late, None) == date(2026, 8, 28)
    assert ENGLAND_AND_WALES.day_of_arrival(late, hours) == date(2026, 9, 1)
    assert ENGLAND_AND_WALES.day_of_arrival(late.replace(hour=16), hours) == date(2026, 8, 28)
    assert ENGLAND_AND_WALES.day_of_arrival(datetime(2026, 8, 29, 8, tzinfo=LONDON), hours) == date(2026, 9, 1)


def test_the_day_is_the_day_in_london() -> None:
    """Lost: a whole day, for everything recorded between midnight and one in summer."""
    assert local_day(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)) == date(2026, 7, 1)
    assert local_day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == date(2026, 12, 31)


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), datetime(1066, 10, 14, tzinfo=UTC), datetime.max])
def test_a_time_without_zone_or_out_of_range_is_refused(moment: datetime) -> None:
    with pytest.raises(StandardsError):
        local_day(moment)
