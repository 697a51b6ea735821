"""A listing's entries on the wire: plain lists, packed and taken apart by hand, because a device has millions of them.

What comes back from the reader is checked value by value: it has read hostile bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.model import Extent, FileEntry, Times

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NO_TIMES = Times()
_LENGTH = 13
#: Beyond the year 9999 no time can be shown.
_LATEST = 253_402_300_799_000_000
_EARLIEST = -62_135_596_800_000_000


def microseconds(when: datetime | None) -> int | None:
    """Since 1970."""
    return None if when is None else (when - _EPOCH) // _MICROSECOND


def moment_of(value: int | None) -> datetime | None:
    """The time of so many microseconds since 1970."""
    return None if value is None else _EPOCH + timedelta(microseconds=value)


def pack(e: FileEntry) -> list[Any]:
    """An entry as a list of plain values; its file system is known from the request."""
    t = e.times
    return [
        e.path, e.size, e.locator, e.address, e.allocated | e.readable << 1 | e.sparse << 2 | e.overwritten << 3,
        microseconds(t.created), microseconds(t.written), microseconds(t.accessed), microseconds(t.changed),
        [n for x in e.extents for n in (x.offset, x.size)], list(e.names), list(e.notes), e.origin,
    ]  # fmt: skip


def unpack(filesystem: int, row: Any) -> FileEntry:
    """The entry that `pack` made.

    Raises:
        EvidenceError: a value is missing or of the wrong kind.
    """
    if type(row) is not list or len(row) != _LENGTH:
        raise _wrong(row)
    path, size, locator, address, flags, created, written, accessed, changed, extents, names, notes, origin = row
    if not (type(path) is type(locator) is type(origin) is str and type(size) is type(flags) is int):
        raise _wrong(row)
    if address is not None and type(address) is not int:
        raise _wrong(row)
    if type(extents) is not list or len(extents) % 2 or not all(type(n) is int for n in extents):
        raise _wrong(row)
    for texts in (names, notes):
        if type(texts) is not list or not all(type(text) is str for text in texts):
            raise _wrong(row)
    times = _NO_TIMES
    if (created, written, accessed, changed) != (None, None, None, None):
        for value in (created, written, accessed, changed):
            if value is not None and not (type(value) is int and _EARLIEST <= value <= _LATEST):
                raise _wrong(row)
        times = Times(moment_of(created), moment_of(written), moment_of(accessed), moment_of(changed))
    pieces = iter(extents)
    return FileEntry(
        filesystem, path, size, locator, address, bool(flags & 1), bool(flags & 2), bool(flags & 4), bool(flags & 8),
        times, tuple(map(Extent, pieces, pieces)), tuple(names), tuple(notes), origin,
    )  # fmt: skip


def _wrong(row: Any) -> EvidenceError:
    return EvidenceError(f"the process that lists it gave an entry that makes no sense: {str(row)[:120]}")
