"""Files as columns: listings and read files go to disk as Parquet, so that memory does not grow with the device.

One schema serves the listing of a plan, the records of a chunk and the manifest of a run: a listing leaves the columns
of reading empty.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from safelight.errors import EvidenceError
from safelight.triage.model import Extent, FileEntry, FileRecord, FrameHash, Times
from safelight.triage.packing import moment_of

_TIME = pa.timestamp("us", tz="UTC")
_TEXTS = pa.list_(pa.string())
_LARGEST = (1 << 63) - 1

#: What is known of a file before it is read (see `FileEntry`).
LISTING = pa.schema(
    [
        ("filesystem", pa.int32()), ("path", pa.string()), ("size", pa.int64()), ("locator", pa.string()),
        ("address", pa.int64()), ("allocated", pa.bool_()), ("readable", pa.bool_()), ("sparse", pa.bool_()),
        ("overwritten", pa.bool_()), ("created", _TIME), ("written", _TIME), ("accessed", _TIME), ("changed", _TIME),
        ("extent_offsets", pa.list_(pa.int64())), ("extent_sizes", pa.list_(pa.int64())), ("names", _TEXTS),
        ("notes", _TEXTS), ("origin", pa.string()),
    ]
)  # fmt: skip
#: A file after it was read (see `FileRecord`).
RECORDS = pa.schema(
    [
        *LISTING,
        ("bytes_read", pa.int64()), ("complete", pa.bool_()), ("md5", pa.string()), ("sha1", pa.string()),
        ("sha256", pa.string()), ("type", pa.string()), ("picture", pa.bool_()), ("width", pa.int64()),
        ("height", pa.int64()), ("pdq", pa.string()), ("quality", pa.int32()), ("mode", pa.string()),
        ("duplicate", pa.bool_()), ("problems", _TEXTS), ("frame_seconds", pa.list_(pa.float64())),
        ("frame_pdq", _TEXTS), ("frame_quality", pa.list_(pa.int32())),
    ]
)  # fmt: skip
#: Rows that are made to columns, written and read at a time.
GROUP = 20_000


def _entry_row(e: FileEntry) -> tuple[Any, ...]:
    t = e.times
    return (
        e.filesystem, text(e.path), _number(e.size), text(e.locator),
        _number(e.address), e.allocated, e.readable, e.sparse, e.overwritten, t.created, t.written, t.accessed,
        t.changed, [_number(x.offset) for x in e.extents], [_number(x.size) for x in e.extents],
        [text(n) for n in e.names], [text(n) for n in e.notes], e.origin,
    )  # fmt: skip


def _record_row(r: FileRecord) -> tuple[Any, ...]:
    return (
        *_entry_row(r.entry), _number(r.bytes_read), r.complete, r.md5, r.sha1, r.sha256, r.type, r.picture,
        _number(r.width), _number(r.height), r.pdq, r.quality, r.mode, r.duplicate, [text(p) for p in r.problems],
        [f.seconds for f in r.frames], [f.pdq for f in r.frames], [f.quality for f in r.frames],
    )  # fmt: skip


def _number(value: int | None) -> int | None:
    """Sizes beyond 63 bits are a damaged record's; no media holds them, and no column."""
    return None if value is None else min(max(value, -_LARGEST), _LARGEST)


