"""The methods of search behind `PdqIndex`, and the choice among them.

Up to `SMALL` codes every code is looked at: nothing is faster. Beyond, `safelight.matching.sketch` answers. Building
its partitions costs about a microsecond a code, so that they are built when the looking already done has cost as much
(or at once by `prepare`): neither a single question to a large list nor a million questions to it wastes time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from safelight.matching import sketch
from safelight.matching.sketch import UNLIMITED, Sketch

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]
    Counts = npt.NDArray[np.int64]

#: Up to so many codes, a single look-up looks at every code.
SMALL = 200_000
_FIRST_ROOM = 4096
# Measured on one core (docs/matching-benchmarks.md): seconds to compare two codes, and to sort a code into partitions.
_COMPARE_COLUMNS = 1.4e-10
_COMPARE_ROWS = 6e-10
_BUILD_ONE = 1e-6


class Found(NamedTuple):
    """What a method found: (K, 3) uint32 (query, row, distance) in any order, and (M,) hits of each query."""

    hits: npt.NDArray[np.uint32]
    used: Counts


class SearchEngine(Protocol):
    """What `PdqIndex` needs of a method of search."""

    def search(self, queries: Words, threshold: int, most: int = UNLIMITED, dead: Words | None = None) -> Found:
        """Hits within the threshold; queries are (M, 4) uint64 as they came.

        Args:
            most: a query may be left as soon as it has so many hits.
            dead: bit set of rows to pass over.
        """
        ...

    def prepare(self) -> None:
        """Build now what makes later searches fast."""
        ...


class BruteForce:
    """Looks at every code. Needs 32 bytes a code and no preparation; the fastest exact way up to some 200,000 codes."""

    def __init__(self, words: Words) -> None:
        import numpy as np

        self._columns = np.ascontiguousarray(words.T)
        self._size = len(words)

    @classmethod
    def over(cls, columns: Words, size: int) -> BruteForce:
        """Over the first `size` columns of a (4, capacity) array that may grow behind them."""
        engine = cls.__new__(cls)
        engine._columns, engine._size = columns, size
        return engine

    def search(self, queries: Words, threshold: int, most: int = UNLIMITED, dead: Words | None = None) -> Found:
        import numpy as np

        from safelight.matching._hamming_kernel import scan

        bits = _no_bits() if dead is None else dead
        room = _FIRST_ROOM
        while True:
            used = np.zeros(len(queries), np.int64)
            hits = np.empty((room, 3), np.uint32)
            found = int(scan(self._columns, self._size, queries, threshold, most, bits, hits, used))
            if found <= room:
                return Found(hits[:found], used)
            room = found

    def prepare(self) -> None:
        """Nothing to prepare."""


class SketchSearch:
    """Partitions with sketches; see `safelight.matching.sketch`.

    Args:
        words: (N, 4) uint64 as they came; they are kept permuted.
        memory_limit: bytes that codes and partitions may take together. Where the partitions do not fit, a batch builds
            them one at a time and a single look-up looks at every code.
    """

    def __init__(self, words: Words, memory_limit: int) -> None:
        self._use(sketch.permute(words), memory_limit)

    @classmethod
    def of_permuted(cls, permuted: Words, memory_limit: int) -> SketchSearch:
        """Over codes that are permuted already, as they stand in an index file."""
        engine = cls.__new__(cls)
        engine._use(permuted, memory_limit)
        return engine

    def _use(self, permuted: Words, memory_limit: int) -> None:
        fits = len(permuted) * (32 + sketch.BYTES_PER_CODE) + (8 << 20) <= memory_limit
        self.sketch = Sketch(permuted, keep=fits)
        self._spent = 0.0

    def prepare(self) -> None:
        if self.sketch.keep:
            self.sketch.prepare()

    def search(self, queries: Words, threshold: int, most: int = UNLIMITED, dead: Words | None = None) -> Found:
        permuted = sketch.permute(queries)
        bits = _no_bits() if dead is None else dead
        codes, asked = len(self.sketch.words), len(queries)
        scanning, building = codes * asked * _COMPARE_ROWS, codes * _BUILD_ONE
        run: Any = self.sketch.scan
        if threshold <= sketch.WIDEST:
            if self.sketch.keep and not self.sketch.ready and self._spent + scanning > building:
                self.sketch.prepare()
            if self.sketch.ready:
                run = self.sketch.join if asked >= sketch.JOIN_FROM else self.sketch.probe
            elif scanning > building:
                run = self.sketch.join
            else:
                self._spent += scanning
        return Found(*run(permuted, threshold, most, bits))


class Adaptive:
    """For few codes: looks at every code, until a batch comes that pays for partitions."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._brute = BruteForce(words)
        self._sketch: SketchSearch | None = None

    def search(self, queries: Words, threshold: int, most: int = UNLIMITED, dead: Words | None = None) -> Found:
        scanning = len(self._words) * len(queries) * _COMPARE_COLUMNS
        # 16 partitions have 65,536 buckets each to walk through, however few codes there are.
        joining = 0.05 + len(self._words) * _BUILD_ONE * (self._sketch is None) + len(queries) * 4e-6
        if threshold > sketch.WIDEST or scanning < 1.5 * joining:
            return self._brute.search(queries, threshold, most, dead)
        if self._sketch is None:
            self._sketch = SketchSearch(self._words, 1 << 62)
            self._sketch.prepare()
        return self._sketch.search(queries, threshold, most, dead)

    def prepare(self) -> None:
        """Nothing to prepare."""


def choose_engine(words: Words, memory_limit: int) -> SearchEngine:
    """The method for this many codes."""
    return Adaptive(words) if len(words) <= SMALL else SketchSearch(words, memory_limit)


def _no_bits() -> Words:
    import numpy as np

    return np.empty(0, np.uint64)
