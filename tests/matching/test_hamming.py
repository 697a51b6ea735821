"""If these fail, a picture within the threshold is missed, or one outside it is reported."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching.hamming import PdqIndex


def naive(codes: np.ndarray, query: bytes, threshold: int) -> list[tuple[int, int]]:
    """Plain Python over plain integers."""
    wanted = int.from_bytes(query)
    distances = [(int.from_bytes(code.tobytes()) ^ wanted).bit_count() for code in codes]
    return sorted(((row, d) for row, d in enumerate(distances) if d <= threshold), key=lambda hit: (hit[1], hit[0]))


def near(code: np.ndarray, flips: int, rng: np.random.Generator) -> np.ndarray:
    mask = np.zeros(256, np.uint8)
    mask[rng.choice(256, flips, replace=False)] = 1
    return code ^ np.packbits(mask)


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.one_of(st.integers(0, 60), st.sampled_from([4095, 4096, 4097])),
    threshold=st.integers(0, 63),
    flips=st.lists(st.integers(0, 70), min_size=1, max_size=8),
)
def test_same_hits_as_brute_force_for_every_threshold(seed: int, count: int, threshold: int, flips: list[int]) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    base = codes[rng.integers(count)] if count else np.zeros(32, np.uint8)
    queries = np.stack([near(base, n, rng) for n in flips])
    index = PdqIndex(codes)
    batch = index.query_batch(queries, threshold)
    for k, query in enumerate(queries):
        expected = naive(codes, query.tobytes(), threshold)
        assert index.query(query.tobytes(), threshold) == expected
        mine = batch.query == k
        assert list(zip(batch.row[mine].tolist(), batch.distance[mine].tolist(), strict=True)) == expected


@pytest.mark.parametrize("threshold", range(64))
def test_a_planted_code_is_found_at_the_threshold_and_not_beyond(threshold: int) -> None:
    rng = np.random.default_rng(threshold)
    codes = rng.integers(0, 256, (300, 32), dtype=np.uint8)
    query = near(codes[17], threshold, rng).tobytes()
    assert (17, threshold) in PdqIndex(codes).query(query, threshold)
    if threshold:
        assert 17 not in [row for row, _ in PdqIndex(codes).query(query, threshold - 1)]


def test_a_large_cluster_of_near_duplicates_is_returned_whole() -> None:
    codes = np.zeros((10_000, 32), np.uint8)
    assert len(PdqIndex(codes).query(bytes(32))) == 10_000


def test_words_and_bytes_are_the_same_codes() -> None:
    codes = np.random.default_rng(5).integers(0, 256, (50, 32), dtype=np.uint8)
    assert PdqIndex(codes.view(np.uint64)).query(codes[9].tobytes()) == PdqIndex(codes).query(codes[9].tobytes())


def test_no_codes_and_no_queries_give_no_hits() -> None:
    assert PdqIndex(np.empty((0, 32), np.uint8)).query(bytes(32)) == []
    assert len(PdqIndex(np.zeros((3, 32), np.uint8)).query_batch(np.empty((0, 32), np.uint8)).row) == 0


def test_malformed_codes_and_thresholds_are_refused() -> None:
    index = PdqIndex(np.zeros((3, 32), np.uint8))
    with pytest.raises(MatchingError, match="32 bytes"):
        index.query(b"short")
    for threshold in (-1, 256):
        with pytest.raises(MatchingError, match="threshold"):
            index.query(bytes(32), threshold)
    for wrong in (np.zeros((3, 31), np.uint8), np.zeros((3, 4), np.int64), np.zeros(32, np.uint8), "codes"):
        with pytest.raises(MatchingError, match="PDQ codes"):
            PdqIndex(wrong)  # type: ignore[arg-type]