def text(value: str) -> str:
    """Text that a column takes: half characters are shown as escapes."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")


def _in_columns(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def batch_of(entries: Sequence[FileEntry]) -> pa.RecordBatch:
    """Entries (at least one) as columns of `LISTING`."""
    return _in_columns([_entry_row(e) for e in entries], LISTING)


class RowWriter:
    """Writes a Parquet file as rows come, under a draft's name until `close`.

    Args:
        path: where it goes.
        schema: `LISTING` (rows are `FileEntry`) or `RECORDS` (rows are `FileRecord`).

    Raises:
        EvidenceError: it cannot be written.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        self._draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
        self._rows: list[tuple[Any, ...]] = []
        self.count = 0
        try:
            self._writer = pq.ParquetWriter(self._draft, schema, compression="zstd", compression_level=1)
        except OSError as error:
            raise unwritable(path, error) from None

    def add(self, row: FileEntry | FileRecord) -> None:
        """One more row."""
        self._rows.append(_record_row(row) if isinstance(row, FileRecord) else _entry_row(row))
        self.count += 1
        if len(self._rows) >= GROUP:
            self._flush()

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Rows that are columns already."""
        self._flush()
        self._write(batch)
        self.count += batch.num_rows

    def _flush(self) -> None:
        if not self._rows:
            return
        batch = _in_columns(self._rows, self._schema)
        self._rows.clear()
        self._write(batch)

    def _write(self, batch: pa.RecordBatch) -> None:
        try:
            self._writer.write_batch(batch)
        except OSError as error:
            raise unwritable(self._path, error) from None

    def close(self) -> None:
        """The file is whole and has its name now, and a loss of power leaves it so."""
        self._flush()
        try:
            self._writer.close()
            settle(self._draft, self._path)
        except OSError as error:
            raise unwritable(self._path, error) from None

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._writer.close()
        self._draft.unlink(missing_ok=True)


def settle(draft: Path, path: Path) -> None:
    """Give a finished draft its name, on the disk itself and not in memory only."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(draft, path)


def unwritable(path: Path, error: OSError) -> EvidenceError:
    """What to say of a file that cannot be written."""
    return EvidenceError(f"{path} cannot be written: {error.strerror or error}.", fix="Name a folder with room for it.")


def read_batches(path: Path, *, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file in pieces.

    Raises:
        EvidenceError: it is missing or damaged.
    """
    try:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=GROUP, columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise EvidenceError(
            f"{path} cannot be read: {' '.join(str(error).split())[:200]}", fix="Start the run anew (--fresh)."
        ) from None


def read_entries(path: Path, first: int, last: int) -> list[FileEntry]:
    """Rows `first` to `last` (exclusive) of a listing.

    Raises:
        EvidenceError: the file is missing or damaged.
    """
    found: list[FileEntry] = []
    if first >= last:
        return found
    try:
        with pq.ParquetFile(path) as file:
            at = 0
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if at < last and at + rows > first:
                    table = file.read_row_group(group)
                    left = max(first - at, 0)
                    found += entries_of(table.slice(left, min(last - at, rows) - left))
                at += rows
    except (OSError, pa.ArrowException) as error:
        raise EvidenceError(
            f"{path} cannot be read: {' '.join(str(error).split())[:200]}", fix="Start the run anew (--fresh)."
        ) from None
    return found


def entries_of(table: pa.Table | pa.RecordBatch) -> Iterator[FileEntry]:
    """The rows of a listing as entries."""
    columns = [_values(table.column(field.name)) for field in LISTING]
    for row in zip(*columns, strict=True):
        yield _entry(row)


def records_of(table: pa.Table | pa.RecordBatch) -> Iterator[FileRecord]:
    """The rows of a chunk or manifest as records."""
    columns = [_values(table.column(field.name)) for field in RECORDS]
    split = len(LISTING)
    for row in zip(*columns, strict=True):
        frames = tuple(FrameHash(*frame) for frame in zip(*row[-3:], strict=True))
        rest: tuple[Any, ...] = (*row[split:-4], tuple(row[-4]), frames)
        yield FileRecord(_entry(row), *rest)


def _values(column: Any) -> list[Any]:
    values: list[Any]
    if column.type == _TIME:
        # Many files share a time, and pyarrow's own way is slow.
        values = column.cast(pa.int64()).to_pylist()
        known = {value: moment_of(value) for value in set(values)}
        return [known[value] for value in values]
    values = column.to_pylist()
    return values


def _entry(row: tuple[Any, ...]) -> FileEntry:
    times: tuple[datetime | None, ...] = row[9:13]
    extents = tuple(Extent(a, n) for a, n in zip(row[13], row[14], strict=True))
    rest: tuple[Any, ...] = (Times(*times), extents, tuple(row[15]), tuple(row[16]), row[17])
    return FileEntry(*row[:9], *rest)


def write_rows(path: Path, schema: pa.Schema, rows: Iterable[FileEntry | FileRecord]) -> int:
    """A whole file at once; how many rows it has.

    Raises:
        EvidenceError: it cannot be written.
    """
    writer = RowWriter(path, schema)
    for row in rows:
        writer.add(row)
    writer.close()
    return writer.count
