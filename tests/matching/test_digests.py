"""If these fail, a known file is not recognised by its digest, or a stranger is taken for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching.digests import DigestIndex

# Few distinct values and shared first bytes, so that equal digests and equal prefixes are common.
prefixes = st.sampled_from([b"\0" * 8, b"\xff" * 8, b"\0" * 7 + b"\1", b"\x80" + b"\0" * 7])
digests = st.builds(
    lambda head, tail: head + tail, prefixes, st.binary(min_size=12, max_size=12).map(lambda b: b[:1] * 12)
)


def as_array(values: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, 20)


@settings(max_examples=150, deadline=None)
@given(st.lists(digests, max_size=60), st.lists(digests, max_size=20))
def test_single_and_batch_agree_with_a_plain_search(held: list[bytes], strangers: list[bytes]) -> None:
    index = DigestIndex.build("sha1", as_array(held))
    asked = held + strangers
    expected = {k: [row for row, value in enumerate(held) if value == digest] for k, digest in enumerate(asked)}
    assert {k: index.lookup(digest) for k, digest in enumerate(asked)} == expected
    query, rows = index.lookup_batch(as_array(asked))
    assert list(zip(query.tolist(), rows.tolist(), strict=True)) == [(k, r) for k in expected for r in expected[k]]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000, 70_000])
@pytest.mark.parametrize(("algorithm", "size"), [("md5", 16), ("sha1", 20), ("sha256", 32)])
def test_an_index_survives_the_disk(tmp_path: Path, algorithm: str, size: int, count: int) -> None:
    held = np.random.default_rng(count).integers(0, 256, (count, size), dtype=np.uint8)
    DigestIndex.build(algorithm, held, np.arange(count, dtype=np.uint32) + 7).save(tmp_path / "index")
    index = DigestIndex.open(tmp_path / "index")
    assert index.algorithm == algorithm
    assert len(index) == count
    query, rows = index.lookup_batch(held)
    assert query.tolist() == list(range(count))
    assert rows.tolist() == list(range(7, count + 7))
    assert index.lookup(bytes(size)) == []


def test_an_equal_prefix_alone_is_no_match() -> None:
    """Eight equal bytes can be made on purpose: only the full digest counts."""
    index = DigestIndex.build("md5", np.zeros((1, 16), np.uint8))
    near = bytes(15) + b"\1"
    assert index.lookup(near) == []
    assert len(index.lookup_batch(np.frombuffer(near, np.uint8).reshape(1, 16))[0]) == 0


def test_wrong_lengths_and_names_are_refused() -> None:
    index = DigestIndex.build("md5", np.zeros((1, 16), np.uint8))
    with pytest.raises(MatchingError, match="16 bytes"):
        index.lookup(bytes(20))
    with pytest.raises(MatchingError, match="md5 digests"):
        index.lookup_batch(np.zeros((1, 20), np.uint8))
    with pytest.raises(MatchingError, match="md5 digests"):
        DigestIndex.build("md5", np.zeros((1, 20), np.uint8))
    with pytest.raises(MatchingError, match="crc32"):
        DigestIndex.build("crc32", np.zeros((1, 4), np.uint8))
