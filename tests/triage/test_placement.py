"""Disk order, and deleted files whose place was taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safelight.triage import Extent, FileEntry
from safelight.triage.placement import in_disk_order, mark_overwritten


def entry(path: str, *extents: tuple[int, int], live: bool = True) -> FileEntry:
    return FileEntry(0, path, 1, path, allocated=live, extents=tuple(Extent(a, n) for a, n in extents))


def test_order_is_by_first_byte() -> None:
    """A spinning disk would be read back and forth."""
    rows = [entry("c"), entry("b", (900, 1)), entry("a", (100, 1), (5, 1))]
    assert [e.path for e in in_disk_order(rows)] == ["a", "b", "c"]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3)), max_size=4), st.integers(0, 30), st.integers(1, 9))
def test_overwritten_is_sharing_a_byte_with_a_live_file(live, at, size) -> None:
    """A finding would be blamed on the name of a file that is gone."""
    taken, rows = set(), []
    for slot, length in live:
        if not taken & set(range(slot * 3, slot * 3 + length)):
            taken |= set(range(slot * 3, slot * 3 + length))
            rows.append(entry(f"l{slot}", (slot * 3, length)))
    rows.append(entry("gone", (at, size), live=False))
    assert mark_overwritten(rows)[-1].overwritten == bool(taken & set(range(at, at + size)))
