"""What a reader would lose: times they can trust at a glance."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.web import filters

NOW = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)


def test_a_moment_is_written_in_london_time():
    assert filters.moment(NOW) == "3 Nov 2026, 14:05"
    assert filters.moment(datetime(2026, 7, 3, 23, 30, tzinfo=UTC)) == "4 Jul 2026, 00:30"
    assert filters.day(datetime(2026, 7, 3, 23, 30, tzinfo=UTC)) == "4 Jul 2026"
    assert filters.day(date(2026, 7, 3)) == "3 Jul 2026"
    assert filters.moment(None, "Not set") == "Not set"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (timedelta(hours=2), "2 hours left"),
        (timedelta(hours=2, minutes=59), "2 hours 59 min left"),
        (timedelta(minutes=1), "1 minute left"),
        (timedelta(seconds=5), "less than a minute left"),
        (timedelta(0), "less than a minute overdue"),
        (timedelta(days=-3), "3 days overdue"),
        (timedelta(hours=30), "30 hours left"),
        (timedelta(days=2), "2 days left"),
    ],
)
def test_time_left_and_overdue(rest, expected):
    assert filters.left(NOW + rest, NOW) == expected


@given(st.integers(min_value=1, max_value=10**7))
def test_a_clock_never_seems_longer_than_it_is(seconds):
    """Rounding up would tell someone that they have an hour which they do not have."""
    text = filters.span(timedelta(seconds=seconds))
    factors = {"minute": 60, "hour": 3600, "day": 86400, "min": 60}
    if text == "less than a minute":
        assert seconds < 60
        return
    parts = text.replace(",", "").split()
    said = sum(int(n) * factors[unit.rstrip("s")] for n, unit in zip(parts[::2], parts[1::2], strict=True))
    assert said <= seconds


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1500, "1.5 KB"), (64 * 10**9, "64 GB"), (None, "")],
)
def test_sizes(count, expected):
    assert filters.filesize(count) == expected


def test_plurals_and_ago():
    assert filters.plural(1, "child", "children") == "1 child"
    assert filters.plural(0, "child", "children") == "0 children"
    assert filters.plural(1234, "case") == "1,234 cases"
    assert filters.ago(NOW - timedelta(hours=7), NOW) == "7 hours ago"
    assert filters.ago(NOW + timedelta(hours=7), NOW) == "in 7 hours"
    assert filters.words("due_soon") == "Due soon"
    assert filters.words("csc_referral_to_mash") == "CSC referral to MASH"
