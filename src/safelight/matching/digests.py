"""Exact look-up of MD5, SHA-1 and SHA-256 among very many: sorted 8-byte prefixes, each hit confirmed in full.

In memory stand the prefixes and a directory into them (some 9 bytes a digest); the full digests and the row numbers are
touched only for a prefix that is there, and may therefore stay memory-mapped on disk.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.errors import MatchingError
from safelight.matching.arrayfile import open_arrays, write_arrays
from safelight.matching.hashtext import SIZES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

ALGORITHMS = ("md5", "sha1", "sha256")
KIND = "digest index"
_ARRAYS = ("digests", "rows", "order", "prefixes", "directory")
_MAX_DIRECTORY_BITS = 24
_PLACES, _NEIGHBOURS = 8, 8


class DigestIndex:
    """Digests of one algorithm and the row each belongs to. The same digest may stand in several rows.

    Build one with `build`, reopen one with `open`; `arrays` are its parts for a file that holds more than the index.
    """

    def __init__(self, algorithm: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.algorithm = algorithm
        self.arrays = {name: arrays[name] for name in _ARRAYS}
        self._digests: npt.NDArray[np.uint8] = arrays["digests"]
        self._rows: npt.NDArray[np.uint32] = arrays["rows"]
        self._order: npt.NDArray[np.uint32] = arrays["order"]
        self._prefixes: npt.NDArray[np.uint64] = arrays["prefixes"]
        self._directory: npt.NDArray[np.uint32] = arrays["directory"]
        self._shift = 64 - (len(self._directory) - 1).bit_length() + 1
        n = len(self._digests)
        consistent = (
            self._digests.ndim == 2
            and self._digests.shape[1] == digest_size(algorithm)
            and len(self._rows) == len(self._prefixes) == n
            and len(self._order) in (0, n)
            and int(self._directory[-1]) == n
        )
        if not consistent:
            raise MatchingError(f"The {algorithm} index does not fit together.", fix="Import the list again.")

    @classmethod
    def build(
        cls, algorithm: str, digests: npt.NDArray[np.uint8], rows: npt.NDArray[np.uint32] | None = None
    ) -> DigestIndex:
        """Sort digests into an index.

        Args:
            algorithm: md5, sha1 or sha256.
            digests: (N, 16 | 20 | 32) uint8, N < 2^32.
            rows: the number to report for each digest; its position if left out.

        Raises:
            MatchingError: an unknown algorithm or digests of another length.
        """
        import numpy as np

        size = digest_size(algorithm)
        if digests.ndim != 2 or digests.shape[1] != size or digests.dtype != np.uint8:
            raise MatchingError(f"{algorithm} digests must be (N, {size}) uint8, but got {digests.shape}.")
        n = len(digests)
        digests = np.ascontiguousarray(digests)
        prefixes = prefixes_of(digests)
        order = np.argsort(prefixes, kind="stable").astype(np.uint32)
        prefixes = prefixes[order]
        bits = max(1, min(_MAX_DIRECTORY_BITS, n.bit_length() - 2))  # at most 2 bytes a digest
        starts = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
        directory = np.append(np.searchsorted(prefixes, starts), n).astype(np.uint32)
        if rows is None:
            rows = np.arange(n, dtype=np.uint32)
        parts: dict[str, npt.NDArray[Any]] = {
            "digests": digests,
            "rows": rows,
            "order": order,
            "prefixes": prefixes,
            "directory": directory,
        }
        return cls(algorithm, parts)

    def __len__(self) -> int:
        return len(self._digests)

    def lookup(self, digest: bytes) -> list[int]:
        """Rows of the entries that carry this digest, ascending; empty if none does.

        Raises:
            MatchingError: the digest has the wrong length.
        """
        import numpy as np

        size = self._digests.shape[1]
        if len(digest) != size:
            raise MatchingError(f"A {self.algorithm} digest has {size} bytes, this one has {len(digest)}.")
        if not len(self):
            return []
        prefix = int.from_bytes(digest[:8])
        slot = prefix >> self._shift
        lo, hi = int(self._directory[slot]), int(self._directory[slot + 1])
        at = lo + int(np.searchsorted(self._prefixes[lo:hi], np.uint64(prefix)))
        rows = []
        while at < hi and int(self._prefixes[at]) == prefix:
            position = int(self._order[at]) if len(self._order) else at
            if self._digests[position].tobytes() == digest:
                rows.append(int(self._rows[position]))
            at += 1
        return sorted(rows)

    def lookup_batch(self, digests: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
        """Look up many at once.

        Args:
            digests: (M, size) uint8.

        Returns:
            Two arrays of equal length: which query, and which row. Sorted by query, then row.

        Raises:
            MatchingError: digests of another shape.
        """
        import numpy as np

        from safelight.matching._digest_kernel import confirm, find

        size = self._digests.shape[1]
        if digests.ndim != 2 or digests.shape[1] != size or digests.dtype != np.uint8:
            raise MatchingError(f"{self.algorithm} digests must be (M, {size}) uint8, but got {digests.shape}.")
        if not len(self) or not len(digests):
            return np.empty(0, np.int64), np.empty(0, np.uint32)
        digests = np.require(digests, requirements=["C", "W"])  # read-only is another type to the compiled kernels
        wanted = prefixes_of(digests)
        first = np.empty(len(wanted), np.uint32)
        count = np.empty(len(wanted), np.uint32)
        find(self._prefixes, self._directory, self._shift, wanted, first, count)
        candidates = int(count.sum(dtype=np.int64))
        query, rows = np.empty(candidates, np.int64), np.empty(candidates, np.uint32)
        found = confirm(self._digests, self._rows, self._order, digests, first, count, query, rows)
        return query[:found], rows[:found]

    def save(self, path: Path) -> None:
        """Write the index to one file, atomically.

        Raises:
            MatchingError: the file cannot be written.
        """
        write_arrays(path, KIND, {"algorithm": self.algorithm}, self.arrays)

    @classmethod
    def open(cls, path: Path, *, verify: bool = True) -> DigestIndex:
        """Memory-map an index.

        Args:
            verify: read it through once and check every byte. Without, opening takes milliseconds at any size: the
                header, the shapes and a sample of entries are checked, and `verify` can do the rest at a quiet time.

        Raises:
            MatchingError: not an index, cut short, or changed.
        """
        meta, arrays = open_arrays(path, KIND, verify=verify)
        try:
            index = cls(meta["algorithm"], arrays)
        except KeyError as error:
            raise MatchingError(f"{path} lacks parts of an index ({error}).", fix="Import the list again.") from error
        if not verify:
            index._check_sample(path)
        return index

    @staticmethod
    def verify(path: Path) -> None:
        """Check every byte of an index file against its checksums.

        Raises:
            MatchingError: not an index, cut short, or changed.
        """
        open_arrays(path, KIND, verify=True)

    def _check_sample(self, path: Path) -> None:
        import numpy as np

        n = len(self)
        if not n:
            return
        # Neighbours share pages: from a disk, eight places are read far sooner than sixty-four.
        places = np.linspace(0, max(n - _NEIGHBOURS, 0), _PLACES).astype(np.int64)
        at = np.unique(places[:, None] + np.arange(min(n, _NEIGHBOURS)))
        position = self._order[at].astype(np.int64) if len(self._order) else at
        prefixes = self._prefixes[at]
        slots = (prefixes >> np.uint64(self._shift)).astype(np.int64)
        sound = (
            bool((position < n).all())
            and bool((prefixes_of(self._digests[position]) == prefixes).all())
            and bool((prefixes[1:] >= prefixes[:-1]).all())
            and bool(((self._directory[slots] <= at) & (at < self._directory[slots + 1])).all())
        )
        if not sound:
            raise MatchingError(f"{path} fails a sample of its entries.", fix="Import the list again.")


def digest_size(algorithm: str) -> int:
    """Bytes of one digest."""
    if algorithm not in ALGORITHMS:
        raise MatchingError(f"No exact digest is called {algorithm!r}.", fix=f"Use one of {', '.join(ALGORITHMS)}.")
    return SIZES[algorithm]


def prefixes_of(digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each digest as a number that sorts as the digests do."""
    import numpy as np

    return np.ascontiguousarray(digests[:, :8]).view(">u8").ravel().astype(np.uint64)
