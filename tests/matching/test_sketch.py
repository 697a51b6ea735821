"""If these fail, a known picture within the threshold is missed in a large list, reported twice, or cut silently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching import engines, sketch
from safelight.matching.hamming import PdqIndex, as_words

NONE = np.empty(0, np.uint64)


def flipped(code: np.ndarray, places: np.ndarray) -> np.ndarray:
    mask = np.zeros(256, np.uint8)
    mask[places] = 1
    return code ^ np.packbits(mask)


def corpus(seed: int, kind: str, count: int, threshold: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes that are hard to index, and queries at, just within and just beyond the threshold of some of them."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 256, 32, dtype=np.uint8)
    if kind == "uniform":
        codes = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    elif kind == "equal":
        codes = np.repeat(base[None], count, axis=0)
    elif kind == "cluster":  # near-duplicates of one picture
        codes = np.stack([flipped(base, rng.choice(256, rng.integers(0, 40), replace=False)) for _ in range(count)])
    elif kind == "one chunk":  # all differences crowd into a few neighbouring bits
        codes = np.stack([flipped(base, rng.choice(48, rng.integers(0, 48), replace=False)) for _ in range(count)])
    else:  # "spread": the same number of differing bits in every chunk, the worst case of the pigeonhole
        placed = sketch._permutation()
        origin = np.argsort(placed)  # bit `origin[p]` of a code stands at place p once permuted
        little = lambda bit: bit // 8 * 8 + 7 - bit % 8  # noqa: E731  packbits counts from the top of each byte
        codes = []
        for _ in range(count):
            per = rng.integers(0, 4)
            places = np.concatenate([c * 16 + rng.choice(16, per, replace=False) for c in range(16)])
            codes.append(flipped(base, little(origin[places.astype(int)])))
        codes = np.stack(codes)
    queries = [base, rng.integers(0, 256, 32, dtype=np.uint8)]
    for flips in {threshold, max(threshold - 1, 0), threshold + 1}:
        queries.append(flipped(codes[rng.integers(count)], rng.choice(256, flips, replace=False)))
    return codes, np.stack(queries)


def truth(codes: np.ndarray, queries: np.ndarray, threshold: int) -> set[tuple[int, int, int]]:
    distances = np.bitwise_count(codes[None].view(np.uint64) ^ queries[:, None].view(np.uint64)).sum(axis=2)
    query, row = np.nonzero(distances <= threshold)
    return set(zip(query.tolist(), row.tolist(), distances[query, row].tolist(), strict=True))


def once(hits: np.ndarray) -> set[tuple[int, int, int]]:
    listed = [tuple(hit) for hit in hits.tolist()]
    assert len(listed) == len(set(listed)), "a hit is reported twice"
    return set(listed)


KINDS = ("uniform", "equal", "cluster", "one chunk", "spread")


@pytest.mark.parametrize("threshold", range(64))
def test_every_method_finds_what_brute_force_finds_at_every_threshold(threshold: int) -> None:
    codes, queries = corpus(threshold, KINDS[threshold % 5], 400, threshold)
    words, asked = sketch.permute(as_words(codes)), sketch.permute(as_words(queries))
    held = sketch.Sketch(words)
    held.prepare()
    expected = truth(codes, queries, threshold)
    assert expected
    for run in (held.probe, held.join, held.scan, sketch.Sketch(words, keep=False).join):
        hits, used = run(asked, threshold, sketch.UNLIMITED, NONE)
        assert once(hits) == expected
        assert used.tolist() == [sum(hit[0] == k for hit in expected) for k in range(len(queries))]


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(KINDS),
    count=st.one_of(st.integers(1, 80), st.sampled_from([511, 512, 513, 1100])),
    threshold=st.integers(0, 63),
    withdrawn=st.floats(0, 1),
)
def test_any_corpus_any_threshold_with_withdrawn_rows(
    seed: int, kind: str, count: int, threshold: int, withdrawn: float
) -> None:
    codes, queries = corpus(seed, kind, count, threshold)
    gone = np.random.default_rng(seed).random(count) < withdrawn
    dead = np.packbits(np.pad(gone, (0, -count % 64)), bitorder="little").view(np.uint64)
    held = sketch.Sketch(sketch.permute(as_words(codes)))
    held.prepare()
    expected = {hit for hit in truth(codes, queries, threshold) if not gone[hit[1]]}
    asked = sketch.permute(as_words(queries))
    for run in (held.probe, held.join, held.scan):
        assert once(run(asked, threshold, sketch.UNLIMITED, dead)[0]) == expected
    brute = engines.BruteForce(as_words(codes)).search(as_words(queries), threshold, dead=dead)
    assert once(brute.hits) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS), st.integers(0, 63), st.integers(1, 300))
def test_a_cap_keeps_true_hits_the_nearest_circle_whole_and_is_reported(
    seed: int, kind: str, threshold: int, limit: int
) -> None:
    codes, queries = corpus(seed, kind, 250, threshold)
    index = PdqIndex(codes)
    searched = engines.SketchSearch(as_words(codes), 1 << 40)
    searched.prepare()
    for engine in (index._engine, searched):
        index._engine = engine
        batch = index.query_batch(queries, threshold, limit=limit)
        for k, query in enumerate(queries):
            every = {hit[1:] for hit in truth(codes, query[None], threshold)}
            found = index.lookup(query.tobytes(), threshold, limit)
            assert len(found.hits) == len(set(found.hits)) == min(limit, len(every))
            assert set(found.hits) <= every
            assert found.truncated == (len(every) > limit) == (k in batch.truncated)
            assert {hit for hit in every if hit[1] <= found.complete_to} <= set(found.hits)
            assert found.truncated or found.complete_to == threshold
            mine = batch.query == k
            assert list(zip(batch.row[mine].tolist(), batch.distance[mine].tolist(), strict=True)) == found.hits
            assert list(index.stream(query.tobytes(), threshold)) == sorted(every, key=lambda hit: (hit[1], hit[0]))


def test_the_join_makes_room_for_more_hits_than_it_expected() -> None:
    codes, _ = corpus(3, "cluster", 300, 31)
    held = sketch.Sketch(sketch.permute(as_words(codes)))
    hits, _ = held.join(held.words, 31, sketch.UNLIMITED, NONE)
    assert len(hits) > 4096 and once(hits) == truth(codes, codes, 31)
    assert once(held.probe(held.words, 31, sketch.UNLIMITED, NONE)[0]) == once(hits)


def test_permuting_keeps_every_distance_and_goes_back() -> None:
    words = np.random.default_rng(4).integers(0, 2**64, (500, 4), dtype=np.uint64)
    moved = sketch.permute(words)
    assert np.array_equal(sketch.unpermute(moved), words)
    assert np.array_equal(
        np.bitwise_count(words ^ words[0]).sum(axis=1), np.bitwise_count(moved ^ moved[0]).sum(axis=1)
    )
    # A file written by one version must be readable by the next.
    assert sketch._permutation()[:6].tolist() == PERMUTATION_STARTS


PERMUTATION_STARTS = [198, 102, 104, 94, 46, 75]


@pytest.fixture
def large() -> tuple[PdqIndex, np.ndarray]:
    codes = np.random.default_rng(8).integers(0, 256, (engines.SMALL + 7, 32), dtype=np.uint8)
    return PdqIndex(codes), codes


def test_a_large_index_survives_the_disk_with_and_without_partitions(
    large: tuple[PdqIndex, np.ndarray], tmp_path: Path
) -> None:
    index, codes = large
    rng = np.random.default_rng(9)
    queries = np.stack([flipped(codes[row], rng.choice(256, row % 32, replace=False)) for row in range(200)])
    expected = index.query_batch(queries)
    assert set(range(200)) <= set(expected.row.tolist())
    index.save(tmp_path / "bare")
    index.prepare()
    index.save(tmp_path / "full")
    for name in ("bare", "full"):
        for verify in (True, False):
            reopened = PdqIndex.open(tmp_path / name, verify=verify)
            assert len(reopened) == len(codes)
            again = reopened.query_batch(queries)
            assert all(np.array_equal(a, b) for a, b in zip(again, expected, strict=True))
            assert reopened.query(queries[5].tobytes()) == index.query(queries[5].tobytes())
    damaged = bytearray((tmp_path / "full").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "full").write_bytes(damaged)
    with pytest.raises(MatchingError, match="changed"):
        PdqIndex.open(tmp_path / "full")


def test_few_and_many_questions_with_little_and_much_memory_give_the_same(
    large: tuple[PdqIndex, np.ndarray],
) -> None:
    index, codes = large
    rng = np.random.default_rng(10)
    queries = rng.integers(0, 256, (5000, 32), dtype=np.uint8)
    queries[:50] = [flipped(codes[row], rng.choice(256, 31, replace=False)) for row in range(50)]
    tight = PdqIndex(codes, memory_limit=1)
    first = index.query_batch(queries[:50])  # looks at every code: partitions do not pay yet
    tight.prepare()
    results = [tight.query_batch(queries), index.query_batch(queries), index.query_batch(queries[:50])]
    for result in results:
        mine = result.query < 50
        assert np.array_equal(result.row[mine], first.row)
        assert np.array_equal(result.distance[mine], first.distance)
    assert results[0].row.tolist() == results[1].row.tolist()
    assert tight._engine.sketch.ready is False and index._engine.sketch.ready is True  # type: ignore[attr-defined]


def test_a_small_index_needs_no_file(tmp_path: Path) -> None:
    with pytest.raises(MatchingError, match="rebuilt faster"):
        PdqIndex(np.zeros((3, 32), np.uint8)).save(tmp_path / "index")


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(MatchingError, match="at least one"):
        PdqIndex(np.zeros((3, 32), np.uint8)).lookup(bytes(32), 31, 0)


@pytest.mark.parametrize("limit", [1 << 32, 1], ids=["kept", "let go"])
def test_partitions_in_a_file_give_the_same_hits_for_every_threshold(
    tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list too large for memory is mapped and let go partition by partition: nothing may be lost on the way."""
    from safelight.matching import hamming
    from safelight.matching.engines import BruteForce

    rng = np.random.default_rng(11)
    codes = rng.integers(0, 256, (2500, 32), dtype=np.uint8)
    queries = codes[:64].copy()
    for k in range(64):
        mask = np.zeros(256, np.uint8)
        mask[rng.choice(256, k, replace=False)] = 1
        queries[k] ^= np.packbits(mask)
    hamming.write_index(tmp_path / "index", codes, made_of="root")
    index = hamming.PdqIndex.open(tmp_path / "index", memory_limit=limit)
    assert index.made_of == "root" and len(index) == 2500
    brute = BruteForce(codes.view(np.uint64))
    for join_from in (1, 1 << 30):
        monkeypatch.setattr(sketch, "JOIN_FROM", join_from)
        for threshold in range(64):
            wanted = brute.search(queries.view(np.uint64), threshold).hits
            found = index.query_batch(queries, threshold)
            got = np.stack([found.query, found.row, found.distance], axis=1)
            assert sorted(map(tuple, got.tolist())) == sorted(map(tuple, wanted.tolist())), threshold
