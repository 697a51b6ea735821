"""Build an exact index of any number of digests in bounded memory: an external sort in two passes over the disk.

The first pass deals the stream into 256 heaps by the first byte; the second sorts one heap after the other into the
index file. Memory holds one heap (N / 256 digests when they are spread as digests are) and one piece of the stream.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.errors import MatchingError
from safelight.matching.arrayfile import reserve_arrays
from safelight.matching.digests import KIND, digest_size, prefixes_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt

_HEAPS = 256
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
        with tempfile.TemporaryDirectory(prefix=".heaps-", dir=scratch or path.parent) as folder:
            counts = _deal(Path(folder), pieces, algorithm, size)
            _collect(path, algorithm, size, Path(folder), counts)
    except OSError as error:
        raise MatchingError(
            f"{path} cannot be built: {error.strerror}.", fix="Free space, or name a scratch folder with room."
        ) from error
    return sum(counts)


def _record(size: int) -> npt.DTypeLike:
    import numpy as np

    return np.dtype([("digest", np.uint8, (size,)), ("row", "<u4")])


def _deal(
    folder: Path,
    pieces: Iterable[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]],
    algorithm: str,
    size: int,
) -> list[int]:
    import numpy as np

    counts = [0] * _HEAPS
    files = [(folder / f"{heap:03}").open("wb") for heap in range(_HEAPS)]
    try:
        for digests, rows in pieces:
            if digests.ndim != 2 or digests.shape[1] != size or digests.dtype != np.uint8 or len(rows) != len(digests):
                raise MatchingError(f"{algorithm} digests must be (K, {size}) uint8 with K rows, got {digests.shape}.")
            if sum(counts) + len(digests) > _MAX_DIGESTS:
                raise MatchingError(f"An index holds at most {_MAX_DIGESTS} digests.", fix="Split the list.")
            records = np.empty(len(digests), _record(size))
            records["digest"], records["row"] = digests, rows
            heap = digests[:, 0]
            records = records[np.argsort(heap, kind="stable")]
            ends = np.cumsum(np.bincount(heap, minlength=_HEAPS))
            for number in np.unique(heap).tolist():
                start = int(ends[number - 1]) if number else 0
                files[number].write(records[start : ends[number]].data)
                counts[number] += int(ends[number]) - start
    finally:
        for file in files:
            file.close()
    return counts


def _collect(path: Path, algorithm: str, size: int, folder: Path, counts: list[int]) -> None:
    import numpy as np

    n = sum(counts)
    bits = max(8, min(_DIRECTORY_BITS, n.bit_length() - 2))
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        "digests": ("|u1", (n, size)),
        "rows": ("<u4", (n,)),
        "order": ("<u4", (0,)),  # the digests stand in the order of their prefixes
        "prefixes": ("<u8", (n,)),
        "directory": ("<u4", ((1 << bits) + 1,)),
    }
    with reserve_arrays(path, KIND, {"algorithm": algorithm}, shapes) as target:
        at = 0
        for heap in range(_HEAPS):
            records = np.fromfile(folder / f"{heap:03}", _record(size))
            (folder / f"{heap:03}").unlink()
            prefixes = prefixes_of(np.ascontiguousarray(records["digest"]))
            order = np.argsort(prefixes, kind="stable")
            prefixes = prefixes[order]
            part: dict[str, npt.NDArray[Any]] = {
                "digests": records["digest"][order],
                "rows": records["row"][order],
                "prefixes": prefixes,
            }
            slots = np.arange(1 << (bits - 8), dtype=np.uint64) + np.uint64(heap << (bits - 8))
            starts = at + np.searchsorted(prefixes, slots << np.uint64(64 - bits))
            part["directory"] = starts.astype(np.uint32)
            for name, values in part.items():
                target.append(name, values)
            at += len(records)
        target.append("directory", np.array([n], np.uint32))
