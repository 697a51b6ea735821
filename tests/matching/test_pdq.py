"""If these fail, our PDQ of a picture differs from everyone else's and known pictures are missed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from safelight.errors import MatchingError
from safelight.matching.pdq import PdqHash, parse_pdq, pdq

# Published by the reference for these very files (python-threatexchange, PdqSignal.get_examples, bridge-mods).
PUBLISHED = {
    "bridge-aaa-orig": "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22",
    "bridge-blur-a-lot": "f8f8f0cee0f4a84f0637022a038f67f0b36e26d596621e1d33e6b39c4e9c9b22",
    "bridge-high-contrast": "f8f8f0cee0f4a84f06370a2a068f67f0b36e26d596621e1d33e6339c4e9c9b22",
    "bridge-sharpen-a-little": "f8f8f0cee0f4a84f0e370a22038f67f0b36e2ed596221e1d33e6b39c4a9c9b22",
    "bridge-shrink-a-lot": "d0f8f1ccc0f4a84d0a370a3a228f67f0b36e2ed5b6623e1d33e6339c4e9c9b22",
    "bridge-square-512x512": "d8f8f0cec0f4a84f0637022a278f67f0b36e2ed596621e1d33e6339c4e9c9b22",
}


def reference(pixels: np.ndarray) -> tuple[str, int]:
    """What the published wheel of the reference says."""
    bits, quality = pdqhash.compute(np.ascontiguousarray(pixels))
    return np.packbits(bits.astype(np.uint8)).tobytes().hex(), int(quality)


def ours(pixels: np.ndarray) -> tuple[str, int]:
    result = pdq(pixels)
    return result.hex, result.quality


def drawn(kind: str, height: int, width: int, seed: int) -> np.ndarray:
    """A synthetic picture: noise, a gradient, flat, blobs like a photograph, stripes, or a slope of one gray level."""
    rng = np.random.default_rng(seed)
    if kind == "noise":
        return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if kind == "gradient":
        slope = np.add.outer(np.arange(height), np.arange(width))
        return (slope[:, :, None] * np.array([1, 2, 3]) % 256).astype(np.uint8)
    if kind == "flat":
        return np.full((height, width, 3), rng.integers(0, 256), np.uint8)
    if kind == "blobs":
        few = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        return np.asarray(few.resize((width, height), Image.Resampling.BICUBIC))
    if kind == "stripes":
        rows = np.where(np.arange(height) // 3 % 2, 255, 0).astype(np.uint8)
        return np.broadcast_to(rows[:, None, None], (height, width, 3)).copy()
    return np.broadcast_to((np.arange(width) * 255 // max(width - 1, 1))[None, :, None], (height, width, 3)).astype(
        np.uint8
    )


KINDS = ("noise", "gradient", "flat", "blobs", "stripes", "slope")
SIZES = [(1, 1), (4, 9), (5, 5), (5, 7), (7, 5), (63, 1000), (64, 64), (64, 65), (65, 64), (127, 129), (128, 128)]
SIZES += [(129, 513), (256, 256), (5, 3000), (3001, 6), (1000, 63), (1023, 1025)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_size_and_pattern_is_bit_identical_to_the_reference(kind: str) -> None:
    for seed, (height, width) in enumerate(SIZES):
        pixels = drawn(kind, height, width, seed)
        assert ours(pixels) == reference(pixels), (kind, height, width)


def test_bridge_pictures_print_what_the_reference_publishes_and_match_each_other(bridge_pictures: list[Path]) -> None:
    hashes = {}
    for path in bridge_pictures:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        hashes[path.stem] = pdq(pixels)
        assert ours(pixels) == reference(pixels)
    assert {name: value.hex for name, value in hashes.items()} == PUBLISHED
    original = hashes["bridge-aaa-orig"]
    assert all(original.distance(other) <= 31 and other.usable for other in hashes.values())


def test_large_photographs_are_bit_identical(bridge_pictures: list[Path]) -> None:
    picture = Image.open(bridge_pictures[0]).convert("RGB")
    for size in ((2560, 1920), (3001, 1999)):
        pixels = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
        assert ours(pixels) == reference(pixels)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200), st.sampled_from(KINDS), st.integers(0, 2**32 - 1))
def test_any_picture_is_bit_identical(height: int, width: int, kind: str, seed: int) -> None:
    pixels = drawn(kind, height, width, seed)
    assert ours(pixels) == reference(pixels)


@settings(max_examples=40, deadline=None)
@given(st.integers(5, 150), st.integers(5, 150), st.integers(0, 2**32 - 1))
def test_gray_is_hashed_as_the_same_gray_in_three_channels(height: int, width: int, seed: int) -> None:
    gray = drawn("blobs", height, width, seed)[:, :, 0]
    assert ours(gray) == reference(np.repeat(gray[:, :, None], 3, axis=2))


def test_the_shortcut_for_luma_is_exact_for_every_colour() -> None:
    level = np.arange(256)
    for red in range(256):
        as_reference = (red * 0.299 + level[:, None] * 0.587 + level[None, :] * 0.114).astype(np.float32)
        thousandths = 299 * red + 587 * level[:, None] + 114 * level[None, :]
        assert np.array_equal(thousandths.astype(np.float32) / np.float32(1000), as_reference)


def test_memory_layout_does_not_change_the_hash() -> None:
    pixels = drawn("blobs", 90, 120, 3)
    read_only = pixels.copy()
    read_only.setflags(write=False)
    padded = np.zeros((90, 140, 3), np.uint8)
    padded[:, 10:130] = pixels
    assert pdq(np.asfortranarray(pixels)) == pdq(padded[:, 10:130]) == pdq(read_only) == pdq(pixels)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((9, 9, 3), np.float32),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 1), np.uint8),
        np.zeros(9, np.uint8),
        np.zeros((0, 9, 3), np.uint8),
        np.zeros((9, 0), np.uint8),
        "no picture",
    ],
)
def test_what_is_no_picture_is_refused_with_a_reason(wrong: object) -> None:
    with pytest.raises(MatchingError, match="PDQ needs"):
        pdq(wrong)  # type: ignore[arg-type]


def test_a_flat_picture_is_not_usable_for_matching() -> None:
    assert not pdq(drawn("flat", 300, 300, 1)).usable
    assert not pdq(np.zeros((2, 900, 3), np.uint8)).usable


def test_hash_text_goes_back_and_forth() -> None:
    text = PUBLISHED["bridge-aaa-orig"]
    assert PdqHash(parse_pdq(text.upper()), 100).hex == text
    with pytest.raises(MatchingError, match="64 hexadecimal digits"):
        parse_pdq(text[:-1])
