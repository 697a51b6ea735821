"""Where a picture ends, told by walking its structure from its first byte: JPEG, PNG, GIF, WebP, BMP, TIFF, HEIC.

A walk never goes behind `limit`, reads little at a time, and gives None for what is not a whole picture. Layouts: ITU
T.81 Annex B, W3C PNG, GIF89a, WebP container specification, BITMAPINFOHEADER.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable

from safelight.triage.evidence.carving_boxes import heic_end, tiff_end

Read = Callable[[int, int], bytes]

_WINDOW = 64 << 10
LARGEST = 256 << 20
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_WEBP = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "})
#: The first two bytes of a kind, as a little-endian number, and the kind.
STARTS = {
    0xD8FF: "JPEG", 0x5089: "PNG", 0x4947: "GIF", 0x4952: "WebP", 0x4D42: "BMP", 0x4949: "TIFF", 0x4D4D: "TIFF",
}  # fmt: skip
#: A HEIC picture begins with a length; what tells it are bytes 4 to 7, as a little-endian number.
BOXED = int.from_bytes(b"ftyp", "little")
ENDINGS = {
    "JPEG": "jpg", "PNG": "png", "GIF": "gif", "WebP": "webp", "BMP": "bmp", "TIFF": "tif", "HEIC": "heic",
}  # fmt: skip


def picture_end(kind: str, read: Read, start: int, limit: int) -> int | None:
    """Where the picture of this kind that begins at `start` ends; None where none does.

    Args:
        kind: JPEG, PNG, GIF, WebP, BMP, TIFF or HEIC.
        read: gives up to so many bytes from an offset.
        start: its first byte.
        limit: the first byte that cannot belong to it.
    """
    return _WALKS[kind](read, start, min(limit, start + LARGEST))


def _jpeg(read: Read, start: int, limit: int) -> int | None:
    at, frame, scan = start + 2, False, False
    if read(start, 3) != b"\xff\xd8\xff":
        return None
    while at + 4 <= limit:
        head = read(at, 4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        marker = head[1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            return at + 2 if frame and scan else None
        if marker < 0xC0 or marker == 0xD8 or 0xD0 <= marker <= 0xD7:
            return None
        length = head[2] << 8 | head[3]
        if length < 2:
            return None
        frame |= marker in (0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB)
        at += 2 + length
        if marker == 0xDA:
            if not frame:
                return None
            scan = True
            found = _next_marker(read, at, limit)
            if found is None:
                return None
            at = found
            if read(at, 2) == b"\xff\xd9":
                return at + 2
    return None


def _next_marker(read: Read, at: int, limit: int) -> int | None:
    """The next marker behind entropy-coded bytes."""
    while at + 2 <= limit:
        piece = read(at, min(_WINDOW, limit - at))
        match = _MARKER.search(piece)
        if match:
            return at + match.start()
        if len(piece) < 2:
            return None
        at += len(piece) - 1  # The last byte may be the first half of a marker.
    return None


def _png(read: Read, start: int, limit: int) -> int | None:
    if read(start, 8) != b"\x89PNG\r\n\x1a\n":
        return None
    at, first = start + 8, True
    while at + 12 <= limit:
        head = read(at, 8)
        if len(head) < 8:
            return None
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if not kind.isalpha() or at + 12 + length > limit or first != (kind == b"IHDR"):
            return None
        check, done = zlib.crc32(kind), 0
        while done < length:
            piece = read(at + 8 + done, min(_WINDOW, length - done))
            if not piece:
                return None
            check = zlib.crc32(piece, check)
            done += len(piece)
        if read(at + 8 + length, 4) != check.to_bytes(4, "big"):
            return None
        at += 12 + length
        first = False
        if kind == b"IEND":
            return at
    return None


def _gif(read: Read, start: int, limit: int) -> int | None:
    head = read(start, 13)
    if head[:6] not in (b"GIF87a", b"GIF89a") or len(head) < 13:
        return None
    at = start + 13 + (3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0)
    image = False
    while at < limit:
        kind = read(at, 1)
        if kind == b"\x3b":
            return at + 1 if image else None
        if kind == b"\x21":
            at += 2
        elif kind == b"\x2c":
            flags = read(at + 9, 1)
            if not flags:
                return None
            at += 11 + (3 << (flags[0] & 7) + 1 if flags[0] & 0x80 else 0)
            image = True
        else:
            return None
        while True:
            size = read(at, 1)
            if not size or at >= limit:
                return None
            at += 1 + size[0]
            if not size[0]:
                break
    return None


def _webp(read: Read, start: int, limit: int) -> int | None:
    head = read(start, 12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WEBP":
        return None
    end: int = start + 8 + struct.unpack_from("<I", head, 4)[0]
    end += end - start & 1
    if end > limit:
        return None
    at = start + 12
    while at < end:
        row = read(at, 8)
        if len(row) < 8 or row[:4] not in _WEBP:
            return None
        size = struct.unpack_from("<I", row, 4)[0]
        at += 8 + size + (size & 1)
    return end if at == end else None


def _bmp(read: Read, start: int, limit: int) -> int | None:
    head = read(start, 54)
    end: int
    if len(head) < 54 or head[:2] != b"BM" or head[6:10] != b"\0\0\0\0":
        return None
    said, data = struct.unpack_from("<I4xI", head, 2)
    size, width, height, planes, depth, packing = struct.unpack_from("<IiiHHI", head, 14)
    if size not in (40, 52, 56, 64, 108, 124) or planes != 1 or depth not in (1, 4, 8, 16, 24, 32):
        return None
    if not 0 < width <= 65535 or not 0 < abs(height) <= 65535 or not 14 + size <= data <= 14 + size + 4096:
        return None
    end = start + said
    if packing in (0, 3):
        least = data + (width * depth + 31) // 32 * 4 * abs(height)
        # Some writers leave the size out, or say the size of the pixels only.
        end = start + (said if least <= said <= least + 4096 else least)
    return end if start + data < end <= limit else None


_WALKS: dict[str, Callable[[Read, int, int], int | None]] = {
    "JPEG": _jpeg, "PNG": _png, "GIF": _gif, "WebP": _webp, "BMP": _bmp,
    "TIFF": tiff_end, "HEIC": heic_end,
}  # fmt: skip
