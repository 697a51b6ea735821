"""Where pictures end: exactly, for every writer's files, and nothing at all for what only looks like one."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from safelight.triage.evidence.carving import STARTS, picture_end

KINDS = sorted({*STARTS.values(), "HEIC"})


def picture(kind: str, size: tuple[int, int] = (173, 91), **options: object) -> bytes:
    rng = random.Random(str(size))
    image = Image.frombytes("RGB", size, rng.randbytes(size[0] * size[1] * 3))
    out = io.BytesIO()
    if kind == "HEIC":
        pillow_heif.from_pillow(image).save(out)
        return out.getvalue()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def end_of(kind: str, raw: bytes, start: int = 0) -> int | None:
    return picture_end(kind, lambda at, n: raw[at : at + n], start, len(raw))


@pytest.mark.parametrize("behind", [b"", b"\0" * 5000, b"\xff\xd9" * 50, random.Random(1).randbytes(3000)])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG", {"restart_marker_blocks": 3}), ("PNG", {}),
     ("GIF", {}), ("WebP", {}), ("WebP", {"lossless": True, "exif": b"Exif\0\0II*\0"}), ("BMP", {}),
     ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "jpeg"}),
     ("TIFF", {"big_tiff": False, "compression": "tiff_adobe_deflate", "tiffinfo": {270: "x" * 3001}}), ("HEIC", {})],
)  # fmt: skip
def test_the_end_is_exact_whatever_follows(kind: str, options: dict[str, object], behind: bytes) -> None:
    """A carved picture's digest would match no list, because a byte too many or too few was taken."""
    raw = picture(kind, **options)
    assert end_of(kind, b"x" * 512 + raw + behind, 512) == 512 + len(raw)


def test_a_jpeg_with_a_thumbnail_inside_ends_at_its_own_end(pictures: Path) -> None:
    """A search for the first end mark would cut the picture behind its thumbnail."""
    inner = picture("JPEG", (40, 30))
    raw = picture("JPEG")
    head = b"\xff\xe1" + (len(inner) + 8).to_bytes(2, "big") + b"Exif\0\0" + inner
    raw = raw[:2] + head + raw[2:]
    assert end_of("JPEG", raw + b"\0" * 600) == len(raw)
    for path in sorted(pictures.glob("*.jpg")):
        raw = path.read_bytes()
        assert end_of("JPEG", raw + b"\0" * 600) == len(raw), path.name


def test_a_tiff_of_many_pages_and_one_of_the_other_byte_order_are_taken_whole() -> None:
    """A fax or scan would lose its later pages."""
    pages = [Image.new("RGB", (60, 40 + n), (n, n, n)) for n in range(4)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    raw = out.getvalue()
    end = end_of("TIFF", raw + b"\xff" * 700)
    assert end is not None and not raw[end:].strip(b"\0") and len(raw) - end < 16, "the writer fills up to 16 bytes"
    taken = Image.open(io.BytesIO(raw[:end]))
    assert taken.n_frames == 4
    rows = [(tag, 3, 1, value << 16) for tag, value in ((256, 8), (257, 4), (258, 8), (259, 1), (262, 1))]
    rows += [(273, 4, 1, 110), (279, 4, 1, 32)]
    body = struct.pack(">4sIH", b"MM\0*", 8, len(rows)) + b"".join(struct.pack(">HHII", *row) for row in rows)
    raw = (body + bytes(4)).ljust(110, b"\0") + bytes(range(32))
    assert Image.open(io.BytesIO(raw)).tobytes() == bytes(range(32))
    assert end_of("TIFF", raw + b"\xff" * 700) == len(raw)
    assert end_of("TIFF", raw[:-1]) is None and end_of("TIFF", raw[:8] + b"\0\0" + raw[10:]) is None


def test_an_animated_gif_is_taken_whole() -> None:
    """Only its first frame would be carved."""
    frames = [Image.new("P", (50, 40), n) for n in range(5)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0)
    assert end_of("GIF", out.getvalue() + b"\0" * 99) == len(out.getvalue())


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_cut_is_none(kind: str) -> None:
    """A fragment would be given out as a whole picture."""
    raw = picture(kind)
    for length in range(0, len(raw) - 1, max(1, len(raw) // 97)):
        assert end_of(kind, raw[:length]) is None


@given(st.sampled_from(KINDS), st.binary(max_size=300), st.integers(0, 200))
@settings(max_examples=300, deadline=None)
def test_hostile_bytes_never_lead_outside(kind: str, noise: bytes, at: int) -> None:
    """A forged length would make the reader wander off, or never come back."""
    raw = bytearray(picture(kind, (20, 20)))
    raw[at : at + len(noise)] = noise
    try:
        found = end_of(kind, bytes(raw))
    except struct.error:
        return  # The reader takes it for no picture.
    assert found is None or 0 < found <= len(raw)
