"""A PDQ index that changes while it is searched: codes added and withdrawn at once, merged when there is time.

The bulk stands in a `PdqIndex` that never changes (the base). What was added since stands beside it and is looked
through code by code; what was withdrawn is marked and passed over. `compact` builds a new base out of both, while
searches and changes go on, and then puts it in place in one step. At every moment the hits are those of an index built
anew from what is held (tests/matching/test_live.py).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from safelight.errors import MatchingError
from safelight.matching.arrayfile import open_arrays, write_arrays
from safelight.matching.engines import BruteForce
from safelight.matching.hamming import HIT_LIMIT, MEMORY_LIMIT, PdqIndex, as_words
from safelight.matching.pdq import CODE_BYTES, DISTANCE_THRESHOLD
from safelight.matching.sketch import UNLIMITED

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from safelight.matching.hamming import Codes, Words

    Ids = npt.NDArray[np.uint64]

_KIND = "live pdq index"
_FIRST_CAPACITY = 1024


class LiveHits(NamedTuple):
    """Hits of a batch, sorted by query, distance, id; `truncated` lists the queries of which the limit cut hits."""

    query: npt.NDArray[np.uint32]
    id: Ids
    distance: npt.NDArray[np.uint32]
    truncated: npt.NDArray[np.uint32]


class _Segment:
    """Codes with the ids they were given, and which of them are withdrawn. Grows at the end only."""

    def __init__(self, words: Words, ids: Ids) -> None:
        import numpy as np

        self.size = len(words)
        self.words = words
        self.ids = ids
        self.dead = np.zeros(-(-max(len(words), 1) // 64), np.uint64)
        self.withdrawn = 0
        # Rows by id, so that a withdrawal need not look through all of them; not needed where ids ascend.
        ascending = bool((ids[1:] >= ids[:-1]).all())
        self.order = None if ascending else np.argsort(ids, kind="stable").astype(np.uint32)

    def kill(self, rows: npt.NDArray[np.int64]) -> None:
        import numpy as np

        dead = self.dead.copy()  # a search under way keeps the marks it began with
        np.bitwise_or.at(dead, rows >> 6, np.uint64(1) << (rows & 63).astype(np.uint64))
        self.dead = dead
        self.withdrawn += len(rows)

    def living(self) -> npt.NDArray[np.bool_]:
        import numpy as np

        bits = np.unpackbits(self.dead.view(np.uint8), bitorder="little")[: self.size]
        return np.equal(bits, 0)

    def rows_of(self, ids: Ids) -> npt.NDArray[np.int64]:
        """Living rows that carry one of the ids (sorted, each once)."""
        import numpy as np

        first = np.searchsorted(self.ids, ids, sorter=self.order)
        last = np.searchsorted(self.ids, ids, side="right", sorter=self.order)
        some = np.flatnonzero(last > first)
        rows = np.concatenate([np.arange(0), *(np.arange(first[k], last[k]) for k in some)])
        if self.order is not None:
            rows = self.order[rows].astype(np.int64)
        alive = np.equal((self.dead[rows >> 6] >> (rows & 63).astype(np.uint64)) & np.uint64(1), 0)
        return np.asarray(rows[alive], np.int64)


class _Delta(_Segment):
    """What was added since the base was built: columns with room to grow."""

    def __init__(self) -> None:
        import numpy as np

        super().__init__(np.empty((0, 4), np.uint64), np.zeros(_FIRST_CAPACITY, np.uint64))
        self.columns = np.empty((4, _FIRST_CAPACITY), np.uint64)
        self.dead = np.zeros(_FIRST_CAPACITY // 64, np.uint64)

    def rows_of(self, ids: Ids) -> npt.NDArray[np.int64]:
        import numpy as np

        return np.flatnonzero(np.isin(self.ids[: self.size], ids) & self.living())

    def extend(self, words: Words, ids: Ids) -> None:
        import numpy as np

        need = self.size + len(words)
        if need > len(self.ids):
            capacity = max(need, 2 * len(self.ids)) + 63 & ~63
            columns, new_ids = np.empty((4, capacity), np.uint64), np.empty(capacity, np.uint64)
            dead = np.zeros(capacity // 64, np.uint64)
            columns[:, : self.size], new_ids[: self.size] = self.columns[:, : self.size], self.ids[: self.size]
            dead[: len(self.dead)] = self.dead
            self.columns, self.ids, self.dead = columns, new_ids, dead
        self.columns[:, self.size : need] = words.T
        self.ids[self.size : need] = ids
        self.size = need  # last: a search under way sees the old end

    def codes(self) -> Words:
        import numpy as np

        return np.ascontiguousarray(self.columns[:, : self.size].T)


class LivePdqIndex:
    """Search over PDQ codes that come and go. Safe to search from several threads while one changes it.

    Args:
        codes: (N, 32) uint8 or (N, 4) uint64 to begin with.
        ids: (N,) the number that hits report for each code; it need not be unique (one id may have several codes).
            Left out: 0 to N - 1.
        memory_limit: as for `PdqIndex`.

    Raises:
        MatchingError: wrong type or shape, or not as many ids as codes.
    """

    def __init__(
        self, codes: Codes | None = None, ids: npt.ArrayLike | None = None, *, memory_limit: int = MEMORY_LIMIT
    ) -> None:
        import numpy as np

        words = np.empty((0, 4), np.uint64) if codes is None else as_words(codes)
        self._memory_limit = memory_limit
        self._changing = threading.RLock()
        self._compacting = threading.Lock()
        base = _Segment(words, _ids(np.arange(len(words)) if ids is None else ids, len(words)))
        # One tuple, replaced whole, so that a search never sees half of a change.
        self._state: tuple[PdqIndex, _Segment, _Delta] = (
            PdqIndex(words, memory_limit=memory_limit),
            base,
            _Delta(),
        )

    def __len__(self) -> int:
        _, base, delta = self._state
        return base.size - base.withdrawn + delta.size - delta.withdrawn

    @property
    def pending(self) -> int:
        """Codes added and withdrawn since the last merge; beyond some 100,000 it is time to `compact`."""
        _, base, delta = self._state
        return delta.size + base.withdrawn

    def prepare(self) -> None:
        """Build now what makes single look-ups fast."""
        self._state[0].prepare()

    def add(self, codes: Codes, ids: npt.ArrayLike) -> None:
        """Add codes; the next search finds them.

        Raises:
            MatchingError: wrong type or shape, or not as many ids as codes.
        """
        words = as_words(codes)
        numbers = _ids(ids, len(words))
        with self._changing:
            self._state[2].extend(words, numbers)

    def withdraw(self, ids: npt.ArrayLike) -> int:
        """Withdraw every code of these ids; the next search passes them over. Returns how many codes went."""
        import numpy as np

        wanted = np.unique(np.asarray(ids, np.uint64))
        gone = 0
        with self._changing:
            for segment in self._state[1:]:
                rows = segment.rows_of(wanted)
                if len(rows):
                    segment.kill(rows)
                    gone += len(rows)
        return gone

    def lookup(
        self, code: bytes, threshold: int = DISTANCE_THRESHOLD, limit: int = HIT_LIMIT
    ) -> tuple[list[tuple[int, int]], bool]:
        """(id, distance) of the nearest hits of one code, at most `limit`, and whether there are more.

        Raises:
            MatchingError: the code is not 32 bytes, the threshold is not 0 to 255, or the limit is below 1.
        """
        import numpy as np

        if len(code) != CODE_BYTES:
            raise MatchingError(f"A PDQ code has {CODE_BYTES} bytes, this one has {len(code)}.")
        found = self.query_batch(np.frombuffer(code, np.uint8).reshape(1, CODE_BYTES), threshold, limit=limit)
        return list(zip(found.id.tolist(), found.distance.tolist(), strict=True)), bool(len(found.truncated))

    def query_batch(self, codes: Codes, threshold: int = DISTANCE_THRESHOLD, *, limit: int | None = None) -> LiveHits:
        """Hits of many codes.

        Raises:
            MatchingError: wrong type or shape of codes, a threshold not 0 to 255, or a limit below 1.
        """
        import numpy as np

        queries = as_words(codes)
        index, base, delta = self._state
        old = index.search(queries, threshold, limit=limit, dead=base.dead if base.withdrawn else None)
        parts = [np.stack([old.query, old.distance], axis=1)]
        ids = [base.ids[old.row]]
        size, columns, delta_ids, dead = delta.size, delta.columns, delta.ids, delta.dead
        if size and len(queries):
            new, _ = BruteForce.over(columns, min(size, columns.shape[1])).search(queries, threshold, UNLIMITED, dead)
            parts.append(new[:, [0, 2]])
            ids.append(delta_ids[new[:, 1]])
        pairs, numbers = np.concatenate(parts), np.concatenate(ids)
        order = np.lexsort((numbers, pairs[:, 1], pairs[:, 0]))
        query, distance, numbers = pairs[order, 0], pairs[order, 1], numbers[order]
        truncated = old.truncated
        if limit is not None:
            rank = np.arange(len(query)) - np.searchsorted(query, query)
            truncated = np.union1d(truncated, query[rank >= limit]).astype(np.uint32)
            query, distance, numbers = query[rank < limit], distance[rank < limit], numbers[rank < limit]
        return LiveHits(query, numbers, distance, truncated)

    def compact(self) -> None:
        """Merge what was added and withdrawn into a new base. Run it in a thread: searches and changes go on.

        Takes about a second a million codes, and for its time the memory of a second index.
        """
        import numpy as np

        with self._compacting:
            with self._changing:
                _, base, delta = self._state
                merged = delta.size
                base_lives, delta_lives = base.living(), delta.living()
                added, added_ids = delta.codes(), delta.ids[:merged].copy()
            words = np.concatenate([base.words[base_lives], added[delta_lives]])
            ids = np.concatenate([base.ids[base_lives], added_ids[delta_lives]])
            index = PdqIndex(words, memory_limit=self._memory_limit)
            index.prepare()
            new_base, new_delta = _Segment(words, ids), _Delta()
            with self._changing:
                # What happened meanwhile: withdrawals of what was merged, and additions after it.
                gone = np.concatenate([~base.living()[base_lives], ~delta.living()[:merged][delta_lives]])
                if gone.any():
                    new_base.kill(np.flatnonzero(gone))
                late = delta.living()[merged:]
                new_delta.extend(delta.codes()[merged:][late], delta.ids[merged : delta.size][late])
                self._state = (index, new_base, new_delta)

    def save(self, path: Path) -> None:
        """Write what is held (codes and ids, without partitions) to one file, atomically.

        Raises:
            MatchingError: the file cannot be written.
        """
        import numpy as np

        with self._changing:
            _, base, delta = self._state
            arrays: dict[str, npt.NDArray[Any]] = {
                "words": np.concatenate([base.words[base.living()], delta.codes()[delta.living()]]),
                "ids": np.concatenate([base.ids[base.living()], delta.ids[: delta.size][delta.living()]]),
            }
        write_arrays(path, _KIND, {}, arrays)

    @classmethod
    def open(cls, path: Path, *, verify: bool = True, memory_limit: int = MEMORY_LIMIT) -> LivePdqIndex:
        """Open what `save` wrote.

        Raises:
            MatchingError: not such a file, cut short, or changed.
        """
        _, arrays = open_arrays(path, _KIND, verify=verify)
        if set(arrays) != {"words", "ids"}:
            raise MatchingError(f"{path} lacks its codes or ids.", fix="Build the index again from the lists.")
        return cls(arrays["words"], arrays["ids"], memory_limit=memory_limit)


def _ids(ids: npt.ArrayLike, count: int) -> Ids:
    import numpy as np

    numbers = np.array(ids, np.uint64).reshape(-1)
    if len(numbers) != count:
        raise MatchingError(f"{count} codes came with {len(numbers)} ids.", fix="Give each code its id.")
    return numbers
