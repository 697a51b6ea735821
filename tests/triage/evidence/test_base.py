"""Missing ranges: if these sums were wrong, a report would hide bytes that nobody read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safelight.triage.evidence.base import MissingRanges


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from("ab")), max_size=15),
    st.integers(0, 60),
    st.integers(1, 30),
)
def test_ranges_are_what_a_set_of_bytes_would_be(adds, start, size) -> None:
    """A user would lose or count twice bytes that were not read."""
    ranges, model = MissingRanges(), {}
    for left, length, reason in adds:
        ranges.add(left, left + length, reason)
        for byte in range(left, left + length):
            model.setdefault(byte, reason)
    assert {b: r for left, right, r in ranges for b in range(left, right)} == model
    assert sum(right - left for left, right, _ in ranges) == len(model)
    asked = set(range(start, start + size))
    assert {b for x, y, _ in ranges.within(start, start + size) for b in range(x, y)} == asked & model.keys()
    assert ranges.overlaps(start, start + size) == bool(asked & model.keys())
    rows = list(ranges)
    assert all(a[1] < b[0] or (a[1] == b[0] and a[2] != b[2]) for a, b in zip(rows, rows[1:], strict=False))
