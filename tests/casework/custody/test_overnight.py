"""The overnight flag against a walk minute by minute: a night in a cell is counted, and nothing else is."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.casework.custody.overnight import becomes_overnight_at, held_overnight, nights

LONDON = ZoneInfo("Europe/London")
# Minutes around the two changes of the clocks of 2026, a leap day, the turn of a year, and any day between.
NEAR = [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC), datetime(2028, 2, 28, tzinfo=UTC),
    datetime(2026, 12, 31, tzinfo=UTC)]  # fmt: skip
STARTS = st.one_of(
    st.builds(lambda day, minutes: day + timedelta(minutes=minutes), st.sampled_from(NEAR), st.integers(0, 2_880)),
    st.builds(lambda minutes: NEAR[0] + timedelta(minutes=minutes), st.integers(0, 600_000)),
)


def walk(start: datetime, minutes: int) -> Counter:
    """The minutes of each local day that lie before eight o'clock, one by one."""
    found: Counter = Counter()
    for number in range(minutes):
        local = (start + timedelta(minutes=number)).astimezone(LONDON)
        if local.hour < 8:
            found[local.date()] += 1
    return found


@settings(max_examples=150, deadline=None)
@given(start=STARTS, minutes=st.integers(0, 2_500))
def test_the_flag_is_what_a_walk_through_every_minute_finds(start, minutes) -> None:
    """A child who spent the night in a cell would be missing from the figures, or one who did not would be in them."""
    end = start + timedelta(minutes=minutes)
    walked = walk(start, minutes)
    assert {night.day: night.spent for night in nights(start, end)} == {
        day: timedelta(minutes=count) for day, count in walked.items()
    }
    assert held_overnight(start, end) == any(count >= 240 for count in walked.values())


@settings(max_examples=100, deadline=None)
@given(start=STARTS)
def test_the_moment_from_which_it_counts_is_the_first(start) -> None:
    """The alarm would come a minute too late, or while there is nothing yet to prevent."""
    moment = becomes_overnight_at(start, start)
    assert start < moment <= start + timedelta(hours=33)
    assert held_overnight(start, moment)
    assert not held_overnight(start, moment - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("start", "end", "overnight"),
    [
        ("2026-11-03 00:00", "2026-11-03 04:00", True),
        ("2026-11-03 00:01", "2026-11-03 04:00", False),
        ("2026-11-03 04:00", "2026-11-03 12:00", True),
        ("2026-11-03 04:01", "2026-11-03 23:00", False),
        ("2026-11-03 06:00", "2026-11-04 02:00", False),  # two hours of two nights are no night
        ("2026-03-29 00:00", "2026-03-29 04:59", False),  # the clocks went forward: three hours and 59 minutes
        ("2026-03-29 00:00", "2026-03-29 05:00", True),
        ("2026-10-25 00:00", "2026-10-25 03:00", True),  # they went back: four hours by three o'clock
        ("2026-10-25 00:01", "2026-10-25 03:00", False),
    ],
)
def test_the_boundaries_by_name(start, end, overnight) -> None:
    first, last = (datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC) for text in (start, end))
    assert held_overnight(first, last) is overnight
