"""From the bytes of a picture file to its PDQ. Runs in the picture worker only; pixels never leave this function."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pillow_heif
import simplejpeg
from PIL import Image, ImageFile, UnidentifiedImageError

from safelight.matching.variants import query_hashes
from safelight.triage.pictures import REDUCED

pillow_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = None  # Our own limit is checked before anything is decoded.

_REDUCED = 512
_BAND = 4 << 20  # Pixels.
_FORMATS = {
    "JPEG": ("JPEG", "MPO"),
    "PNG": ("PNG",),
    "GIF": ("GIF",),
    "BMP": ("BMP",),
    "TIFF": ("TIFF",),
    "WebP": ("WEBP",),
    "HEIC": ("HEIF",),
    "AVIF": ("AVIF",),
}
# What the decoders raise for damaged files, found by mutating files of each format.
_FAULTS = (
    OSError, ValueError, TypeError, SyntaxError, EOFError, IndexError, KeyError, AttributeError, OverflowError,
    ZeroDivisionError, RuntimeError, NotImplementedError, struct.error, UnidentifiedImageError,
    Image.DecompressionBombError,
)  # fmt: skip


def hash_picture(
    body: bytes,
    kind: str,
    *,
    max_pixels: int,
    reduced: bool = False,
    turned: bool = False,
    trimmed: bool = False,
) -> dict[str, Any]:
    """PDQ, quality and dimensions of a picture, or the reason why there is none.

    Args:
        body: the whole file.
        kind: its type by content (`safelight.triage.filetypes`).
        max_pixels: more than this in the header, and it is not decoded.
        reduced: of a JPEG, decode no more than a gray picture of at least 512 x 512; its `mode` then says so.
        turned, trimmed: also the hashes of the picture turned and mirrored, and without its uniform borders.

    Returns:
        `width`, `height`, `pdq` (hex), `quality`, `mode`, `variants` (each how and hex, the plain one
        left out); or `problem` (with the dimensions where they are known).
    """
    # The library that writes our PDFs tells Pillow, for the whole process, to fill up with grey what is missing.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(io.BytesIO(body), formats=_FORMATS[kind]) as picture:
            width, height = picture.size
            size = {"width": width, "height": height}
            if width * height > max_pixels:
                claim = f"its header claims {width:,} x {height:,} pixels in {len(body):,} bytes"
                return {**size, "problem": f"{claim}, above the limit of {max_pixels:,} pixels; it was not decoded"}
            frames = int(getattr(picture, "n_frames", 1) or 1)
            if reduced and not (turned or trimmed) and kind == "JPEG" and min(width, height) >= 2 * _REDUCED:
                small = _jpeg(body, reduced=True)
                if small is not None:
                    found = query_hashes(small[:, :, 0])[0].hash
                    mode = f"{REDUCED} ({small.shape[1]} x {small.shape[0]}, gray)"
                    return {**size, "pdq": found.hex, "quality": found.quality, "mode": mode}
            pixels = _jpeg(body) if kind == "JPEG" else None
            if pixels is None:
                pixels = _rgb(picture)
            if pixels.shape[:2] != (height, width):
                got = f"{pixels.shape[1]:,} x {pixels.shape[0]:,}"
                return {**size, "problem": f"its header claims {width:,} x {height:,} pixels, but it holds {got}"}
            hashes = query_hashes(pixels, turned=turned, trimmed=trimmed)
    except MemoryError:
        return {"problem": "it needs more memory than a picture may have"}
    except _FAULTS as error:
        words = " ".join(str(error).split())[:120].rstrip(".")
        # A file object's address would make the same fault look different in every run.
        words = words.split(" <")[0]
        return {"problem": f"it cannot be decoded ({words or type(error).__name__})"}
    mode = "full size" if frames == 1 or kind == "JPEG" else "full size, first frame"
    found = hashes[0].hash
    # A cut-out with too little structure matches anything plain, whatever the whole picture has.
    more = [[one.how, one.hash.hex] for one in hashes[1:] if one.hash.usable]
    return {**size, "pdq": found.hex, "quality": found.quality, "mode": mode, "variants": more}


def _rgb(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The pixels in three channels, made band by band: Pillow's own way needs three times their memory meanwhile."""
    picture.load()
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    step = max(1, _BAND // max(width, 1))
    for top in range(0, height, step):
        band = picture.crop((0, top, width, min(top + step, height)))
        pixels[top : top + step] = np.asarray(band.convert("RGB"))
    return pixels


def _jpeg(body: bytes, *, reduced: bool = False) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
    """The fast way; None for what it does not take (CMYK, for one), which then goes the slow way."""
    try:
        if reduced:
            pixels: np.ndarray[Any, np.dtype[np.uint8]] = simplejpeg.decode_jpeg(
                body, colorspace="GRAY", min_height=_REDUCED, min_width=_REDUCED
            )
        else:
            pixels = simplejpeg.decode_jpeg(body, colorspace="RGB")
    except ValueError:
        return None
    return pixels
