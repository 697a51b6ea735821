"""Pictures are known by content, whatever they are called."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from safelight.triage.filetypes import PICTURES, mismatch, sniff

pillow_heif.register_heif_opener()


def encoded(kind: str, *, side: int = 96) -> bytes:
    y, x = np.mgrid[0:side, 0:side]
    pixels = np.stack([(x * 5) % 256, (y * 3) % 256, (x * y) % 256], axis=2).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format={"HEIC": "HEIF"}.get(kind, kind.upper()))
    return out.getvalue()


@pytest.mark.parametrize("kind", sorted(PICTURES))
def test_every_picture_format_is_recognised(kind: str) -> None:
    """Pictures in that format would never be hashed."""
    assert sniff(encoded(kind)[:4096]) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [(b"", ""), (b"hello", ""), (b"BMW is a car, not a bitmap, of course", ""), (b"%PDF-1.7", "PDF"),
     (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "MP4"), (b"RIFF\0\0\0\0AVI LIST", "AVI"), (b"\xff\xd8", "")],
)  # fmt: skip
def test_what_is_no_picture(head: bytes, kind: str) -> None:
    """Other files would be sent to the picture decoders."""
    assert sniff(head) == kind


def test_a_picture_under_another_name_is_noted() -> None:
    """A picture hidden as notes.txt would not stand out."""
    assert mismatch("a/notes.txt", "JPEG") and mismatch("noending", "PNG") and mismatch(".jpg", "JPEG")
    assert not mismatch("a.JPG", "JPEG") and not mismatch("a.txt", "") and not mismatch("a.heif", "HEIC")
