"""Bytes of a picture to PDQ, and hostile pictures to words."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.triage.test_filetypes import encoded

from safelight.matching.pdq import pdq
from safelight.triage import decoding
from safelight.triage.decoding import hash_picture
from safelight.triage.filetypes import PICTURES, sniff

LIMIT = 20_000_000


def lying_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"abc")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", sorted(PICTURES))
def test_every_format_gives_the_pdq_of_its_pixels_at_full_size(kind: str) -> None:
    """Pictures in that format would not be recognised after a change."""
    body = encoded(kind)
    found = hash_picture(body, kind, max_pixels=LIMIT)
    with Image.open(io.BytesIO(body)) as picture:
        want = pdq(np.asarray(picture.convert("RGB")))
    assert found["pdq"] == want.hex and found["quality"] == want.quality
    assert found["mode"].startswith("full size") and (found["width"], found["height"]) == (96, 96)


def test_the_public_bridge_copies_are_near_each_other(pictures: Path) -> None:
    """A resized or re-encoded copy of a listed picture would be missed."""
    codes = {
        p.name: int(hash_picture(p.read_bytes(), "JPEG", max_pixels=LIMIT)["pdq"], 16)
        for p in sorted(pictures.glob("*.jpg"))
    }
    original = codes.pop("bridge-aaa-orig.jpg")
    assert {name: (original ^ code).bit_count() <= 31 for name, code in codes.items()} == dict.fromkeys(codes, True)


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (20_001, 1000)])
def test_a_picture_that_lies_about_its_size_is_not_decoded(width: int, height: int) -> None:
    """92 bytes could take all memory of the workstation."""
    problem = hash_picture(lying_png(width, height), "PNG", max_pixels=LIMIT)["problem"]
    assert "claims" in problem and "not decoded" in problem or "cannot be decoded" in problem


def test_a_header_within_the_limit_without_the_pixels_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut picture would be hashed as if it were whole: also where the writer of PDFs has told Pillow to allow it."""
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    assert "cannot be decoded" in hash_picture(lying_png(4000, 4000), "PNG", max_pixels=LIMIT)["problem"]


@pytest.mark.parametrize("kind", sorted(PICTURES))
def test_mutated_pictures_give_a_hash_or_a_reason(kind: str) -> None:
    """A damaged picture would bring down its worker, again and again."""
    original = encoded(kind, side=64)
    rng = random.Random(f"pictures {kind}")
    for _ in range(60):
        body = bytearray(original)
        for _ in range(rng.choice((1, 2, 8, 40))):
            body[rng.randrange(len(body))] = rng.randrange(256)
        if rng.random() < 0.2:
            del body[rng.randrange(16, len(body)) :]
        if sniff(bytes(body[:4096])) == kind:
            found = hash_picture(bytes(body), kind, max_pixels=LIMIT)
            assert ("pdq" in found) != ("problem" in found)


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGBA", "I;16", "1", "CMYK"])
def test_pixels_made_in_bands_are_those_made_at_once(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large picture would have another hash than the same picture elsewhere, or take three times its memory."""
    rng = np.random.default_rng(3)
    base = Image.fromarray(rng.integers(0, 256, (77, 40, 3), dtype=np.uint8))
    picture = base.convert("L").convert("I;16") if mode == "I;16" else base.convert(mode)
    if mode == "P":
        picture.info["transparency"] = 7
    monkeypatch.setattr(decoding, "_BAND", 40 * 9)
    assert np.array_equal(decoding._rgb(picture), np.asarray(picture.convert("RGB")))
