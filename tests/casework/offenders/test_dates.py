"""Counting days of an offender, against a slow model that walks through the calendar day by day."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from safelight.casework.offenders.dates import Stay, due_day
from safelight.standards import load_standards
from safelight.standards.duration import Duration
from safelight.standards.working_calendar import add_months

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


def due(rule: str, day: date, rows: list[Stay], own: Duration | None = None) -> date | None:
    return due_day(load_standards().clocks[rule], day, rows, own=own)


@given(days, stays())
def test_the_first_days_do_not_count_time_in_custody(event, rows) -> None:
    """A man released after a year would be in breach on the day he walks out, or have a year to hide."""
    assert due("rso_initial_notify", event, rows) == slow_beginning_with(event, 3, rows)


@given(days, stays())
def test_a_period_that_ends_in_custody_goes_on_for_three_days(notified, rows) -> None:
    assert due("rso_annual", notified, rows) == slow_periodic(add_months(notified, 12), rows)
    assert due("rso_nfa_weekly", notified, rows) == slow_periodic(notified + 7 * DAY, rows)


@given(days, st.integers(1, 400), stays())
def test_the_interval_of_a_plan_rests_while_nobody_can_be_visited(base, length, rows) -> None:
    own = Duration(length, "calendar_days")
    assert due("rso_visit_current", base, rows, own) == slow_visit(base, length, rows)


@given(days, st.integers(1, 36), stays(), stays())
def test_more_time_away_never_brings_a_day_forward(base, months, some, more) -> None:
    """An absence that is recorded late would shorten somebody's time."""
    every = Duration(months, "months")
    free = due("rso_visit_current", base, [], every)
    assert free == add_months(base, months)
    for rows in (some, [*some, *more]):
        found = due("rso_visit_current", base, rows, every)
        assert found is None or found >= free
        year = due("rso_annual", base, rows)
        assert year is None or year >= add_months(base, 12)


@given(days, stays())
def test_what_has_no_pause_is_not_moved_by_custody(event, rows) -> None:
    """A change of address before prison still has its three days."""
    for rule in ("rso_change_notify", "rso_travel_return", "rso_child_household"):
        assert due(rule, event, rows) == event + 2 * DAY


def test_the_examples_of_the_act() -> None:
    """Section 83: three days beginning with the date. Section 85: a year, or three days from release."""
    monday = date(2026, 11, 2)
    first, year = "rso_initial_notify", "rso_annual"
    assert due(first, monday, []) == date(2026, 11, 4)
    assert due(first, monday, [Stay(monday, date(2027, 5, 10))]) == date(2027, 5, 12)
    assert due(first, monday, [Stay(date(2026, 11, 3), date(2027, 5, 10))]) == date(2027, 5, 11)
    assert due(first, monday, [Stay(monday)]) is None
    assert due(year, date(2024, 2, 29), []) == date(2025, 2, 28)
    inside = [Stay(date(2026, 10, 1), date(2026, 12, 1))]
    assert due(year, date(2025, 11, 2), inside) == date(2026, 12, 3)
    assert due(year, date(2025, 12, 2), inside) == date(2026, 12, 2), "released before it ends: nothing moves"
    assert due(year, date(2025, 11, 2), [Stay(date(2026, 10, 1))]) is None
    again = [*inside, Stay(date(2026, 12, 2), date(2027, 1, 15))]
    assert due(year, date(2025, 11, 2), again) == date(2027, 1, 17), "taken in again within the three days"
    assert due("rso_visit_current", monday, []) is None, "no plan, no day"
