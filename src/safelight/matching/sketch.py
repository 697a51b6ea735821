"""Exact Hamming search among millions of PDQ codes: sixteen partitions with sketches, for single look-ups and joins.

After Norouzi, Punjani and Fleet, "Fast Exact Search in Hamming Space with Multi-Index Hashing" (2014): two codes that
differ in few bits agree closely in at least one of their chunks. Real PDQ codes have neighbouring bits that move
together, which would crowd the buckets; a fixed permutation of the 256 bits undoes that and changes no distance.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from safelight.matching.arrayfile import fetch, let_go

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]
    Hits = npt.NDArray[np.uint32]
    Partition = tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.uint32]]

CHUNKS = 16
BUCKETS = 1 << 16
_BLOCK = 48
#: Bytes of partitions for one code: in each of 16 a row number and 96 bits.
BYTES_PER_CODE = CHUNKS * 16
#: Above this threshold the partitions' 96 bits refuse too little, and looking at every code is as fast.
WIDEST = 47
#: From so many queries on, a join beats one look-up after the other.
JOIN_FROM = 4096
_FIRST_ROOM = 4096
UNLIMITED = 1 << 62


class Sketch:
    """Permuted codes with their partitions.

    Args:
        words: (N, 4) uint64, permuted by `permute`.
        keep: whether partitions are kept once built (256 bytes a code); otherwise a join builds one at a time.
    """

    def __init__(self, words: Words, *, keep: bool = True) -> None:
        self.words = words
        self.keep = keep
        self._starts: Any = None
        self._ids: Any = None
        self._blocks: Any = None

    @property
    def ready(self) -> bool:
        """Whether the partitions are there."""
        return self._starts is not None

    def prepare(self) -> None:
        """Build all partitions now."""
        import numpy as np

        if self.ready:
            return
        n = len(self.words)
        starts = np.empty((CHUNKS, BUCKETS + 1), np.uint32)
        ids = np.empty((CHUNKS, n), np.uint32)
        blocks = np.empty((CHUNKS, _room_for(n)), np.uint32)
        for chunk in range(CHUNKS):
            self._build(chunk, starts[chunk], ids[chunk], blocks[chunk])
        self._starts, self._ids, self._blocks = starts, ids, blocks

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The partitions for a file; empty if they are not built."""
        return {"starts": self._starts, "ids": self._ids, "blocks": self._blocks} if self.ready else {}

    def adopt(self, starts: npt.NDArray[Any], ids: npt.NDArray[Any], blocks: npt.NDArray[Any]) -> bool:
        """Take partitions out of a file, if they fit the codes."""
        n = len(self.words)
        fits = (
            starts.shape == (CHUNKS, BUCKETS + 1)
            and ids.shape == (CHUNKS, n)
            and blocks.shape == (CHUNKS, _room_for(n))
            and bool((starts[:, -1] == n).all())
        )
        if fits:
            self._starts, self._ids, self._blocks = starts, ids, blocks
        return fits

    def probe(self, queries: Words, threshold: int, most: int, dead: Words) -> tuple[Hits, npt.NDArray[np.int64]]:
        """Hits of queries looked up one after the other; the partitions must be there.

        Args:
            queries: (M, 4) permuted.
            most: no more hits than this for one query.
            dead: bit set of rows to pass over, or empty.

        Returns:
            (K, 3) (query, row, distance) and (M,) hits of each query.
        """
        import numpy as np

        from safelight.matching import _sketch_kernel as kernel

        masks, sizes = probes()
        used = np.zeros(len(queries), np.int64)
        room = _FIRST_ROOM
        while True:
            hits = np.empty((room, 3), np.uint32)
            found = int(
                kernel.probe(
                    self.words, queries, self._starts.reshape(-1), self._ids.reshape(-1),
                    self._blocks.reshape(-1), sketch_words(), masks, sizes,
                    allowances(threshold), radii(threshold), threshold, most, dead, hits, used,
                )
            )  # fmt: skip
            if found <= room:
                return hits[:found], used
            room = found

    def join(self, queries: Words, threshold: int, most: int, dead: Words) -> tuple[Hits, npt.NDArray[np.int64]]:
        """As `probe`, for many queries: both sides are sorted by chunk and met bucket by bucket."""
        import numpy as np

        from safelight.matching import _sketch_kernel as kernel

        if self.keep:
            self.prepare()
        masks, sizes = probes()
        radius, allowance = radii(threshold), allowances(threshold)
        used = np.zeros(len(queries), np.int64)
        hits = np.empty((max(_FIRST_ROOM, len(queries)), 3), np.uint32)
        found = 0
        q_starts = np.empty(BUCKETS + 1, np.uint32)
        q_ids = np.empty(len(queries), np.uint32)
        halves = queries.view(np.uint32)
        for chunk, (starts, ids, blocks) in self._partitions(radius):
            kernel.sort_queries(_keys(queries, chunk), q_starts, q_ids)
            q_words = np.ascontiguousarray(halves[q_ids][:, sketch_words()[chunk]])
            differences = masks[: sizes[radius[chunk]]]
            nears = allowance[chunk][np.bitwise_count(differences)]
            differences, nears = differences[nears >= 0], nears[nears >= 0].astype(np.uint32)
            before, used_before = found, used.copy()
            while True:
                found = int(
                    kernel.join(
                        self.words, queries, starts, ids, blocks, q_starts, q_ids, q_words,
                        differences, nears, threshold, chunk, radius, most, dead, hits, before, used,
                    )
                )  # fmt: skip
                if found <= len(hits):
                    break
                # No room: make enough for what is known and as much again, and do this partition anew.
                more = np.empty((found + found // 2, 3), np.uint32)
                more[:before] = hits[:before]
                hits, used = more, used_before.copy()
        return hits[:found], used

    def scan(self, queries: Words, threshold: int, most: int, dead: Words) -> tuple[Hits, npt.NDArray[np.int64]]:
        """As `probe`, by looking at every code; needs no partitions."""
        import numpy as np

        from safelight.matching import _sketch_kernel as kernel

        room = _FIRST_ROOM
        while True:
            used = np.zeros(len(queries), np.int64)
            hits = np.empty((room, 3), np.uint32)
            found = int(kernel.scan_rows(self.words, queries, threshold, most, dead, hits, used))
            if found <= room:
                return hits[:found], used
            room = found

    def _build(self, chunk: int, starts: Any, ids: Any, blocks: Any) -> None:
        from safelight.matching import _sketch_kernel as kernel

        kernel.build(
            self.words.view("u4").reshape(-1), _keys(self.words, chunk), starts, ids, blocks, sketch_words()[chunk]
        )

    def built(self) -> Iterator[Partition]:
        """The partitions one after the other, each in the same memory as the one before."""
        import numpy as np

        n = len(self.words)
        part = np.empty(BUCKETS + 1, np.uint32), np.empty(n, np.uint32), np.zeros(_room_for(n), np.uint32)
        for chunk in range(CHUNKS):
            self._build(chunk, *part)
            yield part

    def _partitions(self, radius: npt.NDArray[np.int64]) -> Iterator[tuple[int, Partition]]:
        import numpy as np

        wanted = [chunk for chunk in range(CHUNKS) if radius[chunk] >= 0]
        if self.ready:
            for place, chunk in enumerate(wanted):
                # Partitions of a file are fetched one ahead, and let go once they were met: 256 bytes a code of them
                # must not have to fit into memory.
                for later in wanted[place : place + 2]:
                    fetch(self._ids[later])
                    fetch(self._blocks[later])
                yield chunk, (self._starts[chunk], self._ids[chunk], self._blocks[chunk])
                if not self.keep:
                    let_go(self._ids[chunk])
                    let_go(self._blocks[chunk])
            return
        n = len(self.words)
        part = np.empty(BUCKETS + 1, np.uint32), np.empty(n, np.uint32), np.empty(_room_for(n), np.uint32)
        for chunk in wanted:
            self._build(chunk, *part)
            yield chunk, part


def shapes_of(codes: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Types and shapes of the partitions of so many codes in a file."""
    return {
        "starts": ("<u4", (CHUNKS, BUCKETS + 1)),
        "ids": ("<u4", (CHUNKS, codes)),
        "blocks": ("<u4", (CHUNKS, _room_for(codes))),
    }


@cache
def radii(threshold: int) -> npt.NDArray[np.int64]:
    """(16,) the radius to probe in each chunk; -1 leaves the chunk out. The sum of (radius + 1) is threshold + 1."""
    import numpy as np

    small, wider = divmod(threshold, CHUNKS)
    return np.array([small] * (wider + 1) + [small - 1] * (CHUNKS - 1 - wider), np.int64)


@cache
def allowances(threshold: int) -> npt.NDArray[np.int64]:
    """(16, 17) how many of a partition's 96 bits may differ when so many bits differ in its own chunk.

    The threshold less those bits, and less one more than its radius for each earlier chunk that the 96 bits do not
    cover: had such a chunk fewer differing bits, it would have reported the pair. This refuses nearly every candidate.
    """
    import numpy as np

    radius = radii(threshold)
    out = np.empty((CHUNKS, CHUNKS + 1), np.int64)
    for chunk in range(CHUNKS):
        covered = {2 * word + half for word in sketch_words()[chunk].tolist() for half in (0, 1)}
        elsewhere = sum(int(radius[c]) + 1 for c in range(chunk) if c not in covered)
        out[chunk] = threshold - elsewhere - np.arange(CHUNKS + 1)
    return out


@cache
def probes() -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int64]]:
    """All 16-bit differences by their number of bits, and (17,) how many have at most so many."""
    import numpy as np

    all_words = np.arange(BUCKETS, dtype=np.uint16)
    ones = np.bitwise_count(all_words)
    return all_words[np.argsort(ones, kind="stable")], np.cumsum(np.bincount(ones, minlength=CHUNKS + 1))


@cache
def sketch_words() -> npt.NDArray[np.int64]:
    """(16, 3) which of the eight 32-bit words a partition's blocks hold: never the one its own chunk lies in."""
    import numpy as np

    return np.array([[(chunk // 2 + step) % 8 for step in (1, 2, 3)] for chunk in range(CHUNKS)], np.int64)


def _keys(words: Words, chunk: int) -> npt.NDArray[np.uint16]:
    import numpy as np

    # Little-endian words, so that chunk c is the c-th pair of bytes.
    return np.ascontiguousarray(words.view(np.uint16).reshape(-1, CHUNKS)[:, chunk])


def _room_for(n: int) -> int:
    return -(-n // 16) * _BLOCK


@cache
def _permutation() -> npt.NDArray[np.int64]:
    """Where each of the 256 bits goes: a shuffle by SHA-256, the same in every version and on every machine."""
    import hashlib

    import numpy as np

    # sorted by digest, so that it hangs on no library's random numbers
    ranked = sorted(range(256), key=lambda bit: hashlib.sha256(b"safelight pdq permutation 1 %d" % bit).digest())
    return np.array(ranked, np.int64)


@cache
def _table() -> npt.NDArray[np.uint64]:
    """(32, 256, 4) what each value of each byte contributes to the permuted code."""
    import numpy as np

    values = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    table = np.zeros((32, 256, 256), np.uint8)
    for byte in range(32):
        for bit in range(8):
            table[byte, :, _permutation()[byte * 8 + bit]] = values[:, bit]
    return np.ascontiguousarray(np.packbits(table, axis=2, bitorder="little")).view(np.uint64)


def permute(words: Words) -> Words:
    """(N, 4) uint64 codes with their bits in the fixed other order."""
    import numpy as np

    from safelight.matching._sketch_kernel import permute as kernel

    out = np.empty((len(words), 4), np.uint64)
    kernel(np.ascontiguousarray(words).view(np.uint8).reshape(-1, 32), _table(), out)
    return out


def unpermute(words: Words) -> Words:
    """The codes as they came (slow: for compaction checks and exports, not for searching)."""
    import numpy as np

    bits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8).reshape(-1, 32), axis=1, bitorder="little")
    back = np.packbits(bits[:, _permutation()], axis=1, bitorder="little")
    return np.ascontiguousarray(back).view(np.uint64)
