"""Build an exact index of any number of digests in bounded memory: an external sort in two passes over the disk.

The first pass deals the stream into 256 heaps by the first byte; the second sorts one heap after the other into the
index file. Memory holds one heap (N / 256 digests when they are spread as digests are) and one piece of the stream.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from safelight.errors import MatchingError
from safelight.matching.arrayfile import ReservedArrays, reserve_arrays
from safelight.matching.digests import KIND, digest_size, prefixes_of
from safelight.matching.heaps import Heaps

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt

_DIRECTORY_BITS = 24
_MAX_DIGESTS = (1 << 32) - 1


def build_digest_file(
    path: Path,
    algorithm: str,
    pieces: Iterable[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]],
    *,
    scratch: Path | None = None,
) -> int:
    """Write a digest index that `DigestIndex.open` reads, from a stream.

    Args:
        path: the index file; it appears whole or not at all.
        algorithm: md5, sha1 or sha256.
        pieces: ((K, size) uint8 digests, (K,) uint32 rows) a piece; a million at a time is a good size.
        scratch: a folder with room for the digests once more (20 bytes each for MD5); beside `path` if left out.

    Returns:
        How many digests the index holds.

    Raises:
        MatchingError: malformed pieces, too many digests, or a disk that cannot be written.
    """
    size = digest_size(algorithm)
    try:
        with (
            tempfile.TemporaryDirectory(prefix=".heaps-", dir=scratch or path.parent) as folder,
            Heaps(Path(folder), _record(size)) as heaps,
        ):
            _deal(heaps, pieces, algorithm, size)
            _collect(path, algorithm, size, heaps)
    except OSError as error:
        raise MatchingError(
            f"{path} cannot be built: {error.strerror}.", fix="Free space, or name a scratch folder with room."
        ) from error
    return sum(heaps.counts)


def _record(size: int) -> npt.DTypeLike:
    import numpy as np

    return np.dtype([("digest", np.uint8, (size,)), ("row", "<u4")])


def _deal(
    heaps: Heaps,
    pieces: Iterable[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]],
    algorithm: str,
    size: int,
) -> None:
    import numpy as np

    for digests, rows in pieces:
        if digests.ndim != 2 or digests.shape[1] != size or digests.dtype != np.uint8 or len(rows) != len(digests):
            raise MatchingError(f"{algorithm} digests must be (K, {size}) uint8 with K rows, got {digests.shape}.")
        if sum(heaps.counts) + len(digests) > _MAX_DIGESTS:
            raise MatchingError(f"An index holds at most {_MAX_DIGESTS} digests.", fix="Split the list.")
        records = np.empty(len(digests), _record(size))
        records["digest"], records["row"] = digests, rows
        heaps.deal(digests[:, 0], records)


def _collect(path: Path, algorithm: str, size: int, heaps: Heaps) -> None:
    import numpy as np

    n = sum(heaps.counts)
    bits = directory_bits(n)
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        "digests": ("|u1", (n, size)),
        "rows": ("<u4", (n,)),
        "order": ("<u4", (0,)),  # the digests stand in the order of their prefixes
        "prefixes": ("<u8", (n,)),
        "directory": ("<u4", ((1 << bits) + 1,)),
    }
    with reserve_arrays(path, KIND, {"algorithm": algorithm}, shapes) as target:
        at = 0
        for heap, records in heaps.taken():
            prefixes = prefixes_of(np.ascontiguousarray(records["digest"]))
            order = np.argsort(prefixes, kind="stable")
            target.append("digests", records["digest"][order])
            target.append("rows", records["row"][order])
            append_sorted(target, "", prefixes[order], heap, bits, at)
            at += len(records)
        target.append("directory", np.array([n], np.uint32))


def directory_bits(count: int) -> int:
    """Bits of the directory over so many digests: at most 2 bytes a digest, and one heap is at least one slot."""
    return max(8, min(_DIRECTORY_BITS, count.bit_length() - 2))


def append_sorted(
    target: ReservedArrays, name: str, prefixes: npt.NDArray[np.uint64], heap: int, bits: int, before: int
) -> None:
    """Write one heap's sorted prefixes and its part of the directory; `name` stands before the arrays' names."""
    import numpy as np

    slots = np.arange(1 << (bits - 8), dtype=np.uint64) + np.uint64(heap << (bits - 8))
    starts = before + np.searchsorted(prefixes, slots << np.uint64(64 - bits))
    target.append(f"{name}prefixes", prefixes)
    target.append(f"{name}directory", starts.astype(np.uint32))
