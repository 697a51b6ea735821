"""Files of a listing as columns: made without an object for each, and sent from the process that parses.

What comes back is checked buffer by buffer: the sender has read hostile bytes. So the columns cross the border as plain
arrays of numbers and letters, and not in a format whose reader would have to be trusted.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from safelight.errors import EvidenceError
from safelight.triage.rows import LISTING

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Marks = npt.NDArray[np.bool_]

_TIMES = ("created", "written", "accessed", "changed")
_EARLIEST, _LATEST = -62_135_596_800_000_000, 253_402_300_799_000_000


def plain_files(
    filesystem: int,
    path: pa.StringArray,
    *,
    size: Numbers,
    address: Numbers,
    allocated: Marks,
    sparse: Marks,
    times: Numbers,
    known: Marks,
    offset: Numbers,
    length: Numbers,
    ends: npt.NDArray[np.int32],
    attribute: str,
) -> pa.RecordBatch:
    """Readable files with one name and no notes, as columns of `rows.LISTING`.

    Args:
        filesystem: index of the file system.
        path, size, address, allocated, sparse: one for each file.
        times, known: (files, 4): created, written, accessed, changed in microseconds since 1970, and whether known.
        offset, length: the extents of all files.
        ends: (files + 1): where each file's extents begin and end.
        attribute: what stands behind the address in their locators.
    """
    count = len(path)
    none = np.zeros(count + 1, np.int32)
    lists = _plain(ends, pa.int32())
    empty = pa.ListArray.from_arrays(_plain(none, pa.int32()), pa.array([], pa.string()))
    numbers = _plain(address, pa.int64())
    columns = {
        "filesystem": _plain(np.full(count, filesystem, np.int32), pa.int32()),
        "path": path,
        "size": _plain(size, pa.int64()),
        "locator": pc.binary_join_element_wise(numbers.cast(pa.string()), attribute, "/"),
        "address": numbers,
        "allocated": _plain(allocated, pa.bool_()),
        "readable": _plain(np.ones(count, np.bool_), pa.bool_()),
        "sparse": _plain(sparse, pa.bool_()),
        "overwritten": _plain(np.zeros(count, np.bool_), pa.bool_()),
        **{n: _plain(times[:, i], LISTING.field(n).type, known[:, i]) for i, n in enumerate(_TIMES)},
        "extent_offsets": pa.ListArray.from_arrays(lists, _plain(offset, pa.int64())),
        "extent_sizes": pa.ListArray.from_arrays(lists, _plain(length, pa.int64())),
        "names": empty,
        "notes": empty,
        "origin": pa.StringArray.from_buffers(count, pa.py_buffer(none), pa.py_buffer(b"")),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in LISTING.names], schema=LISTING)


def _plain(values: npt.NDArray[Any], kind: pa.DataType, known: Marks | None = None) -> pa.Array:
    """Numbers or marks as a column. (`pa.array` would do it too, and load pandas for it, a third of a second.)"""

    def bits(marks: npt.NDArray[Any]) -> pa.Buffer:
        return pa.py_buffer(np.packbits(marks, bitorder="little"))

    body = bits(values) if pa.types.is_boolean(kind) else pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None if known is None else bits(known), body])


def pack_columns(batch: pa.RecordBatch) -> tuple[dict[str, Any], bytes]:
    """A batch of `rows.LISTING` for the wire: what is in it, and its bytes."""
    parts: list[bytes] = []
    for column in batch.columns:
        _pack(column, parts)
    return {"rows": batch.num_rows, "parts": [len(p) for p in parts]}, b"".join(parts)


def _pack(column: pa.Array, parts: list[bytes]) -> None:
    parts.append(_marks(column.is_valid()).tobytes() if column.null_count else b"")
    if pa.types.is_list(column.type):
        starts = _values(column.offsets, np.dtype("<i4"))
        parts.append((starts - starts[0]).tobytes())
        _pack(column.flatten(), parts)
    elif pa.types.is_string(column.type):
        raw = column.buffers()
        starts = np.frombuffer(raw[1] or bytes(4), "<i4")[column.offset : column.offset + len(column) + 1]
        parts.append((starts - starts[0]).tobytes())
        parts.append(bytes(memoryview(raw[2] or b"")[starts[0] : starts[-1]]))
    elif pa.types.is_boolean(column.type):
        parts.append(_marks(column).tobytes())
    else:
        parts.append(_values(column, _number(column.type)).tobytes())


def _marks(column: pa.Array) -> npt.NDArray[np.uint8]:
    """Marks as bytes."""
    bits = np.unpackbits(np.frombuffer(column.buffers()[1] or b"", np.uint8), bitorder="little")
    return bits[column.offset : column.offset + len(column)]


def _values(column: pa.Array, kind: Any) -> npt.NDArray[Any]:
    return np.frombuffer(column.buffers()[1] or b"", kind)[column.offset : column.offset + len(column)]


def _number(kind: pa.DataType) -> Any:
    return np.dtype("<i4") if kind == pa.int32() else np.dtype("<i8")


def unpack_columns(filesystem: int, said: Any, payload: bytes) -> pa.RecordBatch:
    """The batch that `pack_columns` made.

    Raises:
        EvidenceError: the bytes are no such batch.
    """
    wrong = EvidenceError("the process that lists it gave columns that make no sense")
    if not isinstance(said, dict) or type(said.get("rows")) is not int or not isinstance(said.get("parts"), list):
        raise wrong
    sizes = said["parts"]
    if not all(type(n) is int and n >= 0 for n in sizes) or sum(sizes) != len(payload) or said["rows"] < 0:
        raise wrong
    ends = np.cumsum([0, *sizes]).tolist()
    parts = [payload[a:b] for a, b in pairwise(ends)]
    parts.reverse()
    try:
        columns = [_unpack(field.type, said["rows"], parts) for field in LISTING]
        if parts:
            raise wrong
        batch = pa.RecordBatch.from_arrays(columns, schema=LISTING)
        batch.validate(full=True)
    except (ValueError, IndexError, OverflowError, pa.ArrowException):
        raise wrong from None
    if batch.num_rows and (
        pc.any(pc.not_equal(batch.column("filesystem"), filesystem)).as_py()
        or any(batch.column(n).null_count for n in LISTING.names if n != "address" and n not in _TIMES)
        or not batch.column("extent_offsets").offsets.equals(batch.column("extent_sizes").offsets)
    ):
        raise wrong
    return batch


def _unpack(kind: pa.DataType, count: int, parts: list[bytes]) -> pa.Array:
    known = parts.pop()
    if known and len(known) != count:
        raise ValueError
    mask = np.frombuffer(known, np.uint8) != 0 if known else None
    if pa.types.is_list(kind):
        starts = _starts(parts.pop(), count)
        below = _unpack(kind.value_type, int(starts[-1]), parts)
        return pa.ListArray.from_arrays(_plain(starts, pa.int32()), below)
    if pa.types.is_string(kind):
        starts, letters = _starts(parts.pop(), count), parts.pop()
        if int(starts[-1]) != len(letters):
            raise ValueError
        return pa.StringArray.from_buffers(count, pa.py_buffer(starts), pa.py_buffer(letters))
    raw = parts.pop()
    marks = pa.types.is_boolean(kind)
    values: npt.NDArray[Any] = np.frombuffer(raw, np.uint8) != 0 if marks else np.frombuffer(raw, _number(kind))
    if len(values) != count:
        raise ValueError
    if pa.types.is_timestamp(kind) and count and (values.min() < _EARLIEST or values.max() > _LATEST):
        raise ValueError
    return _plain(values, kind, mask)


def _starts(raw: bytes, count: int) -> npt.NDArray[np.int32]:
    starts = np.frombuffer(raw, "<i4")
    if len(starts) != count + 1 or starts[0] != 0 or (np.diff(starts) < 0).any():
        raise ValueError
    return starts
