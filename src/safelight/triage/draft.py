"""The listing of a device as it grows: on disk, in columns; in memory only what it is ordered by.

A device may have more files than fit into memory as records, and the order in which they are read is known only when
the last is listed. So the listing goes to a file as it comes, some forty bytes of each file stay, and the file is
written anew in that order.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from safelight.triage.device_reader import WINDOW
from safelight.triage.model import FileEntry
from safelight.triage.plain import lie_in_order, lies_in_order
from safelight.triage.rows import GROUP, LISTING, RowWriter, batch_of, text, unwritable

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Marks = npt.NDArray[np.bool_]

_BUCKET = 5 * GROUP
_LARGEST = (1 << 63) - 1
_READABLE, _SPARSE, _LIVE, _PASSED = 1, 2, 4, 8
_OVERWRITTEN, _NAMES, _NOTES = (LISTING.get_field_index(n) for n in ("overwritten", "names", "notes"))


@dataclass(frozen=True, slots=True)
class Layout:
    """The ordered listing, as far as a plan is cut by it: one value for each file, in the order of reading.

    Attributes:
        offsets: where the file begins on the media; meaningless where it has no place.
        sizes: bytes.
        stored: whether it is to be read at all: readable, and not all holes.
        passed: how many files, the first ones, the pass over the media takes.
    """

    offsets: Numbers
    sizes: Numbers
    stored: Marks
    passed: int


class Draft:
    """The files of a device, as they are listed.

    Args:
        path: where they are kept meanwhile.
        media_size: bytes of the media.

    Raises:
        EvidenceError: the file cannot be written.
    """

    def __init__(self, path: Path, media_size: int) -> None:
        self._path = path
        self._media = media_size
        self._rows: list[FileEntry] = []
        self._starts = [0]  # The first row of each batch in the file.
        self._first, self._size, self._address = array("q"), array("q"), array("q")
        self._system = array("i")
        self._marks = array("B")
        # Where files lie, for the question which deleted ones share bytes with live ones: row, start, size.
        self._places: dict[int, tuple[array[int], array[int]]] = {}
        self._more: dict[tuple[int, str], tuple[list[str], list[str]]] = {}
        try:
            self._sink = pa.OSFile(str(path), "wb")
            self._writer = pa.ipc.new_file(self._sink, LISTING)
        except OSError as error:
            raise unwritable(path, error) from None

    def __len__(self) -> int:
        return len(self._first)

    def add(self, entries: Sequence[FileEntry]) -> None:
        """More files.

        Raises:
            EvidenceError: they cannot be written.
        """
        for e in entries:
            row = len(self._first)
            extents = e.extents
            self._first.append(_near(extents[0].offset) if extents else -1)
            self._size.append(_near(e.size))
            self._address.append(_near(e.address or 0))
            self._system.append(e.filesystem)
            passed = e.readable and e.size and not e.sparse and lies_in_order(e, self._media, WINDOW)
            self._marks.append(
                _READABLE * e.readable | _SPARSE * e.sparse | _LIVE * e.allocated | _PASSED * bool(passed)
            )
            live, gone = self._places.setdefault(e.filesystem, (array("q"), array("q")))
            for x in extents:
                if not e.allocated:
                    gone.extend((row, _near(x.offset), _near(x.offset + x.size)))
                elif x.size:
                    live.extend((_near(x.offset), _near(x.offset + x.size)))
            self._rows.append(e)
        if len(self._rows) >= GROUP:
            self._flush()

    def add_columns(self, batch: pa.RecordBatch) -> None:
        """More files, as columns of `rows.LISTING`.

        Raises:
            EvidenceError: they cannot be written.
        """
        if not batch.num_rows:
            return
        row = len(self._first)
        numbers = {n: batch.column(n).to_numpy(zero_copy_only=False) for n in ("size", "filesystem")}
        readable, sparse, live = (
            batch.column(n).to_numpy(zero_copy_only=False) for n in ("readable", "sparse", "allocated")
        )
        starts = np.asarray(batch.column("extent_offsets").offsets)
        starts = starts - starts[0]
        offset = batch.column("extent_offsets").flatten().to_numpy()
        length = batch.column("extent_sizes").flatten().to_numpy()
        counts = np.diff(starts)
        first = np.full(batch.num_rows, -1, np.int64)
        first[counts > 0] = offset[starts[:-1][counts > 0]]
        passed = readable & ~sparse & (numbers["size"] > 0)
        passed &= lie_in_order(numbers["size"], offset, length, starts, self._media, WINDOW)
        self._first.frombytes(first.tobytes())
        self._size.frombytes(numbers["size"].astype(np.int64).tobytes())
        self._address.frombytes(batch.column("address").fill_null(0).to_numpy().astype(np.int64).tobytes())
        self._system.frombytes(numbers["filesystem"].astype(np.int32).tobytes())
        marks = _READABLE * readable + _SPARSE * sparse + _LIVE * live + _PASSED * passed
        self._marks.frombytes(marks.astype(np.uint8).tobytes())
        taken, gone = self._places.setdefault(int(numbers["filesystem"][0]), (array("q"), array("q")))
        owner = np.repeat(np.arange(batch.num_rows), counts)
        ends = np.minimum(offset, _LARGEST - length) + length
        mine = live[owner] & (length != 0)
        taken.frombytes(np.stack([offset[mine], ends[mine]], 1).tobytes())
        lost = ~live[owner]
        gone.frombytes(np.stack([row + owner[lost], offset[lost], ends[lost]], 1).tobytes())
        self._flush()
        self._write_batch(batch)

    def amend(self, filesystem: int, names: Mapping[str, list[str]], notes: Mapping[str, list[str]]) -> None:
        """More names and notes of readable files, by locator, which were known only when all were listed."""
        for locator in {*names, *notes}:
            self._more[filesystem, locator] = (list(names.get(locator, ())), list(notes.get(locator, ())))

    def _flush(self) -> None:
        if not self._rows:
            return
        batch = batch_of(self._rows)
        self._rows.clear()
        self._write_batch(batch)

    def _write_batch(self, batch: pa.RecordBatch) -> None:
        self._starts.append(self._starts[-1] + batch.num_rows)
        try:
            self._writer.write_batch(batch)
        except OSError as error:
            raise unwritable(self._path, error) from None

    def write(self, path: Path) -> Layout:
        """Write the listing in the order of reading, and throw the draft away.

        First comes what one pass over the media takes, by first byte on the media, then the rest; files without a
        known place (small ones inside their record, folders) at the end.

        Raises:
            EvidenceError: `path` cannot be written.
        """
        try:
            self._flush()
            self._writer.close()
            self._sink.close()
            with pa.memory_map(str(self._path)) as source, pa.ipc.open_file(source) as reader:
                return self._write(reader, path)
        except OSError as error:
            raise unwritable(self._path, error) from None
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._path.unlink(missing_ok=True)

    def _write(self, reader: pa.ipc.RecordBatchFileReader, path: Path) -> Layout:
        order, marks = self._order(reader)
        gone = self._overwritten()
        writer = RowWriter(path, LISTING)
        with ExitStack() as undo:
            undo.callback(writer.abandon)
            for at in range(0, len(order), _BUCKET):
                rows = order[at : at + _BUCKET]
                table = self._amended(self._picked(reader, rows, LISTING.names))
                taken = pc.or_(table.column("overwritten"), pa.array(gone[rows]))
                table = table.set_column(_OVERWRITTEN, LISTING.field(_OVERWRITTEN), taken)
                for batch in table.to_batches(max_chunksize=GROUP):
                    writer.add_batch(batch)
            undo.pop_all()
        writer.close()
        first, sizes = np.frombuffer(self._first, np.int64), np.frombuffer(self._size, np.int64)
        stored = (marks & _READABLE).astype(bool) & ~(marks & _SPARSE).astype(bool)
        return Layout(first[order], sizes[order], stored[order], int((marks & _PASSED).astype(bool).sum()))

    def _order(self, reader: pa.ipc.RecordBatchFileReader) -> tuple[Numbers, npt.NDArray[np.uint8]]:
        first = np.frombuffer(self._first, np.int64)
        address, system = np.frombuffer(self._address, np.int64), np.frombuffer(self._system, np.int32)
        marks = np.frombuffer(self._marks, np.uint8)
        placed = np.where(first < 0, 0, first)
        keys = (address, system, placed, first < 0, (marks & _PASSED) == 0)
        order = np.lexsort(keys).astype(np.int64)
        # What lies at the same place under the same number (streams of one file, files of a folder) goes by its path.
        same = np.ones(max(len(order) - 1, 0), np.bool_)
        for key in keys:
            same &= key[order[1:]] == key[order[:-1]]
        tied = np.flatnonzero(np.concatenate([same, [False]]) | np.concatenate([[False], same]))
        if len(tied):
            rows = order[tied]
            table = self._picked(reader, rows, ["path"])
            table = table.append_column("row", pa.array(rows))
            table = table.append_column("run", pa.array(np.cumsum(np.concatenate([[False], ~same]))[tied]))
            by = [("run", "ascending"), ("path", "ascending"), ("row", "ascending")]
            order[tied] = rows[pc.sort_indices(table, sort_keys=by).to_numpy()]
        return order, marks

    def _picked(self, reader: pa.ipc.RecordBatchFileReader, rows: Numbers, columns: list[str]) -> pa.Table:
        """Columns of the given rows of the draft, in the given order."""
        ascending = np.argsort(rows, kind="stable")
        wanted = rows[ascending]
        which = np.searchsorted(self._starts, wanted, "right") - 1
        parts = []
        for piece in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(which)) + 1):
            number = int(which[piece[0]])
            batch = reader.get_batch(number).select(columns)
            parts.append(batch.take(pa.array(wanted[piece] - self._starts[number])))
        back = np.empty_like(ascending)
        back[ascending] = np.arange(len(rows))
        return pa.Table.from_batches(parts).combine_chunks().take(pa.array(back))

    def _overwritten(self) -> Marks:
        """Which deleted files share bytes with live ones of the same file system."""
        found = np.zeros(len(self), np.bool_)
        for live, gone in self._places.values():
            taken, lost = np.frombuffer(live, np.int64).reshape(-1, 2), np.frombuffer(gone, np.int64).reshape(-1, 3)
            if not len(taken) or not len(lost):
                continue
            taken = taken[np.lexsort((taken[:, 1], taken[:, 0]))]
            # Live extents do not overlap each other, so only the last one that begins before the end can reach in.
            at = np.searchsorted(taken[:, 0], lost[:, 2]) - 1
            reached = (at >= 0) & (taken[np.maximum(at, 0), 1] > lost[:, 1])
            found[lost[reached, 0]] = True
        return found

    def _amended(self, table: pa.Table) -> pa.Table:
        if not self._more:
            return table
        known = pc.is_in(table.column("locator"), value_set=pa.array({locator for _, locator in self._more}))
        wanted = pc.and_(known, table.column("readable"))
        rows = np.flatnonzero(wanted.to_numpy(zero_copy_only=False)).tolist()
        if not rows:
            return table
        some = table.take(rows)
        names, notes = table.column("names").to_pylist(), table.column("notes").to_pylist()
        pairs = zip(rows, some.column("filesystem").to_pylist(), some.column("locator").to_pylist(), strict=True)
        for row, filesystem, locator in pairs:
            more, also = self._more.get((filesystem, locator), ((), ()))
            names[row], notes[row] = [*names[row], *map(text, more)], [*notes[row], *map(text, also)]
        table = table.set_column(_NAMES, LISTING.field(_NAMES), pa.array(names, LISTING.field(_NAMES).type))
        return table.set_column(_NOTES, LISTING.field(_NOTES), pa.array(notes, LISTING.field(_NOTES).type))


def _near(value: int) -> int:
    """Within 63 bits: what a damaged record claims beyond them lies on no media."""
    return min(max(value, -_LARGEST), _LARGEST)
