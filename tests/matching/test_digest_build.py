"""If these fail, a list too large for memory is indexed with digests missing, or a half-built index is used."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from safelight.errors import MatchingError
from safelight.matching.digest_build import build_digest_file
from safelight.matching.digests import DigestIndex


@pytest.mark.parametrize("count", [0, 1, 300, 30_000])
@pytest.mark.parametrize(("algorithm", "size"), [("md5", 16), ("sha1", 20), ("sha256", 32)])
def test_a_stream_gives_the_index_that_memory_gives(tmp_path: Path, algorithm: str, size: int, count: int) -> None:
    rng = np.random.default_rng(count)
    held = rng.integers(0, 256, (count, size), dtype=np.uint8)
    held[: count // 300, :8] = held[:1, :8]  # equal prefixes
    held[: count // 1000] = held[:1]  # equal digests
    rows = rng.permutation(count).astype(np.uint32)
    pieces = ((held[at : at + 7000], rows[at : at + 7000]) for at in range(0, count, 7000))
    assert build_digest_file(tmp_path / "index", algorithm, pieces) == count
    assert [p.name for p in tmp_path.iterdir()] == ["index"]
    built, plain = DigestIndex.open(tmp_path / "index"), DigestIndex.build(algorithm, held, rows)
    asked = np.concatenate([held[::7], rng.integers(0, 256, (50, size), dtype=np.uint8)])
    for a, b in zip(built.lookup_batch(asked), plain.lookup_batch(asked), strict=True):
        assert np.array_equal(a, b)
    if count:
        assert built.lookup(held[0].tobytes()) == plain.lookup(held[0].tobytes())


def test_opening_takes_no_reading_and_still_refuses_another_order(tmp_path: Path) -> None:
    held = np.random.default_rng(1).integers(0, 256, (200_000, 16), dtype=np.uint8)
    path = tmp_path / "index"
    build_digest_file(path, "md5", [(held, np.arange(200_000, dtype=np.uint32))])
    start = time.perf_counter()
    DigestIndex.open(path, verify=False)
    assert time.perf_counter() - start < 0.1
    raw = bytearray(path.read_bytes())
    at = raw.index(held[held[:, 0].argmin()].tobytes())
    raw[at : at + 1600 * 1000] = bytes(1600 * 1000)
    path.write_bytes(raw)
    with pytest.raises(MatchingError, match="sample"):
        DigestIndex.open(path, verify=False)
    with pytest.raises(MatchingError, match="changed"):
        DigestIndex.verify(path)


def test_a_stream_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    good = (np.zeros((3, 16), np.uint8), np.zeros(3, np.uint32))
    for bad in ((np.zeros((3, 20), np.uint8), np.zeros(3, np.uint32)), (np.zeros((3, 16), np.uint8), np.zeros(2))):
        with pytest.raises(MatchingError, match="md5 digests"):
            build_digest_file(tmp_path / "index", "md5", [good, bad])  # type: ignore[list-item]
    with pytest.raises(MatchingError, match="cannot be built"):
        build_digest_file(tmp_path / "absent" / "index", "md5", [good])
    assert list(tmp_path.iterdir()) == []
