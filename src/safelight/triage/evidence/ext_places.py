"""Where the pieces of a large or fragmented file of ext lie: extent trees and indirect blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from safelight.triage.evidence.base import Evidence
    from safelight.triage.evidence.ext_tables import Books, Numbers, Octets

_EXTENTS = 0x80000
_MAGIC = 0xF30A
_WRITTEN = 32768
_HEAD = np.dtype([("magic", "<u2"), ("entries", "<u2"), ("most", "<u2"), ("depth", "<u2"), ("generation", "<u4")])
_LEAF = np.dtype([("first", "<u4"), ("many", "<u2"), ("high", "<u2"), ("low", "<u4")])
_INDEX = np.dtype([("first", "<u4"), ("low", "<u4"), ("high", "<u2"), ("unused", "<u2")])
_DEEPEST = 5
_MOST_BLOCKS = 1 << 16


class _Odd(Exception):
    """A place makes no sense by itself; The Sleuth Kit may still know something."""


class Broken(Exception):
    """The books of the file's places are no tree; going through them might never end, for anyone."""


def deep_places(evidence: Evidence, base: int, books: Books, inode: Octets, size: int) -> list[tuple[int, int]] | None:
    """The pieces of a file, (offset on the media, bytes) in order, none for holes alone; None where The Sleuth Kit must
    be asked.

    Args:
        evidence: the media.
        base: where the file system begins on it.
        books: of the file system.
        inode: uint8 (at least 100,).
        size: bytes of the file.

    Raises:
        Broken: nobody can tell.
    """
    flags = int(inode[32:36].copy().view("<u4")[0])
    try:
        if flags & _EXTENTS:
            return _by_extents(evidence, base, books, inode[40:100], size)
        return _by_blocks(evidence, base, books, inode[40:100], size)
    except _Odd:
        return None


def _block(evidence: Evidence, base: int, books: Books, number: int) -> bytes:
    if not 0 < number < books.blocks:
        raise _Odd
    raw = evidence.read(base + number * books.block, books.block)
    if len(raw) < books.block:
        raise _Odd
    return raw


def _by_extents(evidence: Evidence, base: int, books: Books, root: Octets, size: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    left = size
    at = 0  # The next block of the file.
    read = 0

    def node(raw: bytes, level: int) -> None:
        nonlocal left, at, read
        head = np.frombuffer(raw, _HEAD, 1)[0]
        count, depth = int(head["entries"]), int(head["depth"])
        if head["magic"] != _MAGIC or count > (len(raw) - 12) // 12 or level not in (-1, depth) or depth > _DEEPEST:
            raise Broken
        if depth:
            rows = np.frombuffer(raw, _INDEX, count, 12)
            for low, high in zip(rows["low"].tolist(), rows["high"].tolist(), strict=True):
                read += 1
                if read > _MOST_BLOCKS:
                    raise Broken
                node(_block(evidence, base, books, high << 32 | low), depth - 1)
            return
        rows = np.frombuffer(raw, _LEAF, count, 12)
        for first, many, high, low in rows.tolist():
            start = high << 32 | low
            stored = many <= _WRITTEN
            if not stored:
                many -= _WRITTEN
            if first < at or not many or (stored and not 0 < start <= books.blocks - many):
                raise _Odd
            left -= (first - at) * books.block
            part = min(many * books.block, max(left, 0))
            left -= many * books.block
            at = first + many
            if stored and part:
                found.append((base + start * books.block, part))

    node(root.tobytes(), -1)
    return found


def _by_blocks(evidence: Evidence, base: int, books: Books, root: Octets, size: int) -> list[tuple[int, int]]:
    """Blocks that follow each other are one piece, but not across the borders of the lists they stand in."""
    numbers = root.copy().view("<u4").astype(np.int64)
    wanted = -(-size // books.block)
    each = books.block // 4
    # Block numbers of the media, or how many blocks of the file are holes.
    lists: list[Numbers | int] = [numbers[:12]]
    total, read = 12, 0

    def gather(number: int, level: int) -> None:
        nonlocal total, read
        if total >= wanted:
            return
        if not number:
            lists.append(each**level)
            total += each**level
            return
        read += 1
        if read > _MOST_BLOCKS:
            raise Broken
        row = np.frombuffer(_block(evidence, base, books, number), "<u4").astype(np.int64)
        if level == 1:
            lists.append(row)
            total += each
            return
        for below in row.tolist():
            gather(below, level - 1)

    for level, number in enumerate(numbers[12:15].tolist(), 1):
        gather(number, level)
    found: list[tuple[int, int]] = []
    done = 0
    for row in lists:
        if done >= wanted:
            break
        if isinstance(row, int):
            done += row
            continue
        row = row[: wanted - done]
        if row.max() >= books.blocks:
            raise _Odd
        borders = np.flatnonzero((np.diff(row) != 1) | (row[:-1] == 0)) + 1
        for left, right in zip([0, *borders.tolist()], [*borders.tolist(), len(row)], strict=True):
            if row[left]:
                many = min((right - left) * books.block, size - (done + left) * books.block)
                found.append((base + int(row[left]) * books.block, many))
        done += len(row)
    return found
