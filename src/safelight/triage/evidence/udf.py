"""UDF as a file system: live files with their streams, deleted names, its own counts, its free space.

Layout: see `udf_volume`. UDF is read by us because no kept library with a free licence for Python reads it.
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.filesystem import MAX_DEPTH, MAX_EXTENTS, Content, FileSystemReader, clean_name
from safelight.triage.evidence.udf_volume import (
    ENTRY,
    FILE_ID,
    FILE_SET,
    INTEGRITY,
    LONG_ENTRY,
    SPACE_BITMAP,
    UdfVolume,
    descriptor,
)
from safelight.triage.model import Extent, FileEntry, Times, UnreadPart

_FOLDER, _FILE, _PLAIN, _REAL_TIME = 4, 5, 0, 249
_DELETED, _PARENT, _IS_FOLDER = 4, 8, 2
_LARGEST_FOLDER = 256 << 20


@dataclass(frozen=True, slots=True)
class _Name:
    """One entry of a folder."""

    name: str
    flags: int
    reference: int
    block: int


class UdfFileSystem(FileSystemReader):
    """A UDF volume; the locator is `partition/block` of a file's record.

    Raises:
        EvidenceError: it cannot be opened.
    """

    type = "UDF"

    def __init__(self, index: int, volume: int, evidence: Evidence, offset: int, size: int) -> None:
        self._volume = UdfVolume(evidence, offset, size)
        super().__init__(index, volume, offset, size, self._volume.block)
        self.media = evidence
        self._evidence = evidence
        self.deleted_places: dict[int, int] = {}
        length, block, part = struct.unpack_from("<IIH", self._volume.file_set)
        raw = self._volume.read(part, block, max(length & 0x3FFFFFFF, 512))
        if not descriptor(raw, (FILE_SET,)):
            raise EvidenceError("its file set descriptor is damaged")
        _, root, reference = struct.unpack_from("<IIH", raw, 400)
        self._root = (reference, root)
        _, streams, part = struct.unpack_from("<IIH", raw, 464) if len(raw) >= 480 else (0, 0, 0)
        self._streams = (part, streams) if struct.unpack_from("<I", raw, 464)[0] else None
        revision = self._volume.revision
        self.notes.append(f"UDF {revision >> 8 & 15}.{revision & 255:02x}.")

    # -- listing -----------------------------------------------------------------------------------------------------

    def entries(self) -> Iterator[FileEntry]:
        """Every file and named stream, live first by folder, and the deleted names that folders still hold."""
        seen: dict[tuple[int, int], str] = {}
        gone: list[tuple[_Name, str]] = []
        stack = [(self._root, "", 0)]
        if self._streams is not None:
            stack.insert(0, (self._streams, "[system streams]", 0))
        folders: set[tuple[int, int]] = set()
        files = 0
        while stack:
            place, path, depth = stack.pop()
            if place in folders:
                continue
            folders.add(place)
            self.alive(False)
            listing = self._listing(place, path)
            if listing is None:
                continue
            self.directories += path != "[system streams]"
            for row in listing:
                where = f"{path}/{clean_name(row.name)}" if path else clean_name(row.name)
                at = (row.reference, row.block)
                if row.flags & _DELETED:
                    gone.append((row, where))
                    continue
                record = self._record(at)
                if record is None:
                    self.unread.append(UnreadPart("file", "its record is damaged or cannot be read", path=where))
                    continue
                kind = record[27]
                if kind == _FOLDER or row.flags & _IS_FOLDER:
                    if depth < MAX_DEPTH:
                        stack.append((at, where, depth + 1))
                    else:
                        self.unread.append(UnreadPart("folder", f"folders nest deeper than {MAX_DEPTH}", path=where))
                    continue
                first = seen.setdefault(at, where)
                if first != where:
                    self.add_name(f"{at[0]}/{at[1]}", first, where)
                    continue
                files += not path.startswith("[system streams]")
                if kind not in (_FILE, _PLAIN, _REAL_TIME):
                    self.other += 1
                    continue
                yield self._entry(at, record, where, live=True)
                yield from self._streams_of(record, where, seen)
        for row, where in gone:
            entry = self._deleted(row, where, seen)
            if entry is not None:
                yield entry
        self._reconcile(files)

    def _record(self, at: tuple[int, int]) -> bytes | None:
        raw = self._volume.read(*at, self.block_size)
        return raw if descriptor(raw, (ENTRY, LONG_ENTRY)) else None

    def _listing(self, at: tuple[int, int], path: str) -> list[_Name] | None:
        """The entries of a folder; None where it cannot be listed, and the reason is then in `unread`."""
        record = self._record(at)
        try:
            if record is None:
                raise EvidenceError("its record is damaged or cannot be read")
            content = self._content(record, at[0])
            raw = content.read(0, min(content.size, _LARGEST_FOLDER))
            if list(content.under()):
                self.unread.append(UnreadPart("folder", "a part of its listing could not be read", path=path or "/"))
        except (EvidenceError, OSError) as error:
            words = error.what if isinstance(error, EvidenceError) else str(error)
            self.unread.append(UnreadPart("folder", f"it cannot be listed: {words}", path=path or "/"))
            return None
        rows = []
        place = 0
        while place + 38 <= len(raw):
            head = raw[place : place + 38]
            extra = struct.unpack_from("<H", head, 36)[0]
            size = (38 + head[19] + extra + 3) // 4 * 4
            if not descriptor(raw[place : place + size], (FILE_ID,)):
                # The next one may be whole: they begin at multiples of four.
                found = self._resume(raw, place + 4)
                self.unread.append(
                    UnreadPart(
                        "folder", f"{(found or len(raw)) - place} bytes of its listing are damaged", path=path or "/"
                    )
                )
                if found is None:
                    break
                place = found
                continue
            _, block, part = struct.unpack_from("<IIH", head, 20)
            if not head[18] & _PARENT:
                name = raw[place + 38 + extra : place + 38 + extra + head[19]]
                rows.append(_Name(_text(name), head[18], part, block))
            place += size
        return rows

    @staticmethod
    def _resume(raw: bytes, place: int) -> int | None:
        for at in range(place, len(raw) - 37, 4):
            if raw[at] == 1 and raw[at + 1] == 1:
                size = (38 + raw[at + 19] + struct.unpack_from("<H", raw, at + 36)[0] + 3) // 4 * 4
                if descriptor(raw[at : at + size], (FILE_ID,)):
                    return at
        return None

    def _entry(self, at: tuple[int, int], record: bytes, where: str, *, live: bool) -> FileEntry:
        size = struct.unpack_from("<Q", record, 56)[0]
        notes: tuple[str, ...] = ()
        extents: list[Extent] = []
        readable = True
        try:
            runs, inline = self._volume.runs(record, at[0])
            extents = [Extent(place, length) for _, length, place in runs if place is not None][:MAX_EXTENTS]
        except EvidenceError as error:
            readable, inline, runs, notes = False, None, [], (error.what,)
        sparse = bool(readable and size and inline is None and not extents)
        if not live and len(extents) == 1:
            self.deleted_places[extents[0].offset] = extents[0].size
        return FileEntry(
            self.index, where, size, f"{at[0]}/{at[1]}", at[1], live, readable, sparse,
            times=_times(record), extents=tuple(extents), notes=notes,
        )  # fmt: skip

    def _streams_of(self, record: bytes, where: str, seen: dict[tuple[int, int], str]) -> Iterator[FileEntry]:
        if struct.unpack_from("<H", record)[0] != LONG_ENTRY:
            return
        length, block, part = struct.unpack_from("<IIH", record, 152)
        if not length:
            return
        for row in self._listing((part, block), f"{where}:") or []:
            at = (row.reference, row.block)
            inner = self._record(at)
            path = f"{where}:{clean_name(row.name)}"
            if inner is None:
                self.unread.append(UnreadPart("file", "its record is damaged or cannot be read", path=path))
            elif not row.flags & _DELETED and seen.setdefault(at, path) == path:
                yield self._entry(at, inner, path, live=True)

    def _deleted(self, row: _Name, where: str, seen: dict[tuple[int, int], str]) -> FileEntry | None:
        at = (row.reference, row.block)
        record = self._record(at) if row.block or row.reference else None
        if row.flags & _IS_FOLDER or (record is not None and record[27] == _FOLDER):
            return None
        if record is None or at in seen or record[27] not in (_FILE, _PLAIN, _REAL_TIME):
            note = "its record is now used by another file" if at in seen else "its record can no longer be read"
            return FileEntry(self.index, where, 0, "", None, allocated=False, readable=False, notes=(note,))
        seen[at] = where
        return self._entry(at, record, where, live=False)

    def _reconcile(self, files: int) -> None:
        """What the logical volume integrity descriptor says it holds (UDF 2.2.6.4)."""
        length, place = self._volume.integrity
        sector, newest = self._volume.sector, b""
        for _ in range(1024):
            raw = self._evidence.read(self.offset + place * sector, max(sector, 512)) if length else b""
            if not descriptor(raw, (INTEGRITY,)):
                break
            newest = raw
            length, following = struct.unpack_from("<II", raw, 32)
            place = following if length else place + 1
            length = length or 1
        if len(newest) < 88:
            return
        count = struct.unpack_from("<I", newest, 72)[0]
        use = 80 + count * 8
        if struct.unpack_from("<I", newest, 76)[0] >= 46 and len(newest) >= use + 40:
            said, folders = struct.unpack_from("<II", newest, use + 32)
            self.expected, self.found = said + folders, files + self.directories
            self.expected_from = "files and folders, by the integrity descriptor"
        if struct.unpack_from("<I", newest, 28)[0] != 1:
            self.notes.append("The volume was not closed properly: its own counts and free space may be old.")

    # -- reading -----------------------------------------------------------------------------------------------------

    def own_content(self, locator: str) -> Content:
        """The bytes of the file whose record this is."""
        reference, block = (int(part) for part in locator.split("/"))
        record = self._record((reference, block))
        if record is None:
            raise EvidenceError(f"Record {locator} cannot be read.")
        return self._content(record, reference)

    def _content(self, record: bytes, reference: int) -> Content:
        size = struct.unpack_from("<Q", record, 56)[0]
        runs, inline = self._volume.runs(record, reference)
        if inline is not None:
            body = inline
            return Content(min(size, len(body)), lambda at, length: body[at : at + length])
        starts = [run[0] for run in runs]
        missing = self._evidence.missing

        def read(at: int, length: int) -> bytes:
            pieces = []
            length = min(length, size - at)
            while length > 0:
                number = bisect.bisect_right(starts, at) - 1
                if number < 0 or at >= runs[number][0] + runs[number][1]:
                    break  # The record names fewer bytes than the file is said to have.
                start, much, place = runs[number]
                take = min(length, start + much - at)
                pieces.append(bytes(take) if place is None else self._evidence.read(place + at - start, take))
                at += take
                length -= take
            return b"".join(pieces)

        def under() -> list[tuple[int, int, str]]:
            return [(start + a - place, start + b - place, why) for start, much, place in runs if place is not None
                    for a, b, why in missing.within(place, place + much)]  # fmt: skip

        return Content(size, read, under=under)

    def find(self, path: str) -> str | None:
        """The locator of the live file at this path."""
        at = self._root
        names = path.split("/")
        for number, name in enumerate(names):
            rows = [r for r in self._listing(at, "") or [] if not r.flags & _DELETED and clean_name(r.name) == name]
            if not rows or bool(rows[0].flags & _IS_FOLDER) == (number == len(names) - 1):
                return None
            at = (rows[0].reference, rows[0].block)
        return f"{at[0]}/{at[1]}"

    def free_ranges(self) -> Iterator[tuple[int, int]]:
        """Free ranges (offset, size) of the media, by the space bitmap of each partition.

        Raises:
            EvidenceError: there is no bitmap, as on discs that are written once.
        """
        found = False
        for number, part in enumerate(self._volume.partitions):
            if part.kind not in ("plain", "sparable"):
                continue
            length, block = struct.unpack_from("<II", self._volume.bodies[part.number], 64)
            raw = self._volume.read(number, block, length & 0x3FFFFFFF) if length else b""
            if not raw or struct.unpack_from("<H", raw)[0] != SPACE_BITMAP:
                continue
            found = True
            bits, size = struct.unpack_from("<II", raw, 16)
            free = np.unpackbits(np.frombuffer(raw[24 : 24 + size], np.uint8), bitorder="little")[:bits]
            edges = np.flatnonzero(np.diff(np.concatenate(([0], free.astype(np.int8), [0]))))
            base = self.offset + part.start
            for left, right in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
                yield base + left * self.block_size, (right - left) * self.block_size
        if not found:
            raise EvidenceError("it keeps no bitmap of free space")


class BridgeFiles(FileSystemReader):
    """The ISO 9660 side of a disc that is UDF as well: only what the UDF side does not list."""

    def __init__(self, inner: FileSystemReader, other: UdfFileSystem) -> None:
        super().__init__(inner.index, inner.volume, inner.offset, inner.size, inner.block_size)
        self._inner, self._other = inner, other
        self.type = inner.type
        self.main = False
        self.notes = [*inner.notes, "The disc is UDF as well; files that both list are given once, as UDF names them."]

    def entries(self) -> Iterator[FileEntry]:
        """Files whose bytes no UDF file begins at."""
        other, inner = self._other, self._inner
        known = {(e.extents[0].offset, e.size) for e in UdfFileSystem(
            0, 0, other.media, other.offset, other.size).entries() if e.extents}  # fmt: skip
        inner.alive = self.alive
        for entry in inner.entries():
            if entry.size and (not entry.extents or (entry.extents[0].offset, entry.size) not in known):
                yield entry
        self.directories, self.other = 0, 0
        self.unread += inner.unread
        self.expected, self.found, self.expected_from = inner.expected, inner.found, inner.expected_from
        self.more_names, self.more_notes = inner.more_names, inner.more_notes

    def own_content(self, locator: str) -> Content:
        """As ISO 9660 has it."""
        return self._inner.own_content(locator)


def _text(raw: bytes) -> str:
    """A name in OSTA's compressed Unicode (UDF 2.1.1); 254 and 255 mark deleted ones."""
    if not raw:
        return ""
    if raw[0] in (8, 254):
        return raw[1:].decode("latin-1")
    if raw[0] in (16, 255):
        return raw[1 : 1 + (len(raw) - 1) // 2 * 2].decode("utf-16-be", "backslashreplace")
    return raw.decode("latin-1")


def _times(record: bytes) -> Times:
    if struct.unpack_from("<H", record)[0] == LONG_ENTRY:
        read, written, made, changed = (_moment(record[at : at + 12]) for at in (80, 92, 104, 116))
        return Times(made, written, read, changed)
    read, written, changed = (_moment(record[at : at + 12]) for at in (72, 84, 96))
    return Times(None, written, read, changed)


def _moment(raw: bytes) -> datetime | None:
    zone, year, month, day, hour, minute, second, centi, hundred, micro = struct.unpack("<HhBBBBBBBB", raw)
    minutes = (zone & 0xFFF) - (0x1000 if zone & 0x800 else 0)
    away = timezone(timedelta(minutes=minutes)) if zone >> 12 == 1 and -1440 < minutes < 1440 else UTC
    try:
        part = min(centi, 99) * 10_000 + min(hundred, 99) * 100 + min(micro, 99)
        return datetime(year, month, day, hour, minute, min(second, 59), part, tzinfo=away).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
