"""Entries on the wire: what goes in comes out, and what a parser that was taken over makes up is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.errors import EvidenceError
from safelight.triage.model import Extent, FileEntry, Times
from safelight.triage.packing import pack, unpack

_texts = st.text(max_size=20)
_numbers = st.integers(-(1 << 63), 1 << 63)
_moments = st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda t: t.replace(tzinfo=UTC))


@given(
    st.builds(
        FileEntry, st.just(3), _texts, _numbers, _texts, st.none() | _numbers, st.booleans(), st.booleans(),
        st.booleans(), st.booleans(), st.builds(Times, _moments, _moments, _moments, _moments),
        st.lists(st.builds(Extent, _numbers, _numbers), max_size=4).map(tuple), st.lists(_texts, max_size=3).map(tuple),
        st.lists(_texts, max_size=3).map(tuple), _texts,
    )
)  # fmt: skip
def test_there_and_back(entry: FileEntry) -> None:
    """A file's times or places would change on the way to the record."""
    assert unpack(3, json.loads(json.dumps(pack(entry)))) == entry


@pytest.mark.parametrize("position", range(13))
@pytest.mark.parametrize("value", [{}, 1.5, ["x", 1], True, 10**30])
def test_nonsense_is_refused(position: int, value: Any) -> None:
    """A parser that was taken over could break the process that keeps the record."""
    row = pack(FileEntry(0, "a", 1, "b", 5, times=Times(datetime(2020, 1, 1, tzinfo=UTC))))
    fits = {(1, 10**30), (3, 10**30), (4, 10**30)}
    row[position] = value
    if (position, value) in [(a, b) for a, b in fits]:
        unpack(0, row)
        return
    with pytest.raises(EvidenceError, match="makes no sense"):
        unpack(0, row)
    with pytest.raises(EvidenceError, match="makes no sense"):
        unpack(0, row[:-1])
