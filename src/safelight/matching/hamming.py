"""Exact Hamming search over PDQ codes: every code within the threshold is found, none is missed.

`PdqIndex` is the face; behind it stands a method chosen by the number of codes and of questions
(`safelight.matching.engines`). Every method returns the same hits as brute force does (tests/matching/test_hamming.py,
thresholds 0 to 63). A list with thousands of near-duplicates of one picture would make single look-ups slow: `lookup`
takes a limit, and says so when it cuts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from safelight.errors import MatchingError
from safelight.matching.engines import SearchEngine, SketchSearch, choose_engine
from safelight.matching.pdq import CODE_BYTES, DISTANCE_THRESHOLD
from safelight.matching.sketch import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]
    Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint64]

_WORDS = CODE_BYTES // 8
_KIND = "pdq index"
_MAX_CODES = (1 << 32) - 1
#: Hits of one look-up, unless the caller asks for another number.
HIT_LIMIT = 100
#: What codes and partitions of one index may take: some 14 million codes with partitions.
MEMORY_LIMIT = 4 << 30


class BatchHits(NamedTuple):
    """Hits of a batch, sorted by query, then distance, then row; three arrays of equal length.

    `truncated` lists the queries of which only the limit's number of hits is here (none without a limit).
    """

    query: npt.NDArray[np.uint32]
    row: npt.NDArray[np.uint32]
    distance: npt.NDArray[np.uint32]
    truncated: npt.NDArray[np.uint32]


class Lookup(NamedTuple):
    """Hits of one code.

    Attributes:
        hits: (row, distance), nearest first.
        truncated: there are more hits than the limit; a person is told so.
        complete_to: every hit within so many bits is here; the threshold unless truncated, -1 if not even all equal
            codes are here.
    """

    hits: list[tuple[int, int]]
    truncated: bool
    complete_to: int


class PdqIndex:
    """Search over PDQ codes.

    Args:
        codes: (N, 32) uint8 or (N, 4) uint64 (the same bytes seen as words). The row number is what hits report.
        memory_limit: bytes that the index may take; see `safelight.matching.engines.SketchSearch`.

    Raises:
        MatchingError: any other type or shape.
    """

    def __init__(self, codes: Codes, *, memory_limit: int = MEMORY_LIMIT) -> None:
        words = as_words(codes)
        if len(words) > _MAX_CODES:
            raise MatchingError(f"A PDQ index holds at most {_MAX_CODES} codes.", fix="Split the list into shards.")
        self._size = int(words.shape[0])
        self.made_of = ""  # the root of the hash set it was made of, where it was opened from that set's folder
        self._engine: SearchEngine = choose_engine(words, memory_limit)

    def __len__(self) -> int:
        return self._size

    def prepare(self) -> None:
        """Build now what makes single look-ups fast, as a service does at its start: a second for a million codes."""
        self._engine.prepare()

    def query(self, code: bytes, threshold: int = DISTANCE_THRESHOLD) -> list[tuple[int, int]]:
        """All (row, distance) within `threshold` bits of one code, nearest first, however many there are.

        Raises:
            MatchingError: the code is not 32 bytes, or the threshold is not 0 to 255.
        """
        return self.lookup(code, threshold, UNLIMITED).hits

    def lookup(self, code: bytes, threshold: int = DISTANCE_THRESHOLD, limit: int = HIT_LIMIT) -> Lookup:
        """The nearest hits of one code, at most `limit`, in a time that a large cluster cannot blow up.

        Raises:
            MatchingError: the code is not 32 bytes, the threshold is not 0 to 255, or the limit is below 1.
        """
        return self._lookup(_one(code), _checked(threshold), limit, None)

    def stream(self, code: bytes, threshold: int = DISTANCE_THRESHOLD) -> Iterator[tuple[int, int]]:
        """All (row, distance) of one code, nearest first; wider circles are searched only if they are asked for.

        Raises:
            MatchingError: as `lookup`.
        """
        query, done = _one(code), -1
        for reach in [*_circles(_checked(threshold)), threshold]:
            for row, distance in self._lookup(query, reach, UNLIMITED, None).hits:
                if distance > done:
                    yield row, distance
            done = reach

    def query_batch(self, codes: Codes, threshold: int = DISTANCE_THRESHOLD, *, limit: int | None = None) -> BatchHits:
        """All hits of many codes in one sweep over the index, much faster than one by one.

        Args:
            limit: at most so many hits for each code, the nearest; None is all.

        Raises:
            MatchingError: wrong type or shape of codes, a threshold not 0 to 255, or a limit below 1.
        """
        return self.search(as_words(codes), threshold, limit=limit)

    def search(
        self, queries: Words, threshold: int, *, limit: int | None = None, dead: Words | None = None
    ) -> BatchHits:
        """As `query_batch`, over words; `dead` is a bit set of rows to pass over."""
        import numpy as np

        most = _most(UNLIMITED if limit is None else limit)
        if not queries.flags.writeable:  # a read-only array is another type to the compiled kernels
            queries = queries.copy()
        if not self._size or not len(queries):
            _checked(threshold)
            return _sorted(np.empty((0, 3), np.uint32), [])
        hits, used = self._engine.search(queries, _checked(threshold), most, dead)
        if limit is None:
            return _sorted(hits, [])
        cut = np.flatnonzero(used >= most)
        if not len(cut):
            return _sorted(hits, [])
        # The few that were cut are looked up one by one, so that what is kept are the nearest.
        parts = [hits[(used < most)[hits[:, 0]]]]
        for query in cut.tolist():
            kept = self._lookup(queries[query : query + 1], threshold, limit, dead).hits
            parts.append(np.array([(query, row, distance) for row, distance in kept], np.uint32).reshape(-1, 3))
        return _sorted(np.concatenate(parts), cut.tolist())

    def _lookup(self, query: Words, threshold: int, limit: int, dead: Words | None) -> Lookup:
        most = _most(limit)
        if not self._size:
            return Lookup([], False, threshold)
        hits, _ = self._engine.search(query, threshold, most, dead)
        if len(hits) < most:
            return Lookup(_pairs(hits), False, threshold)
        # Too many. The nearest matter most: narrow the circle until it holds no more than the limit, keep that whole,
        # and fill up from what was seen first.
        for reach in reversed(_circles(threshold)):
            nearer, _ = self._engine.search(query, reach, most, dead)
            if len(nearer) < most:
                inside = _pairs(nearer)
                rest = [pair for pair in _pairs(hits) if pair[1] > reach]
                return Lookup((inside + rest)[:limit], True, reach)
            hits = nearer
        return Lookup(_pairs(hits)[:limit], True, -1)

    def save(self, path: Path) -> None:
        """Write the index, partitions included where they are built, to one file, atomically.

        Raises:
            MatchingError: the file cannot be written, or the index is too small to need one.
        """
        from safelight.matching.arrayfile import write_arrays

        engine = self._engine
        if not isinstance(engine, SketchSearch):
            raise MatchingError(
                f"An index of {self._size} codes is rebuilt faster than it is read.", fix="Keep the codes instead."
            )
        meta = {"codes": self._size, "permutation": 1}
        write_arrays(path, _KIND, meta, {"words": engine.sketch.words, **engine.sketch.arrays()})

    @classmethod
    def open(cls, path: Path, *, verify: bool = True, memory_limit: int = MEMORY_LIMIT) -> PdqIndex:
        """Memory-map a saved index.

        Args:
            verify: read it through once and check every byte; without, only the header and the shapes are checked.

        Raises:
            MatchingError: not an index, cut short, changed, or of another version.
        """
        from safelight.matching.arrayfile import open_arrays

        meta, arrays = open_arrays(path, _KIND, verify=verify)
        words = arrays.get("words")
        if words is None or words.shape != (meta.get("codes"), _WORDS) or meta.get("permutation") != 1:
            raise MatchingError(f"{path} does not fit together.", fix="Build the index again from the list.")
        index = cls.__new__(cls)
        index._size = len(words)
        index.made_of = str(meta.get("made_of", ""))
        engine = SketchSearch.of_permuted(words, memory_limit)
        if "starts" in arrays:
            parts = [arrays[name] for name in ("starts", "ids", "blocks") if name in arrays]
            if len(parts) < 3 or not engine.sketch.adopt(*parts):
                raise MatchingError(f"{path} does not fit together.", fix="Build the index again from the list.")
        index._engine = engine
        return index


def write_index(path: Path, codes: Codes, *, made_of: str = "") -> None:
    """Write the index of these codes, partitions included, to one file that `PdqIndex.open` maps.

    Takes 288 bytes of disk a code, and of memory beside the codes 48 bytes a code: one partition at a time is built
    and written. The file appears whole or not at all.

    Args:
        made_of: the root of the hash set that the codes belong to, if any.

    Raises:
        MatchingError: wrong type or shape of the codes, or the file cannot be written.
    """
    from safelight.matching.arrayfile import reserve_arrays
    from safelight.matching.sketch import Sketch, permute, shapes_of

    words = permute(as_words(codes))
    meta = {"codes": len(words), "permutation": 1, "made_of": made_of}
    with reserve_arrays(path, _KIND, meta, {"words": ("<u8", words.shape), **shapes_of(len(words))}) as target:
        target.append("words", words)
        for starts, ids, blocks in Sketch(words, keep=False).built():
            target.append("starts", starts)
            target.append("ids", ids)
            target.append("blocks", blocks)


def as_words(codes: Codes) -> Words:
    """(N, 4) uint64 of codes given as bytes or words.

    Raises:
        MatchingError: any other type or shape.
    """
    import numpy as np

    if isinstance(codes, np.ndarray) and codes.ndim == 2:
        if codes.dtype == np.uint64 and codes.shape[1] == _WORDS:
            return np.ascontiguousarray(codes.astype(np.uint64, copy=False))
        if codes.dtype == np.uint8 and codes.shape[1] == CODE_BYTES:
            return np.ascontiguousarray(codes).view(np.uint64)
    shape = getattr(codes, "shape", type(codes).__name__)
    raise MatchingError(
        f"PDQ codes must be (N, 32) uint8 or (N, 4) uint64, but got {shape} {getattr(codes, 'dtype', '')}."
    )


def _one(code: bytes) -> Words:
    import numpy as np

    if len(code) != CODE_BYTES:
        raise MatchingError(f"A PDQ code has {CODE_BYTES} bytes, this one has {len(code)}.")
    return np.frombuffer(bytearray(code), np.uint64).reshape(1, _WORDS)  # writable, as the kernels were compiled for


def _checked(threshold: int) -> int:
    if not 0 <= threshold <= 255:
        raise MatchingError(f"A PDQ threshold lies between 0 and 255 bits, not {threshold}.")
    return threshold


def _most(limit: int) -> int:
    if limit < 1:
        raise MatchingError(f"A look-up needs room for at least one hit, not {limit}.")
    return limit + 1  # one more tells whether the limit cuts


def _circles(threshold: int) -> list[int]:
    """Narrower thresholds to try, the narrowest first: multiples of 16 less 1 cost least, and 0 is the equal code."""
    return [reach for reach in (0, 7, 15) if reach < threshold]


def _pairs(hits: npt.NDArray[np.uint32]) -> list[tuple[int, int]]:
    return sorted(((row, distance) for _, row, distance in hits.tolist()), key=lambda hit: (hit[1], hit[0]))


def _sorted(hits: npt.NDArray[np.uint32], truncated: list[int]) -> BatchHits:
    import numpy as np

    hits = hits[np.lexsort((hits[:, 1], hits[:, 2], hits[:, 0]))]
    return BatchHits(hits[:, 0], hits[:, 1], hits[:, 2], np.array(truncated, np.uint32))
