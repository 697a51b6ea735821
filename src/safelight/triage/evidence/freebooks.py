"""Free ranges of HFS+ and XFS by their own books: the allocation file, the trees of free extents.

Layouts: Apple's Technical Note TN1150; XFS Algorithms & Data Structures, 3rd edition.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence

_STEP = 1 << 20
_MOST_BLOCKS = 1 << 20


def hfs_free(evidence: Evidence, base: int) -> Iterator[tuple[int, int]]:
    """Free ranges (offset, size) of an HFS+ volume, ascending.

    Raises:
        EvidenceError: its allocation file cannot be read whole.
    """
    head = evidence.read(base + 1024, 512)
    if len(head) < 512 or head[:2] not in (b"H+", b"HX"):
        raise EvidenceError("its volume header is damaged")
    block, total = struct.unpack_from(">II", head, 40)
    size = struct.unpack_from(">Q", head, 112)[0]
    places = [struct.unpack_from(">II", head, 128 + 8 * n) for n in range(8)]
    if not 512 <= block <= 1 << 24 or sum(count for _, count in places) * block < min(size, -(-total // 8)):
        raise EvidenceError("its allocation file lies in more pieces than its header names")
    number = 0
    for start, count in places:
        for at in range(0, count * block, _STEP):
            place = base + start * block + at
            if number >= total:
                return  # a header may claim pieces of any length behind what the volume needs
            wanted = min(_STEP, count * block - at)
            raw = evidence.read(place, wanted)
            short = len(raw) < wanted and number + len(raw) * 8 < total
            if short or evidence.missing.overlaps(place, place + len(raw)):
                raise EvidenceError("its allocation file cannot be read whole")
            free = np.unpackbits(np.frombuffer(raw, np.uint8))[: max(0, total - number)] == 0
            edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False]))))
            for left, right in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
                yield base + (number + left) * block, (right - left) * block
            number += len(raw) * 8


def xfs_free(evidence: Evidence, base: int) -> Iterator[tuple[int, int]]:
    """Free ranges (offset, size) of an XFS file system, ascending.

    Raises:
        EvidenceError: a tree of free extents is damaged.
    """
    head = evidence.read(base, 512)
    block, per, groups = struct.unpack_from(">I", head, 4)[0], *struct.unpack_from(">II", head, 84)
    sector = struct.unpack_from(">H", head, 102)[0]
    if not 512 <= block <= 65536 or not per or not 512 <= sector <= 32768:
        raise EvidenceError("its superblock is damaged")
    for group in range(groups):
        start = base + group * per * block
        row = evidence.read(start + sector, 64)
        if row[:4] != b"XAGF" or len(row) < 64:
            raise EvidenceError(f"allocation group {group} is damaged")
        root, level = struct.unpack_from(">I", row, 16)[0], struct.unpack_from(">I", row, 28)[0]
        end = 0
        for first, count in _leaves(evidence, start, block, root, level):
            # In order, or the tree leads back into itself.
            if first < end or first + count > per:
                raise EvidenceError(f"the free extents of allocation group {group} are damaged")
            end = first + count
            yield start + first * block, count * block


def _leaves(evidence: Evidence, start: int, block: int, root: int, level: int) -> Iterator[tuple[int, int]]:
    """The free extents of one group, from the leftmost leaf of its tree to the right."""
    number, seen = root, 0
    while number != 0xFFFFFFFF:
        raw = evidence.read(start + number * block, block)
        seen += 1
        if raw[:4] not in (b"ABTB", b"AB3B") or len(raw) < block or seen > _MOST_BLOCKS:
            raise EvidenceError("a tree of free extents is damaged")
        at = 56 if raw[:4] == b"AB3B" else 16
        depth, count, _, right = struct.unpack_from(">HHII", raw, 4)
        if depth:
            most = (block - at) // 12
            number = struct.unpack_from(">I", raw, at + most * 8)[0]
            if depth >= max(level, 1):
                raise EvidenceError("a tree of free extents is damaged")
            level = depth
            continue
        for row in range(min(count, (block - at) // 8)):
            first, length = struct.unpack_from(">II", raw, at + row * 8)
            yield first, length
        number = right
