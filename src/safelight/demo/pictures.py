"""Benign pictures, made on the spot from a seed: abstract landscapes, clouds, patterns and shapes.

Nothing is photographed, downloaded or shipped. The same seed, size and style give the same pixels on every machine,
and every style has structure enough for a perceptual hash (PDQ quality of at least 50), so that the demo and the tests
can show a known picture found again after it was resized, re-encoded or brightened.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance

from safelight.errors import SafelightError

STYLES = ("landscape", "plasma", "pattern", "shapes")
"""What a picture can look like."""

FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tif": "TIFF"}
"""File name extension -> Pillow format that it is written in."""

NEAR_KINDS = ("reencoded", "resized", "brightened")
"""How a near-duplicate can differ from its original."""

SMALLEST, LARGEST = (320, 240), (4000, 3000)
_WORKING_EDGE = 640  # noise is made at most this large and then enlarged: a 12-megapixel picture in tenths of a second


def make_picture(seed: int, size: tuple[int, int] = (1024, 768), style: str | None = None) -> Image.Image:
    """An abstract RGB picture.

    Args:
        seed: decides everything that is left to chance.
        size: width and height in pixels, 320x240 to 4000x3000 in either orientation.
        style: one of :data:`STYLES`; by default the seed chooses.

    Raises:
        SafelightError: the size or the style is not offered.
    """
    width, height = size
    if not (min(SMALLEST) <= min(size) and max(size) <= max(LARGEST) and width * height <= LARGEST[0] * LARGEST[1]):
        raise SafelightError(f"No picture of {width}x{height} pixels.", fix="Ask for 320x240 to 4000x3000.")
    style = style or STYLES[seed % len(STYLES)]
    makers = {"landscape": _landscape, "plasma": _plasma, "pattern": _pattern, "shapes": _shapes}
    if style not in makers:
        raise SafelightError(f"No picture style {style!r}.", fix=f"Use one of {', '.join(STYLES)}.")
    scale = min(1.0, _WORKING_EDGE / max(size))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = makers[style](np.random.default_rng([seed, STYLES.index(style)]), small)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)


def near_duplicate(picture: Image.Image, kind: str) -> Image.Image:
    """The same picture with other bytes: what people call 'the same image', and an exact digest does not.

    Raises:
        SafelightError: ``kind`` is not one of :data:`NEAR_KINDS`.
    """
    if kind == "reencoded":
        return picture.copy()  # the caller writes it at another quality or in another format
    if kind == "resized":
        return picture.resize((picture.width * 5 // 8, picture.height * 5 // 8), Image.Resampling.LANCZOS)
    if kind == "brightened":
        return ImageEnhance.Brightness(picture).enhance(1.08)
    raise SafelightError(f"No near-duplicate kind {kind!r}.", fix=f"Use one of {', '.join(NEAR_KINDS)}.")


def encode_picture(picture: Image.Image, extension: str = "jpg", *, quality: int = 88) -> bytes:
    """The bytes of a picture file.

    Args:
        picture: what to write.
        extension: a key of :data:`FORMATS`.
        quality: 1 to 100, for the formats that lose detail (JPEG, WebP).

    Raises:
        SafelightError: the extension is not offered.
    """
    if extension not in FORMATS:
        raise SafelightError(f"No picture format .{extension}.", fix=f"Use one of {', '.join(FORMATS)}.")
    out = io.BytesIO()
    if extension in {"jpg", "webp"}:
        picture.save(out, FORMATS[extension], quality=quality)
    elif extension == "tif":
        picture.save(out, "TIFF", compression="tiff_lzw")
    elif extension == "gif":
        picture.quantize(256, method=Image.Quantize.FASTOCTREE).save(out, "GIF")
    else:
        picture.save(out, FORMATS[extension])
    return out.getvalue()


def write_picture(
    path: Path, *, seed: int, size: tuple[int, int] = (1024, 768), style: str | None = None, quality: int = 88
) -> Path:
    """Make a picture and write it in the format that the path's extension names.

    Raises:
        SafelightError: the size, style or format is not offered.
        OSError: the file cannot be written.
    """
    path.write_bytes(encode_picture(make_picture(seed, size, style), path.suffix.lstrip(".").lower(), quality=quality))
    return path


def cut_short(content: bytes) -> bytes:
    """A picture file whose second half is missing, as a pulled card leaves it."""
    return content[: len(content) // 2]


def lying_png(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of a few bytes whose header promises ``width`` x ``height`` pixels (3.6 thousand million by default)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(3 * 64 * 64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


# Styles --------------------------------------------------------------------------------------------------------------


def _noise(rng: np.random.Generator, size: tuple[int, int], *, first: int, roughness: float) -> NDArray[np.float32]:
    """Fractal noise: smooth random fields, each twice as fine and ``roughness`` times as strong. Values 0 to 1."""
    total = np.zeros((size[1], size[0]), dtype=np.float32)
    cells, strength = first, 1.0
    while cells <= min(size) // 2 and strength > 0.02:
        field = Image.fromarray(rng.random((cells, cells), dtype=np.float32))
        total += strength * np.asarray(field.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
        cells, strength = cells * 2, strength * roughness
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


def _coloured(values: NDArray[np.floating], stops: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Colour each value 0..1 along the evenly spaced colour stops (n x 3, 0..255)."""
    places = np.linspace(0.0, 1.0, len(stops))
    return np.stack([np.interp(values, places, stops[:, c]) for c in range(3)], axis=-1).astype(np.uint8)


