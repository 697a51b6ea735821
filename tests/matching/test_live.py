"""If these fail, a picture added to a list is not found at once, or one withdrawn from it still raises alarms."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching.hamming import PdqIndex
from safelight.matching.live import LivePdqIndex

# Few distinct codes close to each other, so that hits, equal codes and equal ids are common.
codes = st.integers(0, 40).map(lambda n: (((1 << n) - 1) << 3).to_bytes(32))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.tuples(codes, st.integers(0, 12)), max_size=6)),
        st.tuples(st.just("withdraw"), st.lists(st.integers(0, 12), max_size=4)),
        st.tuples(st.just("compact"), st.none()),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=10,
)


def as_codes(values: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32)


def rebuilt(held: list[tuple[bytes, int]], query: bytes, threshold: int) -> list[tuple[int, int]]:
    found = PdqIndex(as_codes([code for code, _ in held])).query(query, threshold)
    return sorted(((held[row][1], d) for row, d in found), key=lambda hit: (hit[1], hit[0]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(codes, st.integers(0, 12)), max_size=8), steps, codes, st.integers(0, 63))
def test_at_every_step_the_hits_are_those_of_an_index_built_anew(
    tmp_path_factory: pytest.TempPathFactory,
    start: list[tuple[bytes, int]],
    history: list[tuple[str, list]],  # type: ignore[type-arg]
    query: bytes,
    threshold: int,
) -> None:
    held = list(start)
    index = LivePdqIndex(as_codes([c for c, _ in held]), [i for _, i in held])
    for verb, what in history:
        if verb == "add":
            index.add(as_codes([c for c, _ in what]), [i for _, i in what])
            held += what
        elif verb == "withdraw":
            before = len(held)
            held = [pair for pair in held if pair[1] not in what]
            assert index.withdraw(what) == before - len(held)
        elif verb == "compact":
            index.compact()
            assert index.pending == 0
        else:
            path = tmp_path_factory.mktemp("live") / "index"
            index.save(path)
            index = LivePdqIndex.open(path)
        assert len(index) == len(held)
        every = rebuilt(held, query, threshold)
        assert index.lookup(query, threshold, 10_000) == (every, False)
        found, truncated = index.lookup(query, threshold, 2)
        assert len(found) == min(2, len(every)) and truncated == (len(every) > 2)
        batch = index.query_batch(as_codes([bytes(32), query]), threshold)
        mine = batch.query == 1
        assert list(zip(batch.id[mine].tolist(), batch.distance[mine].tolist(), strict=True)) == every


def test_changes_to_a_large_index_are_visible_within_a_second() -> None:
    rng = np.random.default_rng(2)
    index = LivePdqIndex(rng.integers(0, 256, (250_000, 32), dtype=np.uint8))
    index.prepare()
    new = rng.integers(0, 256, (1000, 32), dtype=np.uint8)
    start = time.perf_counter()
    index.add(new, np.arange(1000) + 10**12)
    assert index.lookup(new[999].tobytes())[0] == [(10**12 + 999, 0)]
    assert index.withdraw([10**12 + 999, 17]) == 2
    assert index.lookup(new[999].tobytes())[0] == []
    assert time.perf_counter() - start < 1
    assert len(index) == 250_998


def test_searches_and_changes_go_on_while_it_is_merged() -> None:
    rng = np.random.default_rng(3)
    first = rng.integers(0, 256, (230_000, 32), dtype=np.uint8)
    index = LivePdqIndex(first)
    faults: list[str] = []
    stop = threading.Event()

    def search() -> None:
        while not stop.is_set():
            if index.lookup(first[5].tobytes())[0] != [(5, 0)]:
                faults.append("a code that was there all the time was not found")

    searcher, merger = threading.Thread(target=search), threading.Thread(target=index.compact)
    searcher.start()
    merger.start()
    added, number = [], 230_000
    while merger.is_alive():
        code = rng.integers(0, 256, (1, 32), dtype=np.uint8)
        index.add(code, [number])
        added.append((number, code[0].tobytes()))
        index.withdraw([number - 220_000])
        number += 1
        time.sleep(0.01)
    merger.join()
    stop.set()
    searcher.join()
    assert not faults and added
    assert all(index.lookup(code)[0] == [(i, 0)] for i, code in added)
    assert all(index.lookup(first[i - 220_000].tobytes())[0] == [] for i, _ in added)


def test_ids_that_do_not_fit_the_codes_are_refused(tmp_path: Path) -> None:
    index = LivePdqIndex()
    with pytest.raises(MatchingError, match="1 codes came with 2 ids"):
        index.add(np.zeros((1, 32), np.uint8), [1, 2])
    with pytest.raises(MatchingError, match="32 bytes"):
        index.lookup(b"short")
