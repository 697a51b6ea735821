"""The digests of the files that lie in one window of the media, fed from the window's own memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from safelight.triage.digests import FileDigest
from safelight.triage.filetypes import HEAD, PICTURES, recognisable, sniff
from safelight.triage.lanes import Digests, Streams, digest_many, lanes_available

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from safelight.triage.lanes import Octets, States

    Rows = npt.NDArray[np.int64]

Job = Callable[[], object]
#: A file that is no smaller than this, and a quarter of all that is hashed with it, has no company in the lanes for
#: most of its length: hashlib is as fast with one file, and with SHA-256 faster.
LONG = 1 << 20
_FEWEST = 8


@dataclass(slots=True, eq=False)
class OpenFile:
    """A file under way. `pieces` are its places (start, size) in the buffer for the window at hand, in order."""

    number: int
    extents: Sequence[Sequence[int]]
    size: int
    next: int = 0
    done: int = 0
    type: str = ""
    kept: list[bytes] | None = None
    pieces: list[tuple[int, int]] = field(default_factory=list)
    #: One of the two, once it has begun.
    hashers: list[Any] | None = None
    state: States | None = None


class Small:
    """Files that lie whole, in one piece, in the window at hand.

    Args:
        rows: int64 (files, 3): number, offset on the media, bytes.
        shift: what must be added to an offset for the place in the buffer.
    """

    def __init__(self, rows: Rows, shift: int) -> None:
        self.numbers, self.sizes = rows[:, 0].tolist(), rows[:, 2].tolist()
        self._starts, self._sizes = rows[:, 1] + shift, rows[:, 2]
        self._digests: list[Digests] = [("", "", "")] * len(rows)

    def hash(self, octets: Octets, first: int, step: int, *, lanes: bool, sha256: bool) -> None:
        """Compute the digests of every `step`th, from the `first` on."""
        starts, sizes = self._starts[first::step], self._sizes[first::step]
        self._digests[first::step] = digest_many(octets, starts, sizes, sha256=sha256, lanes=lanes)

    def found(self, octets: Octets, keep: int) -> Iterator[tuple[int, FileDigest]]:
        """Number and digests of each."""
        view = octets.data
        candidates = recognisable(octets, self._starts, self._sizes).tolist()
        rows = zip(self.numbers, self._starts.tolist(), self.sizes, self._digests, candidates, strict=True)
        for number, start, size, digests, candidate in rows:
            kind = sniff(bytes(view[start : start + min(size, HEAD)])) if candidate else ""
            found = FileDigest(size, size, *digests, kind)
            if kind in PICTURES and size <= keep:
                found.body = bytes(view[start : start + size])
            yield number, found


class Hashing:
    """MD5, SHA-1 and, where it is wanted, SHA-256 of files.

    Args:
        sha256: compute SHA-256 too.
        lanes: use the compiled kernel; when left out, where it can be used.
        threads: how many threads may compute at the same time. All digests let other threads run meanwhile.
    """

    def __init__(self, *, sha256: bool, lanes: bool | None, threads: int) -> None:
        self._sha256 = sha256
        self._lanes = lanes_available() and lanes is not False
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def close(self) -> None:
        """Give back the threads. Safe to call twice."""
        if self._pool is not None:
            self._pool.shutdown()

    def work(self, jobs: Sequence[Job]) -> None:
        """Do all of it, the first first; on several threads where there are some."""
        if self._pool is None or len(jobs) < 2:
            for job in jobs:
                job()
            return
        for done in [self._pool.submit(job) for job in jobs]:
            done.result()

    def small_jobs(self, octets: Octets, group: Small) -> list[Job]:
        """The digests of small files, in as many shares as there are threads."""
        shares = max(1, min(self.threads, len(group.numbers) // _FEWEST))
        return [partial(group.hash, octets, n, shares, lanes=self._lanes, sha256=self._sha256) for n in range(shares)]

    def window(
        self, octets: Octets, here: Sequence[OpenFile], keep: int, jobs: Sequence[Job]
    ) -> Iterator[tuple[OpenFile, FileDigest]]:
        """Feed the digests of the files `here`, do `jobs` meanwhile, and give the files that are complete now.

        Args:
            octets: the bytes of the window.
            keep: keep the bytes of a picture no larger than this.
        """
        view = octets.data
        for file in here:
            start, size = file.pieces[0]
            if file.done == 0:
                file.type = sniff(bytes(view[start : start + min(size, HEAD)]))
                if file.type in PICTURES and file.size <= keep:
                    file.kept = []
            file.done += size if len(file.pieces) == 1 else sum(n for _, n in file.pieces)
            if file.kept is not None and (file.done < file.size or file.kept or len(file.pieces) > 1):
                file.kept += [bytes(view[a : a + n]) for a, n in file.pieces]
        digests: dict[int, Digests] = {}
        self.work([*self._jobs(octets, here, digests), *jobs])
        for file in here:
            if file.done < file.size:
                continue
            if file.hashers is not None:
                digests[file.number] = (*(each.hexdigest() for each in file.hashers), *([] if self._sha256 else [""]))
            found = FileDigest(file.size, file.size, *digests[file.number], file.type)
            if file.kept is not None:
                # A copy is made only now, when it is about to be sent: all pictures of a window are many.
                start = file.pieces[0][0]
                found.body = b"".join(file.kept) if file.kept else bytes(view[start : start + file.size])
            yield file, found

    def _jobs(self, octets: Octets, here: Sequence[OpenFile], digests: dict[int, Digests]) -> list[Job]:
        jobs: list[Job] = []
        together = []
        large = max(LONG, sum(n for file in here for _, n in file.pieces) // 4)
        for file in here:
            if file.state is None and file.hashers is None and (not self._lanes or file.size >= large):
                file.hashers = [hashlib.new(name, usedforsecurity=False) for name in ("md5", "sha1")]
                if self._sha256:
                    file.hashers.append(hashlib.sha256())
            if file.hashers is None:
                together.append(file)
            elif file.size >= LONG:
                jobs += [partial(_feed, octets, file, [one]) for one in file.hashers]
        alone = [f for f in here if f.hashers is not None and f.size < LONG]
        jobs.append(partial(self._one_by_one, octets, alone))
        # The longest first, dealt out like cards, so that all shares take about as long.
        together.sort(key=lambda file: -file.size)
        shares = max(1, min(self.threads, len(together) // _FEWEST))
        jobs += [partial(self._side_by_side, octets, together[n::shares], digests) for n in range(shares)]
        return jobs

    @staticmethod
    def _one_by_one(octets: Octets, some: Sequence[OpenFile]) -> None:
        for file in some:
            _feed(octets, file, file.hashers or ())

    def _side_by_side(self, octets: Octets, some: Sequence[OpenFile], digests: dict[int, Digests]) -> None:
        streams = Streams(len(some), sha256=self._sha256)
        for row, file in enumerate(some):
            if file.state is not None:
                streams.states[row] = file.state
        pieces = [piece for file in some for piece in file.pieces]
        streams.update(
            octets, range(len(some)), [a for a, _ in pieces], [n for _, n in pieces], [len(f.pieces) for f in some]
        )
        ended = [row for row, file in enumerate(some) if file.done == file.size]
        ends = [sum(some[row].pieces[-1]) for row in ended]
        found = streams.finish(octets, ended, ends, [some[row].size for row in ended])
        digests.update(zip((some[row].number for row in ended), found, strict=True))
        if len(ended) < len(some):
            for row, file in enumerate(some):
                if file.done < file.size:
                    file.state = streams.states[row].copy()


def _feed(octets: Octets, file: OpenFile, hashers: Sequence[Any]) -> None:
    view = octets.data
    for start, size in file.pieces:
        for each in hashers:
            each.update(view[start : start + size])
