"""If these fail, a known picture that was mirrored, turned or framed is not found although the option is on."""

from __future__ import annotations

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from safelight.errors import MatchingError
from safelight.matching.pdq import pdq
from safelight.matching.variants import DIHEDRAL, dihedral, query_hashes, trim_borders


def blobs(height: int, width: int, seed: int, detail: int = 9) -> np.ndarray:
    few = np.random.default_rng(seed).integers(0, 256, (detail, detail, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(few).resize((width, height), Image.Resampling.BICUBIC))


@settings(max_examples=80, deadline=None)
@given(st.integers(5, 200), st.integers(5, 200), st.integers(0, 2**32 - 1))
def test_the_eight_hashes_are_bit_identical_to_the_reference(height: int, width: int, seed: int) -> None:
    picture = np.ascontiguousarray(blobs(height, width, seed))
    bits, quality = pdqhash.compute_dihedral(picture)
    ours = dihedral(picture)
    assert [item.how for item in ours] == list(DIHEDRAL)
    assert [item.hash.code for item in ours] == [np.packbits(b.astype(np.uint8)).tobytes() for b in bits]
    assert {item.hash.quality for item in ours} == {quality}
    assert ours[0].hash == pdq(picture)


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.rot90, lambda p: np.rot90(p, 2), lambda p: np.rot90(p, 3)])
def test_a_turned_or_mirrored_picture_is_near_one_of_the_eight(turn) -> None:  # type: ignore[no-untyped-def]
    picture = blobs(512, 512, 3, detail=48)
    known = pdq(picture)
    changed = np.ascontiguousarray(turn(picture))
    assert pdq(changed).distance(known) > 31
    assert min(item.hash.distance(known) for item in query_hashes(changed, turned=True)) <= 31


@pytest.mark.parametrize("level", [0, 255])
def test_a_framed_picture_is_found_again_and_the_record_says_how(level: int) -> None:
    picture = blobs(200, 300, 5)
    framed = np.full((280, 340, 3), level, np.uint8)
    framed[50:250, 20:320] = picture
    cut = trim_borders(framed)
    assert (cut.top, cut.right, cut.bottom, cut.left, cut.changed) == (50, 20, 30, 20, True)
    hashes = query_hashes(framed, trimmed=True)
    assert [item.how for item in hashes] == ["original", "trimmed original"]
    assert hashes[0].hash.distance(pdq(picture)) > 31 and hashes[1].hash == pdq(picture)
    assert len(query_hashes(framed, turned=True, trimmed=True)) == 16


def test_what_has_no_border_or_is_all_border_is_left_as_it_is() -> None:
    plain = blobs(100, 120, 6)
    assert not trim_borders(plain).changed
    flat = np.full((100, 120), 7, np.uint8)
    assert not trim_borders(flat).changed
    assert len(query_hashes(plain, trimmed=True)) == 1
    assert all(item.hash.quality == 0 for item in dihedral(np.zeros((3, 50), np.uint8)))
    with pytest.raises(MatchingError, match="PDQ needs"):
        dihedral(np.zeros((5, 5), np.float32))
