"""Looking at every 4 KiB block of the media for blocks of listed files, in the same bytes that the pass has read.

Blocks are cut as each file system lays its files: from the start of its data area, which on FAT and on old partitions
is no multiple of 4 KiB on the disk, and in every phase where clusters are smaller than a block. Space outside file
systems is cut from the start of the media.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from safelight.triage.blockruns import BLOCK, Run
from safelight.triage.blocks import BlockSet
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.filesystem import FileSystemReader

if TYPE_CHECKING:
    import numpy.typing as npt

_ZERO = np.uint64(xxhash.xxh3_64_intdigest(bytes(BLOCK)))


@dataclass(frozen=True, slots=True)
class Region:
    """A range of the media and the phases (offset modulo 4096) in which its blocks are cut."""

    start: int
    end: int
    phases: tuple[int, ...] = (0,)


def block_kernel() -> Any:
    """The compiled hash and filter; None where they cannot work (then the xxhash library does it, more slowly)."""
    try:
        from safelight.triage import _xxh3_kernel
    except ImportError:
        return None
    return _xxh3_kernel if sys.byteorder == "little" else None


class BlockScan:
    """The scan of one device. `runs` collects what was found and confirmed; whoever takes it empties it.

    Args:
        blocks: what is looked for.
        regions: how the media is cut.
        compiled: use the compiled hash and filter; when left out, where it can be used.
    """

    def __init__(self, blocks: BlockSet, regions: Sequence[Region], *, compiled: bool | None = None) -> None:
        self._blocks = blocks
        self._regions = regions
        self._kernel = block_kernel() if compiled is not False else None
        if self._kernel is not None:
            self._sieve = blocks.sieve(self._kernel)
        self.runs: list[Run] = []

    def window(self, view: memoryview, at: int, fresh: int) -> None:
        """Look at the blocks of `view`, which begins at offset `at` of the media and is new from `fresh` on."""
        for region in self._regions:
            start, end = max(region.start, at), min(region.end, at + len(view))
            for phase in region.phases:
                first = start + (phase - start) % BLOCK
                if first + BLOCK <= fresh:
                    first += (fresh - first) // BLOCK * BLOCK
                if first + BLOCK <= end:
                    self._phase(view, at, first, (end - first) // BLOCK)

    def _phase(self, view: memoryview, at: int, first: int, count: int) -> None:
        left = first - at
        candidates, rows = self._candidates(view, left, count)
        last: Run | None = None
        for index, row in zip(candidates.tolist(), rows.tolist(), strict=True):
            place = left + index * BLOCK
            if not self._blocks.proves(row, view[place : place + BLOCK]):
                continue
            run = Run(at + place, *self._blocks.place(row))
            if last is not None and last.goes_on(run):
                last.count += 1
            else:
                last = run
                self.runs.append(run)

    def _candidates(
        self, view: memoryview, left: int, count: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Which of `count` blocks from `left` have a filter value of the set, and their rows in it."""
        octets = np.frombuffer(view, np.uint8)
        if self._kernel is None or (octets.ctypes.data + left) % 8:
            digest = xxhash.xxh3_64_intdigest
            places = range(left, left + count * BLOCK, BLOCK)
            filters = np.fromiter((digest(view[p : p + BLOCK]) for p in places), np.uint64, count)
            maybe = np.flatnonzero(filters != _ZERO)
        else:
            k = self._kernel
            words = octets[left : left + count * BLOCK].view(np.uint64)
            filters = np.empty(count, np.uint64)
            starts = np.arange(0, count * k.BLOCK_WORDS, k.BLOCK_WORDS)
            k.hashes(words, starts, filters, k.START, k.KEYS, k.SCRAMBLE, k.LAST, k.MERGE)
            maybe = np.empty(count + 1, np.int64)
            maybe = maybe[: k.sift(self._sieve, filters, _ZERO, maybe)]
        positions, rows = self._blocks.candidates(filters[maybe])
        return maybe[positions], rows


def regions_of(evidence: Evidence, filesystems: Sequence[FileSystemReader]) -> list[Region]:
    """How the media is cut into blocks: its file systems by their own layout, the rest from its start."""
    regions: list[Region] = []
    at = 0
    own = [f for f in filesystems if getattr(f, "media", None) is evidence and 0 < f.size <= evidence.size]
    for filesystem in sorted(own, key=lambda f: f.offset):
        start, end = max(at, filesystem.offset), min(filesystem.offset + filesystem.size, evidence.size)
        if start >= end:
            continue
        if at < start:
            regions.append(Region(at, start))
        origin, step = _layout(evidence.read(filesystem.offset, 512), filesystem)
        step = step if 512 <= step < BLOCK and BLOCK % step == 0 else BLOCK
        phases = tuple(sorted({(origin + k * step) % BLOCK for k in range(BLOCK // step)}))
        regions.append(Region(start, end, phases))
        at = end
    if at < evidence.size:
        regions.append(Region(at, evidence.size))
    return regions


def _layout(boot: bytes, filesystem: FileSystemReader) -> tuple[int, int]:
    """Where on the media the first cluster begins, and the bytes of a cluster."""
    if filesystem.type == "exFAT" and len(boot) == 512 and boot[108] <= 12 and boot[109] <= 25:
        return filesystem.offset + (struct.unpack_from("<I", boot, 88)[0] << boot[108]), 1 << (boot[108] + boot[109])
    if filesystem.type.startswith("FAT") and len(boot) == 512:
        sector, cluster, reserved, tables, roots = struct.unpack_from("<HBHBH", boot, 11)
        size = struct.unpack_from("<H", boot, 22)[0] or struct.unpack_from("<I", boot, 36)[0]
        if sector in (512, 1024, 2048, 4096) and cluster:
            data = (reserved + tables * size) * sector + -(-roots * 32 // sector) * sector
            return filesystem.offset + data, cluster * sector
    return filesystem.offset, filesystem.block_size
