"""Names and times as reports show them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from safelight.triage.evidence.filesystem import clean_name, moment


@given(st.one_of(st.binary(max_size=40), st.text(max_size=40)))
def test_names_are_one_printable_part(raw: bytes | str) -> None:
    """A file name could break a line of a report, or pose as a folder."""
    shown = clean_name(raw)
    assert "/" not in shown and "\n" not in shown
    assert shown.isprintable()
    shown.encode("utf-8")


def test_impossible_times_are_dropped() -> None:
    """A report would state a time that the file system never recorded."""
    assert moment(0) is None and moment(-5) is None and moment(None) is None and moment(1 << 60) is None
    assert moment(1_600_000_000, 5_000) == datetime(2020, 9, 13, 12, 26, 40, 5, tzinfo=UTC)
