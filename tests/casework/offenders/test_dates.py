"""Counting days of an offender, against a slow model that walks through the calendar day by day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.casework.offenders.dates import Stay, after, away_on, beginning_with, periodic, visit_due
from safelight.standards import load_standards
from safelight.standards.duration import Duration
from safelight.standards.working_calendar import local_day, start_of_day

DAY = timedelta(days=1)
HORIZON = 4_000
days = st.dates(date(2023, 1, 1), date(2029, 12, 31))  # leap days of 2024 and 2028, both changes of the clocks


@st.composite
def stays(draw):
    """Some stays away, one after the other; the last may be open."""
    made, day = [], draw(days)
    for _ in range(draw(st.integers(0, 4))):
        begins = day + draw(st.integers(0, 200)) * DAY
        ends = begins + draw(st.integers(0, 400)) * DAY
        made.append(Stay(begins, ends))
        day = ends
    if draw(st.booleans()):
        made.append(Stay(day + draw(st.integers(0, 200)) * DAY))
    return made


def away(day: date, rows: list[Stay]) -> bool:
    """The slow way: every stay is written out as its days."""
    return any((day - row.begins).days >= 0 and (row.ends is None or (row.ends - day).days > 0) for row in rows)


def slow_beginning_with(event: date, count: int, rows: list[Stay]) -> date | None:
    full, day = 0, event
    for _ in range(HORIZON):
        full += not away(day, rows)
        if full == count:
            return day
        day += DAY
    return None


def slow_periodic(last: date, rows: list[Stay]) -> date | None:
    """Walk on from the end of the period until a third day after a return has passed outside."""
    day = last
    while away(day, rows):
        for _ in range(HORIZON):
            if not away(day, rows):
                break
            day += DAY
        else:
            return None
        day += 2 * DAY
    return day


def slow_visit(base: date, length: int, rows: list[Stay]) -> date | None:
    day, gone = base, 0
    for _ in range(HORIZON):
        if gone == length:
            return day
        day += DAY
        gone += not away(day, rows)
    return None


@given(days, stays())
def test_who_is_away_on_a_day(day, rows) -> None:
    assert away_on(day, rows) == away(day, rows)


@given(days, st.integers(1, 10), stays())
def test_the_first_days_do_not_count_time_in_custody(event, count, rows) -> None:
    """A man released after a year would be in breach on the day he walks out, or have a year to hide."""
    assert beginning_with(event, count, rows) == slow_beginning_with(event, count, rows)


@given(days, st.sampled_from([Duration(1, "years"), Duration(7, "calendar_days")]), stays())
def test_a_period_that_ends_in_custody_goes_on_for_three_days(notified, length, rows) -> None:
    assert periodic(notified, length, rows) == slow_periodic(after(notified, length), rows)


@given(days, st.integers(1, 400), stays())
def test_the_interval_of_a_plan_rests_while_nobody_can_be_visited(base, length, rows) -> None:
    assert visit_due(base, Duration(length, "calendar_days"), rows) == slow_visit(base, length, rows)


@given(days, st.integers(1, 36), stays(), stays())
def test_more_time_away_never_brings_a_day_forward(base, months, some, more) -> None:
    """An absence that is recorded late would shorten somebody's time."""
    every = Duration(months, "months")
    free = visit_due(base, every, [])
    assert free is not None
    for rows in (some, [*some, *more]):
        due = visit_due(base, every, rows)
        assert due is None or due >= free
        year = periodic(base, Duration(1, "years"), rows)
        assert year is None or year >= after(base, Duration(1, "years"))


@given(days)
def test_without_absences_the_days_are_those_of_the_standards(day) -> None:
    """Two countings of one law would differ by a day somewhere."""
    clocks = load_standards().clocks
    for rule in ("rso_initial_notify", "rso_change_notify", "rso_travel_return", "rso_child_household"):
        due = clocks[rule].due_at(start_of_day(day))
        assert due is not None
        assert local_day(due) == beginning_with(day, 3, [])
    for rule, length in (("rso_annual", Duration(1, "years")), ("rso_nfa_weekly", Duration(7, "calendar_days"))):
        due = clocks[rule].due_at(start_of_day(day))
        assert due is not None
        assert local_day(due) == periodic(day, length, [])


def test_the_examples_of_the_act() -> None:
    """Section 83: three days beginning with the date. Section 85: a year, or three days from release."""
    monday = date(2026, 11, 2)
    assert beginning_with(monday, 3, []) == date(2026, 11, 4)
    sentenced = [Stay(monday, date(2027, 5, 10))]
    assert beginning_with(monday, 3, sentenced) == date(2027, 5, 12)
    assert beginning_with(monday, 3, [Stay(date(2026, 11, 3), date(2027, 5, 10))]) == date(2027, 5, 11)
    assert beginning_with(monday, 3, [Stay(monday)]) is None
    year = Duration(1, "years")
    assert periodic(date(2024, 2, 29), year, []) == date(2025, 2, 28)
    inside = [Stay(date(2026, 10, 1), date(2026, 12, 1))]
    assert periodic(date(2025, 11, 2), year, inside) == date(2026, 12, 3)
    assert periodic(date(2025, 12, 2), year, inside) == date(2026, 12, 2), "released before it ends: nothing moves"
    assert periodic(date(2025, 11, 2), year, [Stay(date(2026, 10, 1))]) is None
    again = [Stay(date(2026, 10, 1), date(2026, 12, 1)), Stay(date(2026, 12, 2), date(2027, 1, 15))]
    assert periodic(date(2025, 11, 2), year, again) == date(2027, 1, 17), "taken in again within the three days"


def test_hours_are_no_measure_of_a_duty() -> None:
    with pytest.raises(ValueError, match="not counted in calendar days"):
        after(date(2026, 1, 1), Duration(4, "hours"))
