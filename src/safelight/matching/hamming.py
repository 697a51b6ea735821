"""Exact Hamming search over PDQ codes: every code within the threshold is found, none is missed.

`PdqIndex` is the face; behind it stands a search engine chosen by the number of codes. Every engine must return the
same hits as brute force does (tests/matching/test_hamming.py, thresholds 0 to 63).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from safelight.errors import MatchingError
from safelight.matching.pdq import CODE_BYTES, DISTANCE_THRESHOLD

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]

_WORDS = CODE_BYTES // 8
_FIRST_ROOM = 4096


class BatchHits(NamedTuple):
    """Hits of a batch, sorted by query, then distance, then row; three arrays of equal length."""

    query: npt.NDArray[np.uint32]
    row: npt.NDArray[np.uint32]
    distance: npt.NDArray[np.uint32]


class SearchEngine(Protocol):
    """What `PdqIndex` needs of a method of search."""

    def search(self, queries: Words, threshold: int) -> npt.NDArray[np.uint32]:
        """All (query, row, distance) within the threshold, (K, 3), in any order; queries are (M, 4) uint64."""
        ...


class BruteForce:
    """Looks at every code. Needs 32 bytes a code and no preparation; the fastest exact way up to some 200,000 codes."""

    def __init__(self, words: Words) -> None:
        import numpy as np

        self._columns = np.ascontiguousarray(words.T)

    def search(self, queries: Words, threshold: int) -> npt.NDArray[np.uint32]:
        import numpy as np

        from safelight.matching._hamming_kernel import scan

        room = _FIRST_ROOM
        while True:
            hits = np.empty((room, 3), np.uint32)
            found = int(scan(self._columns, queries, threshold, hits))
            if found <= room:
                return hits[:found]
            room = found


def choose_engine(words: Words) -> SearchEngine:
    """The method for this many codes. Brute force is exact at any size; a faster index for millions goes in here."""
    return BruteForce(words)


class PdqIndex:
    """Search over PDQ codes.

    Args:
        codes: (N, 32) uint8 or (N, 4) uint64 (the same bytes seen as words). The row number is what hits report.

    Raises:
        MatchingError: any other type or shape.
    """

    def __init__(self, codes: npt.NDArray[np.uint8] | npt.NDArray[np.uint64]) -> None:
        words = _as_words(codes)
        self._size = int(words.shape[0])
        self._engine = choose_engine(words)

    def __len__(self) -> int:
        return self._size

    def query(self, code: bytes, threshold: int = DISTANCE_THRESHOLD) -> list[tuple[int, int]]:
        """All (row, distance) within `threshold` bits of one code, nearest first.

        Raises:
            MatchingError: the code is not 32 bytes, or the threshold is not 0 to 255.
        """
        import numpy as np

        if len(code) != CODE_BYTES:
            raise MatchingError(f"A PDQ code has {CODE_BYTES} bytes, this one has {len(code)}.")
        hits = self.query_batch(np.frombuffer(code, np.uint8).reshape(1, CODE_BYTES), threshold)
        return list(zip(hits.row.tolist(), hits.distance.tolist(), strict=True))

    def query_batch(
        self, codes: npt.NDArray[np.uint8] | npt.NDArray[np.uint64], threshold: int = DISTANCE_THRESHOLD
    ) -> BatchHits:
        """All hits of many codes in one sweep over the index, much faster than one by one.

        Raises:
            MatchingError: wrong type or shape of codes, or the threshold is not 0 to 255.
        """
        import numpy as np

        if not 0 <= threshold <= 255:
            raise MatchingError(f"A PDQ threshold lies between 0 and 255 bits, not {threshold}.")
        queries = _as_words(codes)
        if not self._size or not queries.shape[0]:
            empty = np.empty(0, np.uint32)
            return BatchHits(empty, empty, empty)
        hits = self._engine.search(queries, threshold)
        hits = hits[np.lexsort((hits[:, 1], hits[:, 2], hits[:, 0]))]
        return BatchHits(hits[:, 0], hits[:, 1], hits[:, 2])


def _as_words(codes: npt.NDArray[np.uint8] | npt.NDArray[np.uint64]) -> Words:
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
