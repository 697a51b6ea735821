"""Columns of a listing on their way between processes: nothing lost, and nothing hostile let in."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.errors import EvidenceError
from safelight.triage import Extent, FileEntry
from safelight.triage.columns import pack_columns, unpack_columns
from safelight.triage.model import Times
from safelight.triage.rows import batch_of, entries_of
from safelight.triage.tally import Tally

MOMENTS = st.none() | st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))
ENTRIES = st.builds(
    FileEntry, st.just(4), st.sampled_from(["", "a/b", "ünï 🎈"]), st.integers(0, 1 << 60),
    st.sampled_from(["1/1/0", ""]), st.none() | st.integers(0, 1 << 40),
    st.booleans(), st.booleans(), st.booleans(), st.booleans(),
    times=st.builds(Times, MOMENTS, MOMENTS, MOMENTS, MOMENTS),
    extents=st.lists(st.builds(Extent, st.integers(0, 1 << 50), st.integers(1, 9)), max_size=3).map(tuple),
    names=st.lists(st.text(max_size=3).filter(str.isprintable), max_size=2).map(tuple),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(ENTRIES, min_size=1, max_size=20), st.integers(0, 5), st.integers(0, 20))
def test_what_is_sent_is_what_comes(rows: list[FileEntry], first: int, count: int) -> None:
    """A file that changed its place or time on the way would be read wrong, or not at all."""
    batch = batch_of(rows).slice(first, count)
    said, payload = pack_columns(batch)
    assert list(entries_of(unpack_columns(4, said, payload))) == rows[first : first + count]
    one, other = Tally(), Tally()
    one.seen(rows[first : first + count])
    other.seen_columns(batch)
    assert one.counts() == other.counts()


def test_spoiled_columns_are_refused_in_one_sentence() -> None:
    """The process that lists has read hostile bytes: what it sends may be made to do harm."""
    rows = [FileEntry(4, f"folder/{n}", n, f"{n}/1/0", n, extents=(Extent(64 * n, n + 1),)) for n in range(50)]
    said, payload = pack_columns(batch_of(rows))
    with pytest.raises(EvidenceError, match="make no sense"):
        unpack_columns(3, said, payload)  # Files of another file system.
    rng = random.Random(1)
    refused = 0
    for _ in range(400):
        body = bytearray(payload)
        for _ in range(rng.choice((1, 5, 50))):
            body[rng.randrange(len(body))] = rng.randrange(256)
        try:
            list(entries_of(unpack_columns(4, said, bytes(body))))
        except EvidenceError as error:
            assert "make no sense" in error.what
            refused += 1
    assert refused > 50
    for spoiled in (
        None, {}, {"rows": -1, "parts": said["parts"]}, {"rows": 51, "parts": said["parts"]},
        {"rows": 50, "parts": said["parts"][:-1]}, {"rows": 50, "parts": ["x"]}, {"rows": True, "parts": said["parts"]},
        {"rows": 50, "parts": [*said["parts"], 0]},
    ):  # fmt: skip
        with pytest.raises(EvidenceError, match="make no sense"):
            unpack_columns(4, spoiled, payload)
