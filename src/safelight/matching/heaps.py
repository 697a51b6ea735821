"""Sorting more records than memory holds: dealt into 256 heaps on disk by their first byte, sorted heap by heap."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

HEAPS = 256


class Heaps:
    """Records of one type in 256 files of a folder; use it as a context, so that the files are closed.

    Args:
        folder: where the files lie; they are removed as they are read.
        dtype: the type of a record.

    Raises:
        OSError: the disk cannot be written.
    """

    def __init__(self, folder: Path, dtype: npt.DTypeLike) -> None:
        import numpy as np

        self._dtype = np.dtype(dtype)
        self._folder = folder
        self.counts = [0] * HEAPS
        self._files = [self._path(heap).open("wb") for heap in range(HEAPS)]

    def _path(self, heap: int) -> Path:
        return self._folder / f"{heap:03}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()

    def deal(self, first_bytes: npt.NDArray[np.uint8], records: npt.NDArray[Any]) -> None:
        """Put (K,) records on the heaps that their (K,) first bytes name, in their order."""
        import numpy as np

        records = records[np.argsort(first_bytes, kind="stable")]
        ends = np.cumsum(np.bincount(first_bytes, minlength=HEAPS))
        for heap in np.unique(first_bytes).tolist():
            start = int(ends[heap - 1]) if heap else 0
            self._files[heap].write(records[start : ends[heap]].data)
            self.counts[heap] += int(ends[heap]) - start

    def taken(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Each heap's number and records, in the order they were dealt; its file is gone afterwards."""
        import numpy as np

        for file in self._files:
            file.close()
        for heap in range(HEAPS):
            records = np.fromfile(self._path(heap), self._dtype)
            self._path(heap).unlink()
            yield heap, records
