"""Where a HEIC or AVIF picture and a TIFF end: by their boxes, and by everything that their directories point at.

Layouts: ISO/IEC 14496-12 (boxes), 23008-12 (HEIF); TIFF 6.0 with the Exif and DNG sub-directories.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

Read = Callable[[int, int], bytes]

_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx", b"avif", b"avis", b"miaf"})
_BOXES = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"wide", b"uuid", b"idat"})
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_PIECES = {273: 279, 324: 325, 513: 514}  # Offsets of strips, tiles and a JPEG; and the tags of their sizes.
_BELOW = (330, 34665, 34853, 40965)
_MOST_ENTRIES, _MOST_DIRECTORIES, _MOST_PIECES = 512, 64, 1 << 20


def heic_end(read: Read, start: int, limit: int) -> int | None:
    """The end of the boxes of a HEIF picture; None unless it has its description and its data, whole."""
    head = read(start, 32)
    if len(head) < 16 or head[4:8] != b"ftyp":
        return None
    length = struct.unpack_from(">I", head)[0]
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, min(length, len(head)) - 3, 4))}
    if not 16 <= length <= 512 or not brands & _BRANDS:
        return None
    at, seen = start, set[bytes]()
    while at + 8 <= limit:
        row = read(at, 16)
        size, kind = struct.unpack_from(">I", row)[0], row[4:8]
        if kind not in _BOXES or (kind == b"ftyp" and at != start):
            break
        if size == 1 and len(row) == 16:
            size = struct.unpack_from(">Q", row, 8)[0]
        if size < 8 or at + size > limit:
            return None
        seen.add(kind)
        at += size
    return at if b"meta" in seen and (b"mdat" in seen or b"idat" in seen) else None


def tiff_end(read: Read, start: int, limit: int) -> int | None:
    """The last byte that any directory of a TIFF points at; None unless all of it lies before `limit`."""
    head = read(start, 8)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4])
    if order is None or len(head) < 8:
        return None
    queue, done = [struct.unpack_from(f"{order}I", head, 4)[0]], set[int]()
    end, pictures = 8, 0
    while queue:
        place = queue.pop()
        if place in done or len(done) >= _MOST_DIRECTORIES:
            return None
        done.add(place)
        found = _directory(read, start, limit, place, order)
        if found is None:
            return None
        last, below, shows = found
        end, pictures = max(end, last), pictures + shows
        queue += below
    return start + end if pictures else None


def _directory(read: Read, start: int, limit: int, place: int, order: str) -> tuple[int, list[int], bool] | None:
    """(where what it points at ends, directories below and behind it, whether it holds a picture)."""
    if place < 8 or start + place + 2 > limit:
        return None
    count = struct.unpack(f"{order}H", read(start + place, 2))[0]
    raw = read(start + place + 2, count * 12 + 4)
    end = place + 2 + count * 12 + 4
    if not 0 < count <= _MOST_ENTRIES or len(raw) < count * 12 + 4 or start + end > limit:
        return None
    values: dict[int, list[int]] = {}
    below: list[int] = []
    for row in range(count):
        tag, kind, number = struct.unpack_from(f"{order}HHI", raw, row * 12)
        size = _WIDTHS.get(kind, 0) * number
        at = row * 12 + 8
        if kind not in _WIDTHS:
            return None
        if size > 4:
            where = struct.unpack_from(f"{order}I", raw, at)[0]
            if start + where + size > limit:
                return None
            end = max(end, where + size)
        if tag in (*_PIECES, *_PIECES.values(), *_BELOW, 256, 257) and kind in (3, 4, 13):
            if number > _MOST_PIECES:
                return None
            body = read(start + where, size) if size > 4 else raw[at : at + size]
            if len(body) < size:
                return None
            values[tag] = list(struct.unpack(f"{order}{number}{'H' if kind == 3 else 'I'}", body))
    for tag in _BELOW:
        below += values.get(tag, [])
    behind = struct.unpack_from(f"{order}I", raw, count * 12)[0]
    if behind:
        below.append(behind)
    shows = False
    for tag, sizes in _PIECES.items():
        places, lengths = values.get(tag, []), values.get(sizes, [])
        if len(places) != len(lengths):
            return None
        for where, size in zip(places, lengths, strict=True):
            if size == 0 or start + where + size > limit:
                return None
            end = max(end, where + size)
            shows = True
    return end, below, shows and (bool(values.get(513)) or {256, 257} <= values.keys())
