"""Sixteen streams at once, held against hashlib."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.triage.lanes import Digests, Streams, digest_many, lanes_available

NEAR_A_BLOCK = st.sampled_from([0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129])


def _laid_out(sizes: list[int], gap: int, seed: int) -> tuple[np.ndarray, list[int]]:
    starts, at = [], gap
    for size in sizes:
        starts.append(at)
        at += size + gap
    return np.random.default_rng(seed).integers(0, 256, at + 4, dtype=np.uint8), starts


def _by_hashlib(body: bytes, sha256: bool) -> Digests:
    md5, sha1, sha2 = (hashlib.new(name, body).hexdigest() for name in ("md5", "sha1", "sha256"))
    return md5, sha1, sha2 if sha256 else ""


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(NEAR_A_BLOCK, st.integers(0, 300)), max_size=60),
    st.integers(0, 5),
    st.integers(0, 99),
    st.booleans(),
)
def test_lanes_and_hashlib_agree(sizes: list[int], gap: int, seed: int, sha256: bool) -> None:
    """A wrong digest means that a listed file is missed, and nobody would see it."""
    assert lanes_available(), "the compiled kernel must be there where the tests run"
    octets, starts = _laid_out(sizes, gap, seed)
    want = [_by_hashlib(octets[s : s + n].tobytes(), sha256) for s, n in zip(starts, sizes, strict=True)]
    assert digest_many(octets, starts, sizes, sha256=sha256, lanes=True) == want
    assert digest_many(octets, starts, sizes, sha256=sha256, lanes=False) == want


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 200)), min_size=1, max_size=40),
    st.integers(0, 99),
    st.booleans(),
)
def test_a_file_that_comes_in_pieces(files: list[tuple[int, int]], seed: int, sha256: bool) -> None:
    """A file that goes on behind a window of the disk would get a wrong digest."""
    rng = np.random.default_rng(seed)
    streams = Streams(len(files), sha256=sha256)
    whole = [rng.integers(0, 256, blocks * 64 + rest, dtype=np.uint8) for blocks, rest in files]
    for part in (0, 1):
        rows, starts, sizes, ends, at, buffer = [], [], [], [], 0, []
        for row, body in enumerate(whole):
            cut = files[row][0] // 2 * 64
            piece = body[:cut] if part == 0 else body[cut:]
            rows.append(row)
            starts.append(at)
            sizes.append(len(piece))
            ends.append(at + len(piece))
            padded = np.concatenate([piece, np.zeros(-len(piece) % 64, np.uint8)])
            buffer.append(padded)
            at += len(padded)
        octets = np.concatenate([*buffer, np.zeros(64, np.uint8)])
        streams.update(octets, rows, starts, sizes)
    found = streams.finish(octets, rows, ends, [len(b) for b in whole])
    assert found == [_by_hashlib(b.tobytes(), sha256) for b in whole]


@pytest.mark.parametrize("sha256", [False, True])
def test_long_files_beside_short_ones(sha256: bool) -> None:
    """Lanes that end early, and the last ones that go on alone, would disturb each other."""
    sizes = [1_000_003, 64, 0, 70_001, *range(0, 5000, 131)]
    octets, starts = _laid_out(sizes, 4, 3)
    assert digest_many(octets, starts, sizes, sha256=sha256, lanes=True) == digest_many(
        octets, starts, sizes, sha256=sha256, lanes=False
    )


def test_a_piece_outside_of_the_buffer_is_refused() -> None:
    """The kernel reads from addresses: a wrong one would read other memory of the process, or end it."""
    octets = np.zeros(1000, np.uint8)
    streams = Streams(1)
    for start, size in ((-64, 64), (0, 1001), (960, 64), (1 << 40, 64)):
        with pytest.raises(ValueError, match="outside"):
            streams.update(octets, [0], [start], [size])
    for end, total in ((1001, 1001), (3, 5)):
        with pytest.raises(ValueError, match="outside"):
            streams.finish(octets, [0], [end], [total])
