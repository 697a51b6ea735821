"""If these fail, a clip of a known video is missed, or two strangers are taken for the same video."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching.pdq import PdqHash
from safelight.matching.video import VideoIndex, usable_frames


def frames(seed: int, count: int, quality: int = 100) -> list[PdqHash]:
    return [PdqHash(np.random.default_rng((seed, n)).bytes(32), quality) for n in range(count)]


def nudged(frame: PdqHash, bits: int) -> PdqHash:
    return PdqHash((int.from_bytes(frame.code) ^ ((1 << bits) - 1)).to_bytes(32), frame.quality)


def test_a_clip_has_all_its_frames_in_the_film_and_the_film_few_in_the_clip() -> None:
    film, other = frames(1, 40), frames(2, 30)
    index = VideoIndex([("film", film), ("other", other)])
    (match,) = index.match([nudged(frame, 20) for frame in film[10:20]])
    assert (match.video, match.query_percent, match.compared_percent) == ("film", 100.0, 25.0)
    assert (match.query_frames, match.compared_frames) == (10, 40)
    assert index.match(film[:10], compared_percent=26) == []
    assert index.match(frames(3, 50)) == []


def test_a_compilation_is_found_only_where_less_is_asked_of_the_query() -> None:
    film = frames(1, 20)
    index = VideoIndex([("film", film)])
    mixed = film[:5] + frames(9, 15)
    assert index.match(mixed) == []
    assert index.match(mixed, query_percent=25)[0].query_percent == 25.0


def test_frames_without_structure_never_match_and_are_reported() -> None:
    dull = frames(4, 10, quality=49)
    index = VideoIndex([("dull", dull), ("none", [])])
    assert index.match(dull) == [] and index.unusable == ["dull", "none"]
    assert usable_frames(dull) == 0 and usable_frames(frames(4, 3) * 2) == 3
    with pytest.raises(MatchingError, match="share a name"):
        VideoIndex([("a", dull), ("a", dull)])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), max_size=12), min_size=1, max_size=5), st.lists(st.integers(0, 30)))
def test_percentages_are_those_of_a_plain_count(held: list[list[int]], asked: list[int]) -> None:
    def frame(number: int) -> PdqHash:
        return PdqHash(np.random.default_rng(number // 2).bytes(31) + bytes([number % 2]), 60)

    def near(a: int, b: int) -> bool:
        return frame(a).distance(frame(b)) <= 31

    index = VideoIndex([(str(n), [frame(i) for i in bag]) for n, bag in enumerate(held)])
    found = {m.video: m for m in index.match([frame(i) for i in asked], query_percent=0)}
    for n, bag in enumerate(held):
        ours = [a for a in set(asked) if any(near(a, b) for b in bag)]
        theirs = [b for b in set(bag) if any(near(a, b) for a in asked)]
        assert (str(n) in found) == bool(ours)
        if ours:
            match = found[str(n)]
            assert match.query_percent == 100 * len(ours) / len(set(asked))
            assert match.compared_percent == 100 * len(theirs) / len(set(bag))
