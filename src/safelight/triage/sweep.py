"""One pass over the media, window by window: each byte is read once, and every digest that needs it is fed.

The files that lie in a window are hashed side by side from the window's own memory; a file that goes on behind the
window keeps its half-made digests until its end comes by. The digest of the whole image and the block scan take the
same bytes. Nothing here parses anything: the pass knows ranges of bytes only.
"""

from __future__ import annotations

import ctypes
import hashlib
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from safelight.triage.device_reader import WINDOW
from safelight.triage.digests import FileDigest
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.raw import RawEvidence, open_read_only
from safelight.triage.hashing import LONG, Hashing, Job, OpenFile, Small
from safelight.triage.plain import in_order

if TYPE_CHECKING:
    from safelight.triage.blockscan import BlockScan

LEAD = 4096
_STEP = 4 << 20
_SCAN = 32 << 20
_POPULATE = 16 << 20
_NEAR = 1 << 16
_POPULATE_READ = 22  # MADV_POPULATE_READ of Linux 5.14; Python 3.11 has no name for it.
_libc = ctypes.CDLL(None)


class Sweep:
    """The pass over one device.

    Args:
        evidence: the media; its `missing` ranges are filled while reading.
        image: names of digests of the whole media that are wanted; `digests()` gives them if every byte came by.
        scan: looks at every 4 KiB block, or None.
        sha256: compute SHA-256 of every file.
        tick: told the bytes of each step.
        window: bytes of the longest window.
        lanes: use the compiled MD5; when left out, where it can be used.
        threads: how many digests may be computed at the same time. All of them let other threads run meanwhile.
    """

    def __init__(
        self,
        evidence: Evidence,
        *,
        image: Sequence[str] = (),
        scan: BlockScan | None = None,
        sha256: bool = True,
        tick: Callable[[int], None] | None = None,
        window: int = WINDOW,
        lanes: bool | None = None,
        threads: int = 1,
    ) -> None:
        self._hashing = Hashing(sha256=sha256, lanes=lanes, threads=threads)
        self._evidence = evidence
        self._image = {name: hashlib.new(name, usedforsecurity=False) for name in image}
        self._at = 0
        self._scan = scan
        self._tick = tick or (lambda done: None)
        self._window = window
        # The bytes of the window at hand, `LEAD` bytes before it first: mapped where that can be, else read in here.
        self._own = np.empty(0, np.uint8)
        self._octets = self._own
        self._view = self._own.data
        self._row = self._own  # Where scattered pieces are put in a row.
        self._origin = LEAD  # Where in it the window begins.
        self._lead = 0
        self._end = 0
        self._open: dict[int, OpenFile] = {}
        self._fd = self._descriptor()

    def _descriptor(self) -> int | None:
        """A raw image in one file is read into the buffer without a copy on the way."""
        e = self._evidence
        if type(e) is RawEvidence and len(e.parts) == 1 and e.parts[0].size == e.size:
            return open_read_only(Path(e.parts[0].path))
        return None

    def close(self) -> None:
        """Give back the descriptor and the threads. Safe to call twice."""
        self._hashing.close()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def forget(self) -> None:
        """Drop the files that are under way: whoever wanted them has gone on."""
        self._open.clear()

    def digests(self) -> dict[str, str] | None:
        """Digests (hex) of the whole media; None when not every byte came by, in order."""
        if not self._image or self._at != self._evidence.size:
            return None
        return {name: each.hexdigest() for name, each in self._image.items()}

    def window(
        self,
        start: int,
        end: int,
        files: Sequence[tuple[int, Sequence[Sequence[int]]]],
        *,
        keep: int,
        whole: bool = True,
    ) -> Iterator[tuple[int, FileDigest]]:
        """Read the media from `start` to `end` and give the files that are complete now, by number.

        Args:
            files: number and extents ([offset, size]) of the files whose first byte lies in the window. Those whose
                pieces lie in no order that a pass meets are read by themselves; they are no larger than a window.
            keep: keep the bytes of a picture no larger than this.
            whole: take the window for the digest of the media and the block scan too; without it only files are read.
        """
        scattered: list[OpenFile] = []
        # Whole files of the window go together, without an object for each while they are under way.
        small: list[tuple[int, int, int]] = []
        for number, extents in files:
            if len(extents) == 1:
                offset, size = extents[0]
                if size < LONG and offset + size <= end:
                    small.append((number, offset, size))
                    continue
            file = OpenFile(number, extents, sum(x[1] for x in extents))
            if len(extents) == 1 or in_order(extents, self._window):
                self._open[number] = file
            else:
                scattered.append(file)
        whole = whole and (bool(self._image) or self._scan is not None)
        if start != self._end or not whole:
            self._lead = 0
        here = [f for f in self._open.values() if self._cut(f, start, end)]
        dense = whole or 2 * (sum(n for f in here for _, n in f.pieces) + sum(n for _, _, n in small)) > end - start
        if not dense:
            for number, offset, size in small:
                file = self._open[number] = OpenFile(number, ((offset, size),), size)
                self._cut(file, start, end)
                here.append(file)
            small.clear()
        mapped = self._map(start, end) if dense else None
        if mapped is None:
            if not self._own.size:
                self._own = np.zeros(LEAD + self._window + 64, np.uint8)
            self._octets, self._view, self._origin = self._own, self._own.data, LEAD
        else:
            self._octets = np.frombuffer(mapped, np.uint8)
            self._view = self._octets.data
            self._origin = self._lead = min(LEAD, start)
            if not start:
                for file in here:
                    file.pieces[:] = [(a - LEAD, n) for a, n in file.pieces]
        ranges = [(LEAD + offset - start, LEAD + offset - start + size) for _, offset, size in small]
        self._read(start, end, here, ranges, whole=whole, mapped=mapped is not None)
        jobs = self._whole(start, end) if whole else []
        if small:
            group = Small(np.array(small, np.int64), self._origin - start)
            jobs = [*self._hashing.small_jobs(self._octets, group), *jobs]
        for file, found in self._hashing.window(self._octets, here, keep, jobs):
            del self._open[file.number]
            yield file.number, found
        if small:
            yield from group.found(self._octets, keep)
        self._remember(start, end, whole=whole and mapped is None)
        self._octets, self._view = self._own, self._own.data
        while scattered:
            some = self._gathered(scattered)
            for file, found in self._hashing.window(self._row, some, keep, ()):
                yield file.number, found

    def _gathered(self, scattered: list[OpenFile]) -> list[OpenFile]:
        """As many of the files as there is room for, read piece by piece, in the order of the disk, into one buffer."""
        if not self._row.size:
            self._row = np.zeros(self._window + 64, np.uint8)
        here: list[OpenFile] = []
        wanted: list[tuple[int, int, int]] = []
        at = 0
        while scattered and (not here or at + scattered[-1].size <= self._window):
            file = scattered.pop()
            file.pieces = [(at, file.size)]
            here.append(file)
            for offset, size in file.extents:
                wanted.append((offset, at, size))
                at += size
            at += -at % 64
        view = self._row.data
        for offset, place, size in sorted(wanted):
            self._fill(view, place, place + size, offset - place)
            self._tick(size)
        return here

    # -- reading -----------------------------------------------------------------------------------------------------

    @staticmethod
    def _cut(file: OpenFile, start: int, end: int) -> bool:
        """Find the file's pieces in the window; whether there are any."""
        file.pieces.clear()
        while file.next < len(file.extents):
            offset, size = file.extents[file.next]
            left, right = max(offset, start), min(offset + size, end)
            if left >= right:
                break
            file.pieces.append((LEAD + left - start, right - left))
            if right < offset + size:
                break
            file.next += 1
        return bool(file.pieces)

    def _map(self, start: int, end: int) -> mmap.mmap | None:
        """The window, and `LEAD` bytes before it, as the page cache has them; None where that cannot be had.

        The pages are asked for at once: what cannot be read is found out now, and read the careful way.
        """
        lead = min(LEAD, start)
        if self._fd is None or lead % LEAD or start % mmap.ALLOCATIONGRANULARITY:
            return None
        try:
            os.posix_fadvise(self._fd, start, end + self._window - start, os.POSIX_FADV_WILLNEED)
            found = mmap.mmap(self._fd, lead + end - start, access=mmap.ACCESS_READ, offset=start - lead)
        except (OSError, ValueError):
            return None
        base = np.frombuffer(found, np.uint8).ctypes.data
        steps = [(at, min(_POPULATE, len(found) - at)) for at in range(0, len(found), _POPULATE)]
        # A few at a time, so that signs of life come while a disk is slow.
        for first in range(0, len(steps), self._hashing.threads):
            some = steps[first : first + self._hashing.threads]
            failed: list[int] = []
            self._hashing.work([partial(_populate, base + at, size, failed) for at, size in some])
            if failed:
                return None
            self._tick(sum(size for _, size in some))
        return found

    def _read(
        self,
        start: int,
        end: int,
        here: Sequence[OpenFile],
        also: Sequence[tuple[int, int]],
        *,
        whole: bool,
        mapped: bool,
    ) -> None:
        if mapped:
            ranges = []
        elif whole:
            if self._scan is not None and start and not self._lead:
                # Blocks that begin before the window and end in it.
                self._lead = min(LEAD, start)
                self._fill(self._view, LEAD - self._lead, LEAD, start - LEAD)
            ranges = [(LEAD, LEAD + end - start)]
        else:
            ranges = _joined(sorted([*((a, a + n) for f in here for a, n in f.pieces), *also]))
        steps = [(at, min(at + _STEP, right)) for left, right in ranges for at in range(left, right, _STEP)]
        together = self._hashing.threads if self._evidence.side_by_side else 1
        for first in range(0, len(steps), 2 * together):
            some = steps[first : first + 2 * together]
            jobs = [partial(self._fill, self._view, at, stop, start - LEAD) for at, stop in some]
            if together > 1:
                self._hashing.work(jobs)
            else:
                for job in jobs:
                    job()
            self._tick(sum(stop - at for at, stop in some))

    def _whole(self, start: int, end: int) -> list[Job]:
        """What every byte of the window is for."""
        jobs: list[Job] = []
        if self._image and self._at == start:
            view = self._view[self._origin : self._origin + end - start]
            jobs += [partial(each.update, view) for each in self._image.values()]
            self._at = end
        if self._scan is not None:
            # In pieces, which fill up the time of whichever thread is done first. Each looks back for blocks that begin
            # before it.
            step = _SCAN if self._hashing.threads > 1 else end - start
            for at in range(start, end, step):
                lead = self._lead if at == start else LEAD
                seen = self._view[self._origin + at - start - lead : self._origin + min(at + step, end) - start]
                jobs.append(partial(self._scan.window, seen, at - lead, at))
        return jobs

    def _fill(self, view: memoryview, left: int, right: int, base: int) -> None:
        """Bytes `left` to `right` of a buffer, whose first byte stands for offset `base` of the media."""
        at = left
        if self._fd is not None:
            try:
                while at < right:
                    got = os.preadv(self._fd, [view[at:right]], base + at)
                    if not got:
                        break
                    at += got
            except OSError:
                pass  # The evidence's own reading finds out which blocks are bad, and notes them.
        if at < right:
            data = self._evidence.read(base + at, right - at)
            view[at : at + len(data)] = data
            view[at + len(data) : right] = bytes(right - at - len(data))

    def _remember(self, start: int, end: int, *, whole: bool) -> None:
        if not whole:
            self._end = -1
            return
        self._end = end
        self._lead = min(LEAD, end - start)
        self._view[LEAD - self._lead : LEAD] = bytes(self._view[LEAD + end - start - self._lead : LEAD + end - start])


def _populate(address: int, size: int, failed: list[int]) -> None:
    """Have the pages of a mapping at hand. Python's own `madvise` does not let other threads run meanwhile."""
    if _libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(size), _POPULATE_READ):
        failed.append(address)


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges that touch, overlap or lie near each other as one: a short step is cheaper read than jumped."""
    joined: list[tuple[int, int]] = []
    for left, right in ranges:
        if joined and left <= joined[-1][1] + _NEAR:
            joined[-1] = (joined[-1][0], max(joined[-1][1], right))
        else:
            joined.append((left, right))
    return joined
