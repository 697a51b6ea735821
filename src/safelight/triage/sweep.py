"""One pass over the media, window by window: each byte is read once, and every digest that needs it is fed.

The files that lie in a window are hashed side by side from the window's own memory; a file that goes on behind the
window keeps its half-made digests until its end comes by. The digest of the whole image and the block scan take the
same bytes. Nothing here parses anything: the pass knows ranges of bytes only.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from safelight.triage.device_reader import WINDOW
from safelight.triage.digests import FileDigest
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.raw import RawEvidence, open_read_only
from safelight.triage.filetypes import HEAD, PICTURES, sniff
from safelight.triage.md5lanes import Md5Streams, lanes_available

if TYPE_CHECKING:
    from safelight.triage.blockscan import BlockScan
    from safelight.triage.md5lanes import Octets

LEAD = 4096
_STEP = 4 << 20
_SHARE = 8 << 20
_POPULATE = 16 << 20
_NEAR = 1 << 16
_POPULATE_READ = 22  # MADV_POPULATE_READ of Linux 5.14; Python 3.11 has no name for it.


Job = Callable[[], object]


@dataclass(slots=True, eq=False)
class _File:
    """A file under way. `pieces` are its places in the buffer for the window at hand."""

    number: int
    extents: Sequence[Sequence[int]]
    size: int
    sha1: Any
    sha256: Any
    md5: Any = None
    state: Any = None
    next: int = 0
    done: int = 0
    type: str = ""
    kept: list[bytes] | None = None
    pieces: list[tuple[int, int]] = field(default_factory=list)


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
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._evidence = evidence
        self._image = {name: hashlib.new(name, usedforsecurity=False) for name in image}
        self._at = 0
        self._scan = scan
        self._want_sha256 = sha256
        self._tick = tick or (lambda done: None)
        self._window = window
        self._lanes = lanes_available() and lanes is not False
        # The bytes of the window at hand, `LEAD` bytes before it first: mapped where that can be, else read in here.
        self._own = np.empty(0, np.uint8)
        self._octets = self._own
        self._view = self._own.data
        # Where a file's scattered pieces are put in a row.
        self._row = np.empty(0, np.uint8)
        self._row_used = 0
        self._origin = LEAD  # Where in it the window begins.
        self._lead = 0
        self._end = 0
        self._open: dict[int, _File] = {}
        self._fd = self._descriptor()

    def _descriptor(self) -> int | None:
        """A raw image in one file is read into the buffer without a copy on the way."""
        e = self._evidence
        if type(e) is RawEvidence and len(e.parts) == 1 and e.parts[0].size == e.size:
            return open_read_only(Path(e.parts[0].path))
        return None

    def close(self) -> None:
        """Give back the descriptor and the threads. Safe to call twice."""
        if self._pool is not None:
            self._pool.shutdown()
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
            files: number and extents ([offset, size], ascending) of the files whose first byte lies in the window.
            keep: keep the bytes of a picture no larger than this.
            whole: take the window for the digest of the media and the block scan too; without it only files are read.
        """
        for number, extents in files:
            size = sum(x[1] for x in extents)
            self._open[number] = _File(
                number,
                extents,
                size,
                hashlib.sha1(usedforsecurity=False),
                hashlib.sha256() if self._want_sha256 else None,
                None if self._lanes else hashlib.md5(usedforsecurity=False),
            )
        whole = whole and (bool(self._image) or self._scan is not None)
        if start != self._end or not whole:
            self._lead = 0
        here = [f for f in self._open.values() if self._cut(f, start, end)]
        dense = whole or 2 * sum(n for f in here for _, n in f.pieces) > end - start
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
        self._read(start, end, here, whole=whole, mapped=mapped is not None)
        yield from self._hash(here, keep, self._whole(start, end) if whole else [])
        self._remember(start, end, whole=whole and mapped is None)
        self._octets, self._view = self._own, self._own.data

    # -- reading -----------------------------------------------------------------------------------------------------

    @staticmethod
    def _cut(file: _File, start: int, end: int) -> bool:
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
            for at in range(0, len(found), _POPULATE):
                size = min(_POPULATE, len(found) - at)
                found.madvise(_POPULATE_READ, at, size)
                self._tick(size)
        except (OSError, ValueError):
            return None
        return found

    def _read(self, start: int, end: int, here: Sequence[_File], *, whole: bool, mapped: bool) -> None:
        if mapped:
            ranges = []
        elif whole:
            if self._scan is not None and start and not self._lead:
                # Blocks that begin before the window and end in it.
                self._lead = min(LEAD, start)
                self._fill(LEAD - self._lead, LEAD, start - LEAD)
            ranges = [(LEAD, LEAD + end - start)]
        else:
            ranges = _joined(sorted((a, a + n) for f in here for a, n in f.pieces))
        for left, right in ranges:
            at = left
            while at < right:
                stop = min(at + _STEP, right)
                self._fill(at, stop, start - LEAD)
                self._tick(stop - at)
                at = stop

    def _whole(self, start: int, end: int) -> list[Job]:
        """What every byte of the window is for."""
        jobs: list[Job] = []
        if self._image and self._at == start:
            view = self._view[self._origin : self._origin + end - start]
            jobs += [partial(each.update, view) for each in self._image.values()]
            self._at = end
        if self._scan is not None:
            lead = self._lead
            seen = self._view[self._origin - lead : self._origin + end - start]
            jobs.append(partial(self._scan.window, seen, start - lead, start))
        return jobs

    def _work(self, jobs: Sequence[Job]) -> None:
        if self._pool is None or len(jobs) < 2:
            for job in jobs:
                job()
            return
        for done in [self._pool.submit(job) for job in jobs]:
            done.result()

    def _fill(self, left: int, right: int, base: int) -> None:
        """Bytes `left` to `right` of the buffer, whose first byte stands for offset `base` of the media."""
        at = left
        if self._fd is not None:
            try:
                while at < right:
                    got = os.preadv(self._fd, [self._view[at:right]], base + at)
                    if not got:
                        break
                    at += got
            except OSError:
                pass  # The evidence's own reading finds out which blocks are bad, and notes them.
        if at < right:
            data = self._evidence.read(base + at, right - at)
            self._view[at : at + len(data)] = data
            self._view[at + len(data) : right] = bytes(right - at - len(data))

    def _remember(self, start: int, end: int, *, whole: bool) -> None:
        if not whole:
            self._end = -1
            return
        self._end = end
        self._lead = min(LEAD, end - start)
        self._view[LEAD - self._lead : LEAD] = bytes(self._view[LEAD + end - start - self._lead : LEAD + end - start])

    # -- hashing -----------------------------------------------------------------------------------------------------

    def _hash(self, here: Sequence[_File], keep: int, jobs: Sequence[Job]) -> Iterator[tuple[int, FileDigest]]:
        """Feed the files' digests: first those whose piece lies in one, then those that must be put in a row."""
        group = [(f, *f.pieces[0]) for f in here if len(f.pieces) == 1]
        yield from self._hash_group(self._octets, group, keep, jobs)
        todo = [f for f in reversed(here) if len(f.pieces) > 1]
        if todo and not self._row.size:
            self._row = np.zeros(self._window + 64, np.uint8)
        while todo:
            # Several rounds only where the pieces do not all fit.
            self._row_used = 0
            group = []
            while todo:
                place = self._in_a_row(todo[-1])
                if place is None:
                    break
                group.append((todo.pop(), *place))
            yield from self._hash_group(self._row, group, keep)

    def _in_a_row(self, file: _File) -> tuple[int, int] | None:
        """The file's pieces of this window, one after the other: where; None when there is no room left."""
        total = sum(n for _, n in file.pieces)
        start = at = -(-self._row_used // 64) * 64
        if start + total > self._row.size:
            return None
        for a, n in file.pieces:
            self._row[at : at + n] = self._octets[a : a + n]
            at += n
        self._row_used = at
        return start, total

    def _hash_group(
        self, octets: Octets, group: Sequence[tuple[_File, int, int]], keep: int, jobs: Sequence[Job] = ()
    ) -> Iterator[tuple[int, FileDigest]]:
        view = octets.data
        md5: list[str] = []
        sums: list[tuple[Any, memoryview]] = []
        for file, start, size in group:
            piece = view[start : start + size]
            sums.append((file.sha1, piece))
            if file.sha256 is not None:
                sums.append((file.sha256, piece))
            if file.done == 0:
                file.type = sniff(bytes(piece[:HEAD]))
                if file.type in PICTURES and file.size <= keep:
                    file.kept = []
            file.done += size
            if file.kept is not None and size < file.size:
                file.kept.append(bytes(piece))
        self._work([*jobs, lambda: md5.extend(self._md5(octets, group)), *_shares(sums)])
        for (file, start, size), digest in zip(group, md5, strict=True):
            if file.done < file.size:
                continue
            del self._open[file.number]
            found = FileDigest(file.size, file.size, digest, file.sha1.hexdigest())
            found.sha256 = file.sha256.hexdigest() if file.sha256 is not None else ""
            found.type = file.type
            if file.kept is not None:
                # A copy is made only now, when it is about to be sent: all pictures of a window are many.
                found.body = b"".join(file.kept) if file.kept else bytes(view[start : start + size])
            yield file.number, found

    def _md5(self, octets: Octets, group: Sequence[tuple[_File, int, int]]) -> list[str]:
        """Digests of the files that are complete, in the place of the others an empty text."""
        if not group:
            return []
        if not self._lanes:
            for file, start, size in group:
                file.md5.update(octets.data[start : start + size])
            return [f.md5.hexdigest() if f.done == f.size else "" for f, _, _ in group]
        streams = Md5Streams(len(group))
        for row, (file, _, _) in enumerate(group):
            if file.state is not None:
                streams.states[row] = file.state
        starts, sizes = [g[1] for g in group], [g[2] for g in group]
        streams.update(octets, range(len(group)), starts, sizes)
        ended = []
        for row, (file, _, _) in enumerate(group):
            if file.done == file.size:
                ended.append(row)
            else:
                file.state = streams.states[row].copy()
        ends, totals = [starts[r] + sizes[r] for r in ended], [group[r][0].size for r in ended]
        digests = [""] * len(group)
        for row, digest in zip(ended, streams.finish(octets, ended, ends, totals), strict=True):
            digests[row] = digest
        return digests


def _shares(sums: Sequence[tuple[Any, memoryview]]) -> list[Job]:
    """Digests to be fed, in shares that are worth a thread's while."""
    jobs: list[Job] = []
    share: list[tuple[Any, memoryview]] = []
    size = 0
    for number, (digest, piece) in enumerate(sums, 1):
        share.append((digest, piece))
        size += len(piece)
        if size >= _SHARE or number == len(sums):
            jobs.append(partial(_feed, share))
            share, size = [], 0
    return jobs


def _feed(share: Sequence[tuple[Any, memoryview]]) -> None:
    for digest, piece in share:
        digest.update(piece)


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges that touch, overlap or lie near each other as one: a short step is cheaper read than jumped."""
    joined: list[tuple[int, int]] = []
    for left, right in ranges:
        if joined and left <= joined[-1][1] + _NEAR:
            joined[-1] = (joined[-1][0], max(joined[-1][1], right))
        else:
            joined.append((left, right))
    return joined
