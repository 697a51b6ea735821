"""safelight.demo.pictures: the demo shows nothing real, and what it shows can be matched."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pdqhash
import pytest
from PIL import Image

from safelight.demo.pictures import (
    FORMATS,
    NEAR_KINDS,
    STYLES,
    encode_picture,
    lying_png,
    make_picture,
    near_duplicate,
    write_picture,
)
from safelight.errors import SafelightError


def _pdq(picture: Image.Image) -> tuple[np.ndarray, int]:
    return pdqhash.compute(np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", [(320, 240), (1024, 768), (3000, 4000)])
def test_every_style_has_structure_enough_to_be_matched_by_sight(style: str, size: tuple[int, int]) -> None:
    picture = make_picture(5, size, style)
    assert picture.size == size
    assert picture.mode == "RGB"
    assert _pdq(picture)[1] >= 50


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_picture() -> None:
    """Or the hash set would not know the pictures on the devices."""
    first = encode_picture(make_picture(3))
    assert first == encode_picture(make_picture(3))
    assert int((_pdq(make_picture(3))[0] != _pdq(make_picture(7))[0]).sum()) > 60


@pytest.mark.parametrize("kind", NEAR_KINDS)
@pytest.mark.parametrize("style", STYLES)
def test_a_near_duplicate_has_other_bytes_and_a_near_hash(kind: str, style: str) -> None:
    picture = make_picture(11, (1024, 768), style)
    original = encode_picture(picture)
    copy = encode_picture(near_duplicate(picture, kind), quality=60)
    assert copy != original
    before, after = _pdq(picture)[0], _pdq(Image.open(io.BytesIO(copy)))[0]
    assert int((before != after).sum()) <= 31


@pytest.mark.parametrize("extension", FORMATS)
def test_every_format_is_really_that_format(extension: str, tmp_path: Path) -> None:
    path = write_picture(tmp_path / f"picture.{extension}", seed=2, size=(320, 240))
    with Image.open(path) as read:
        assert read.format == FORMATS[extension]
        assert read.size == (320, 240)


def test_the_lying_picture_promises_more_pixels_than_anyone_should_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    # Pillow's own limit; the triage engine sets a limit of its own in the same process.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 89_478_485)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(lying_png()))


@pytest.mark.parametrize(("size", "style"), [((100, 100), None), ((5000, 3000), None), ((640, 480), "photo")])
def test_what_is_not_offered_is_refused_with_what_to_do(size: tuple[int, int], style: str | None) -> None:
    with pytest.raises(SafelightError, match="Ask for|Use one of"):
        make_picture(1, size, style)
