"""The places of a device that a sample is drawn from, and the drawing.

A place is a stretch of 4 KiB, cut as the file system over it lays its files; every block of a file begins in exactly
one place. Where clusters are smaller than a block, all blocks that begin in a drawn place are looked at. Left out are
bytes that are known to be zero without reading them (holes of an image file: no listed block is all zero) and ranges
in which nothing could be recognised (encrypted volumes).
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from safelight.triage.blockruns import BLOCK
from safelight.triage.blockscan import Region

_PERMUTED = 2_000_000
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Span:
    """`count` places from byte `start`; a read of `reach` bytes covers all blocks that begin in one."""

    start: int
    count: int
    steps: tuple[int, ...] = (0,)

    @property
    def reach(self) -> int:
        """Bytes to read for one place."""
        return BLOCK + self.steps[-1]


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges (start, end) in order, joined where they touch or overlap."""
    rows: list[tuple[int, int]] = []
    for start, end in sorted(r for r in ranges if r[1] > r[0]):
        if rows and start <= rows[-1][1]:
            rows[-1] = rows[-1][0], max(end, rows[-1][1])
        else:
            rows.append((start, end))
    return rows


def without(ranges: Sequence[tuple[int, int]], left_out: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What remains of merged `ranges` when `left_out` is taken away."""
    gone = merged(left_out)
    starts = [g[0] for g in gone]
    rows = []
    for start, end in ranges:
        at = max(bisect.bisect_right(starts, start) - 1, 0)
        while at < len(gone) and gone[at][0] < end:
            left, right = gone[at]
            if right > start:
                if left > start:
                    rows.append((start, left))
                start = right
            at += 1
        if start < end:
            rows.append((start, end))
    return rows


def spans_of(regions: Sequence[Region], ranges: Sequence[tuple[int, int]]) -> list[Span]:
    """The places of `regions` that touch `ranges` (merged, in bytes of the media)."""
    ends = [r[1] for r in ranges]
    spans: list[Span] = []
    for region in regions:
        first = min(region.phases)
        steps = tuple(p - first for p in region.phases)
        base = region.start + (first - region.start) % BLOCK
        # What begins before the first whole place of the region belongs to a place that reaches in from the left.
        base -= BLOCK if base - BLOCK + steps[-1] >= region.start else 0
        last = (region.end - BLOCK - base) // BLOCK
        cells: list[tuple[int, int]] = []
        at = bisect.bisect_right(ends, region.start)
        while at < len(ranges) and ranges[at][0] < region.end:
            left, right = max(ranges[at][0], region.start), min(ranges[at][1], region.end)
            low = (left - base) // BLOCK - (1 if len(steps) > 1 else 0)
            cells.append((max(0, low), min(last, (right - 1 - base) // BLOCK) + 1))
            at += 1
        spans += [Span(base + a * BLOCK, b - a, steps) for a, b in merged(cells)]
    return spans


class Lottery:
    """Draws places without putting any back.

    The order of the draws depends on the seed and the number of places alone, whoever takes how many at a time.
    """

    def __init__(self, spans: Sequence[Span], seed: int) -> None:
        self.spans = spans
        self._ends = np.cumsum([s.count for s in spans], dtype=np.int64)
        self.population = int(self._ends[-1]) if spans else 0
        self._rng = np.random.default_rng(seed)
        self._queue: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._seen: npt.NDArray[np.int64] = np.empty(0, np.int64)
        if self.population <= _PERMUTED:
            self._queue = self._rng.permutation(self.population)

    def draw(self, count: int) -> list[tuple[int, Span]]:
        """The next `count` places (fewer when all were drawn) as byte and span, in the order of the disk."""
        while len(self._queue) < count and self.population > _PERMUTED and len(self._seen) < self.population:
            self._more(max(_CHUNK, count))
        taken, self._queue = np.sort(self._queue[:count]), self._queue[count:]
        where = np.searchsorted(self._ends, taken, side="right")
        starts = np.concatenate(([0], self._ends[:-1]))
        return [
            (self.spans[s].start + (i - b) * BLOCK, self.spans[s])
            for i, s, b in zip(taken.tolist(), where.tolist(), starts[where].tolist(), strict=True)
        ]

    def _more(self, count: int) -> None:
        """Chunks of one size, so that the order does not depend on who asks for how many."""
        fresh = []
        for _ in range(-(-count // _CHUNK)):
            made = self._rng.integers(0, self.population, _CHUNK)
            _, first = np.unique(made, return_index=True)
            fresh.append(made[np.sort(first)])
        new = np.concatenate(fresh)
        _, first = np.unique(new, return_index=True)
        new = new[np.sort(first)]
        new = new[~np.isin(new, self._seen)]
        self._seen = np.concatenate((self._seen, new))
        self._queue = np.concatenate((self._queue, new))
