"""The master file table of an NTFS volume, read as a whole: a million records a second instead of a call for each.

`read_table` reads `$MFT` in batches through the evidence and keeps columns; nothing of it follows pointers between
records. What a record holds that the columns cannot say (an attribute list, several streams or names, compression,
encryption) is marked complex, and the caller asks The Sleuth Kit about that record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from safelight.triage.evidence._mft_kernel import (
    COMPLEX,
    DAMAGED,
    EXTENSION,
    FOLDER,
    HAS_DATA,
    IN_USE,
    RESIDENT,
    VALID,
    records,
    slack_names,
)
from safelight.triage.evidence.filesystem import MAX_DEPTH, clean_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safelight.triage.evidence.base import Evidence

__all__ = [
    "COMPLEX",
    "DAMAGED",
    "EXTENSION",
    "FOLDER",
    "HAS_DATA",
    "IN_USE",
    "RESIDENT",
    "VALID",
    "Table",
    "read_table",
]

_BATCH = 4 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TO_1970 = 116_444_736_000_000_000
_TO_2200 = (datetime(2200, 1, 1, tzinfo=UTC) - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
_PARENT = 0xFFFFFFFFFFFF
ROOT = 5
MOST_SLACK = 4096


@dataclass
class Table:
    """Columns over all records, in the order of their numbers.

    `numbers` and `times` are as `_mft_kernel.records` gives them, with places in `names` and runs counted over the
    whole table; `lcn` and `length` are the runs: first cluster (-1: not stored) and clusters.
    """

    numbers: NDArray[np.int64]
    times: NDArray[np.int64]
    names: bytes
    lcn: NDArray[np.int64]
    length: NDArray[np.int64]
    others: dict[int, list[tuple[int, str]]]
    """Further names of a record: (parent reference, name)."""

    def __len__(self) -> int:
        return len(self.numbers)

    def has(self, bits: int) -> NDArray[np.bool_]:
        """Which records have all of these bits."""
        found: NDArray[np.bool_] = (self.numbers[:, 0] & bits) == bits
        return found

    def name(self, record: int) -> str | None:
        """The name of a record, fit for a report; None where it has none."""
        at, size = self.numbers[record, 4], self.numbers[record, 5]
        return as_name(self.names[at : at + size]) if size else None

    def runs_of(self, records: NDArray[np.int64]) -> tuple[int, list[tuple[int, int]]]:
        """The runs of neighbouring records, and how many runs of the table lie before them."""
        rows = self.numbers[records]
        rows = rows[rows[:, 9] > 0]
        if not len(rows):
            return 0, []
        first, last = int(rows[:, 8].min()), int((rows[:, 8] + rows[:, 9]).max())
        return first, list(zip(self.lcn[first:last].tolist(), self.length[first:last].tolist(), strict=True))

    def names_of(self, records: NDArray[np.int64]) -> list[str | None]:
        """The names of many records, in one go where no name needs care."""
        places = self.numbers[records, 4:6]
        if not len(places):
            return []
        first, last = int(places[:, 0].min()), int(places.sum(axis=1).max())
        raw = self.names[first:last]
        letters = np.frombuffer(raw, "<u2")
        if not ((letters & 0xF800) == 0xD800).any():
            text = raw.decode("utf-16-le")
            if text.isprintable() and "/" not in text:
                starts = ((places[:, 0] - first) // 2).tolist()
                return [
                    text[at : at + size] or None for at, size in zip(starts, (places[:, 1] // 2).tolist(), strict=True)
                ]
        return [as_name(self.names[at : at + size]) if size else None for at, size in places.tolist()]


def as_name(raw: bytes) -> str:
    """A UTF-16 name as text fit for a report; halves of surrogate pairs are shown as escapes."""
    try:
        text = raw.decode("utf-16-le")
    except UnicodeDecodeError:
        return clean_name(raw.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass"))
    return text if text.isprintable() and "/" not in text else clean_name(text)


def read_table(
    evidence: Evidence, runs: Sequence[tuple[int, int]], record_size: int, *, alive: Callable[[bool], None]
) -> Table:
    """Read `$MFT`.

    Args:
        evidence: the media.
        runs: where the table lies: (offset on the media, bytes), in order.
        record_size: bytes of a record.
        alive: called now and then, so that a watcher knows that this goes on.
    """
    parts: list[tuple[Any, ...]] = []
    further: dict[int, list[tuple[int, str]]] = {}
    name_base = run_base = done = 0
    for piece in _pieces(evidence, runs, record_size):
        alive(False)
        count = len(piece) // record_size
        numbers, times = np.empty((count, 12), np.int64), np.empty((count, 4), np.int64)
        names, others = np.empty(count * 512, np.uint8), np.empty((count, 4), np.int64)
        lcn, length = np.empty(count * (record_size // 4), np.int64), np.empty(count * (record_size // 4), np.int64)
        name_end, more, run_end = records(piece, record_size, numbers, times, names, others, lcn, length)
        for record, parent, at, size in others[:more].tolist():
            further.setdefault(done + record, []).append((parent, as_name(names[at : at + size].tobytes())))
        done += count
        numbers[:, 4] += name_base
        numbers[:, 8] += run_base
        numbers[:, 10] += run_base
        name_base += int(name_end)
        run_base += int(run_end)
        parts.append((numbers, times, names[:name_end].tobytes(), lcn[:run_end].copy(), length[:run_end].copy()))
    if not parts:
        none = np.empty(0, np.int64)
        return Table(none.reshape(0, 12), none.reshape(0, 4), b"", none, none, {})
    columns = list(zip(*parts, strict=True))
    numbers, times, lcn, length = (np.concatenate(columns[i]) for i in (0, 1, 3, 4))
    return Table(numbers, times, b"".join(columns[2]), lcn, length, further)


def warm_up() -> None:
    """Compile the kernels on an empty record and block, so that the first volume does not wait for it."""
    empty, few = np.zeros(1024, np.uint8), np.zeros((1, 4), np.int64)
    numbers, runs = np.zeros((1, 12), np.int64), np.zeros(8, np.int64)
    records(empty, 1024, numbers, few, empty.copy(), few.copy(), runs, runs.copy())
    slack_names(empty, 1024, 5, numbers, np.frombuffer(b"\0", np.uint8), np.zeros((1, 3), np.int64), empty.copy())


def _pieces(evidence: Evidence, runs: Sequence[tuple[int, int]], record_size: int) -> Iterable[NDArray[np.uint8]]:
    """The table in batches of whole records, however its runs are cut. What cannot be read comes as zeros."""
    left = b""
    for offset, size in runs:
        done = 0
        while done < size:
            wanted = min(_BATCH, size - done)
            got = evidence.read(offset + done, wanted)
            block = bytearray(left + got if left else got)
            block.extend(bytes(wanted - len(got)))
            done += wanted
            whole = len(block) // record_size * record_size
            left = bytes(block[whole:])
            if whole:
                yield np.frombuffer(block, np.uint8, whole)


def moments(times: NDArray[np.int64]) -> list[list[datetime | None]]:
    """Times of many records: created, written, changed, accessed; None where not recorded or impossible."""
    values, place = np.unique(times, return_inverse=True)
    good = (values >= _TO_1970 + 10_000_000) & (values < _TO_2200)
    micro = ((values - _TO_1970) // 10).tolist()
    whens = [_EPOCH + timedelta(microseconds=n) if fine else None for n, fine in zip(micro, good.tolist(), strict=True)]
    rows: Any = np.reshape(place, times.shape).tolist()
    return [[whens[i] for i in row] for row in rows]


class Paths:
    """Where records lie: their folders by the parent references, which carry the sequence the folder had then."""

    def __init__(self, table: Table, orphans: str) -> None:
        self._table = table
        self._orphans = orphans
        self._known: dict[int, str | None] = {}
        self._open: set[int] = set()

    def folder(self, reference: int) -> str | None:
        """The path of the folder that a parent reference means; None where that folder is gone."""
        try:
            return self._known[reference]
        except KeyError:
            path = self._known[reference] = self._find(reference)
            return path

    def _find(self, reference: int) -> str | None:
        record, sequence = reference & _PARENT, (reference >> 48) & 0xFFFF
        table = self._table
        if record == ROOT:
            return ""
        # A folder inside itself, or nested deeper than anyone can open, ends here.
        if record >= len(table) or record in self._open or len(self._open) > MAX_DEPTH:
            return None
        bits, now, _, parent = table.numbers[record, :4].tolist()
        if not bits & VALID or not bits & FOLDER or bits & EXTENSION:
            return None
        # A deleted record's sequence has moved on by one.
        since = (now - sequence) & 0xFFFF
        if since and (bits & IN_USE or since != 1):
            return None
        name = table.name(record)
        if name is None:
            return None
        self._open.add(record)
        path = self.under(parent, name)[0]
        self._open.discard(record)
        return path

    def of(self, record: int) -> tuple[str, bool]:
        """The path of a record, and whether its folder is known."""
        name = self._table.name(record)
        parent = int(self._table.numbers[record, 3])
        return self.under(parent, name) if name else self.nameless(record)

    def nameless(self, record: int) -> tuple[str, bool]:
        """Where a record without a name is listed."""
        return f"{self._orphans}/OrphanFile-{record}", False

    def under(self, parent: int, name: str) -> tuple[str, bool]:
        """The path of a name under the folder that a parent reference means, and whether that folder is known."""
        above = self.folder(parent)
        if above is None:
            return f"{self._orphans}/{name}", False
        return (f"{above}/{name}" if above else name), True


def slack(
    evidence: Evidence,
    table: Table,
    volume: tuple[int, int],
    cluster: int,
    block: int,
    *,
    alive: Callable[[bool], None],
) -> Iterable[tuple[int, int, str]]:
    """Names of deleted files in the free part of folders' indexes: (folder's record, file reference, name).

    Never reads more than the volume holds, whatever its folders claim.

    Args:
        evidence: the media.
        table: the master file table.
        volume: where the volume begins on the media, and its bytes.
        cluster: bytes of a cluster.
        block: bytes of an index block.
        alive: called now and then.
    """
    found, names = np.empty((MOST_SLACK, 3), np.int64), np.empty(MOST_SLACK * 64, np.uint8)
    known = np.frombuffer(table.names, np.uint8)
    begin, budget = volume[0], volume[1]
    folders = np.flatnonzero(table.has(VALID | FOLDER) & (table.numbers[:, 11] > 0))
    for folder in folders.tolist():
        alive(False)
        first, count = int(table.numbers[folder, 10]), int(table.numbers[folder, 11])
        for lcn, length in zip(
            table.lcn[first : first + count].tolist(), table.length[first : first + count].tolist(), strict=True
        ):
            at, left = begin + lcn * cluster, length * cluster if lcn >= 0 else 0
            while left > 0 and at < evidence.size and budget > 0:
                alive(False)
                size = min(left, 1 << 20)
                blocks = np.frombuffer(bytearray(evidence.read(at, size)), np.uint8)
                number = slack_names(blocks, block, folder, table.numbers, known, found, names)
                for reference, place, long in found[:number].tolist():
                    yield folder, reference, as_name(names[place : place + long].tobytes())
                at += size
                left -= size
                budget -= size
