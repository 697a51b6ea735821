"""Pictures are known by content, whatever they are called."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from safelight.triage import filetypes
from safelight.triage.filetypes import PICTURES, mismatch, recognisable, sniff

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


MARKS = [
    *((0, mark) for mark, _ in filetypes._SIMPLE), *filetypes._VOLUMES, (0, b"RIFF"), (4, b"ftypheic"), (257, b"ustar"),
    (0, b"BM" + bytes(12) + b"\x28\0\0\0"), (1024, b"\1\0\0\0" + bytes(20) + b"\2\0\0\0" + bytes(28) + b"\x53\xef"),
    (446, b"\x80\0\0\0\x83\0\0\0\1\0\0\0\1\0\0\0" + bytes(48) + b"\x55\xaa"),
]  # fmt: skip


@given(st.integers(0, 5), st.sampled_from(MARKS), st.binary(max_size=40), st.integers(1, 1200))
def test_no_type_is_passed_over_by_the_look_at_single_bytes(lead: int, mark: tuple[int, bytes], rest: bytes, size: int):
    """A picture that is taken for nothing is never decoded, and so never compared by its looks."""
    at, letters = mark
    head = (bytes(at) + letters + rest + bytes(1200))[:size]
    octets = np.frombuffer(bytes([0xFF]) * lead + head, np.uint8)
    (seen,) = recognisable(octets, np.array([lead]), np.array([size])).tolist()
    assert seen or sniff(head) == ""


def test_what_nothing_tells_is_not_looked_at_twice():
    """The look at single bytes is there to spare the other for most files."""
    octets = np.frombuffer(np.random.default_rng(1).bytes(400 * 2048), np.uint8)
    seen = recognisable(octets, np.arange(400) * 2048, np.full(400, 2048))
    assert seen.sum() < 100
