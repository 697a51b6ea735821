"""Names in the folders of ext as letters in one array, without an object for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from safelight.triage.evidence._ext_kernel import paths
from safelight.triage.evidence.filesystem import clean_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safelight.triage.evidence.ext_tables import Marks, Numbers, Octets


@dataclass(frozen=True, slots=True)
class Files:
    """Regular files that names led to: their inodes, and their paths as letters with a begin and end for each."""

    number: Numbers
    used: Marks
    rows: Octets
    letters: Octets
    ends: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Names:
    """Names in the blocks of one folder."""

    data: Octets
    place: Numbers
    size: Numbers
    above: str

    def path(self, row: int) -> str:
        """The path of one."""
        name = clean_name(self.data[self.place[row] : self.place[row] + self.size[row]].tobytes())
        return f"{self.above}/{name}" if self.above else name

    def paths(self, rows: Numbers) -> tuple[Octets, NDArray[np.int32]]:
        """The paths of many, one behind another, and where each begins and ends."""
        prefix = np.frombuffer(f"{self.above}/".encode() if self.above else b"", np.uint8)
        place, size, ends = self.place[rows], self.size[rows], np.empty(len(rows) + 1, np.int32)
        letters = np.empty(int(size.sum()) + len(prefix) * len(rows), np.uint8)
        if not paths(prefix, self.data, place, size, letters, ends):
            # Names that need care: other than plain letters.
            shown = [self.path(row).encode() for row in rows.tolist()]
            ends = bounds_of(np.array([len(path) for path in shown]))
            letters = np.frombuffer(b"".join(shown), np.uint8)
        return letters, ends


def bounds_of(sizes: NDArray[Any]) -> NDArray[np.int32]:
    """Where each of some stretches of these sizes begins and ends, one behind another."""
    found = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=found[1:])
    return found


def once(data: Octets, number: Numbers, place: Numbers, size: Numbers, live: Marks) -> Numbers:
    """Which names stand for themselves: of the same name for the same inode only the first, live if one of them is.

    `live` is set accordingly. Only the remains of deleted entries repeat others.
    """
    everything = np.arange(len(number))
    if live.all():
        return everything
    values, counts = np.unique(number, return_counts=True)
    again = np.isin(number, values[counts > 1])
    dropped = []
    first: dict[tuple[int, bytes], int] = {}
    for row in np.flatnonzero(again).tolist():
        key = int(number[row]), data[place[row] : place[row] + size[row]].tobytes()
        earlier = first.setdefault(key, row)
        if earlier != row:
            live[earlier] |= live[row]
            dropped.append(row)
    return np.delete(everything, dropped)