def _palette(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Random colours that alternate between dark and light, so that neighbours differ clearly."""
    colours = rng.uniform(0, 110, (count, 3))
    colours[1::2] += 140
    return colours


def _landscape(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Ridges of noise before a sky, nearer ones darker."""
    width, height = size
    sky = np.array([[70, 110, 190], [190, 205, 235], [250, 215, 170]], dtype=np.float64) + rng.uniform(-40, 5, 3)
    clouds = _noise(rng, size, first=3, roughness=0.6)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    pixels = _coloured(np.clip(0.55 * rows + 0.6 * clouds - 0.05, 0, 1), np.clip(sky, 0, 255)).copy()
    tint = rng.uniform(20, 150, 3)
    texture = _noise(rng, size, first=8, roughness=0.7)
    for ridge in range(4):
        points = rng.random(4 * 2**ridge + 3)
        line = np.interp(np.linspace(0, len(points) - 1, width), np.arange(len(points)), points)
        top = height * (0.28 + 0.16 * ridge + 0.22 * (line - 0.5))
        below = np.arange(height)[:, None] > top[None, :]
        shade = (1.0 - 0.22 * ridge) * (0.45 + 0.9 * texture[..., None]) * tint
        pixels[below] = np.clip(shade[below], 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


def _plasma(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Clouds of colour."""
    return Image.fromarray(_coloured(_noise(rng, size, first=4, roughness=0.62), _palette(rng, 9)))


def _pattern(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Waves that cross each other and bend."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(max(size))
    bend = _noise(rng, size, first=3, roughness=0.5)
    value = np.zeros((height, width), dtype=np.float32)
    for _ in range(3):
        angle, waves, phase = rng.uniform(0, np.pi), rng.uniform(4, 11), rng.uniform(0, 6)
        value += np.sin(2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle)) + phase + 5 * bend)
    return Image.fromarray(_coloured((value + 3) / 6, _palette(rng, 5)))


def _shapes(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Circles, boxes and triangles on a gradient."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    ramp = (x / width + y / height) / 2
    texture = _noise(rng, size, first=6, roughness=0.6)
    picture = Image.fromarray(_coloured(np.clip(0.7 * ramp + 0.3 * texture, 0, 1), _palette(rng, 3)))
    draw = ImageDraw.Draw(picture)
    for number in range(26):
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        left, top = rng.uniform(-0.1, 0.9) * width, rng.uniform(-0.1, 0.9) * height
        across, down = rng.uniform(0.08, 0.3) * width, rng.uniform(0.08, 0.3) * height
        box = (left, top, left + across, top + down)
        if number % 3 == 0:
            draw.ellipse(box, fill=colour)
        elif number % 3 == 1:
            draw.rectangle(box, fill=colour)
        else:
            draw.polygon([(left, top + down), (left + across / 2, top), (left + across, top + down)], fill=colour)
    return picture
