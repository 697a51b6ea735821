"""NTFS: listed from its master file table as a whole, read by The Sleuth Kit.

The Sleuth Kit answers for each record by a call (some 30 thousand files a second with what a record of ours needs); the
table read as a whole gives the same files several times faster. The two are held against each other in the tests, file
by file. Records that hold more than one plain stream and name go to The Sleuth Kit as before; so does the whole volume
where its table cannot be found.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime

from safelight.triage.evidence import mft
from safelight.triage.evidence.filesystem import MAX_EXTENTS
from safelight.triage.evidence.tsk import _ORPHANS, _REGULAR, _TYPES, TskFileSystem
from safelight.triage.evidence.tsk_words import first_line
from safelight.triage.model import Extent, FileEntry, Times, UnreadPart

_BATCH = 20_000
_RESERVED = 24
_SEQUENCE = 48


class NtfsFileSystem(TskFileSystem):
    """One NTFS volume."""

    def entries(self) -> Iterator[FileEntry]:
        """Every file and alternate stream, live and deleted, once, with all its names."""
        place = self._table_place() if self._ntfs else None
        if place is None:
            yield from super().entries()
            return
        runs, record_size, index_size = place
        table = mft.read_table(self._evidence, runs, record_size, alive=self.alive)
        self._paths_of = mft.Paths(table, _ORPHANS)
        live = table.has(mft.VALID | mft.IN_USE)
        self.directories = int((live & table.has(mft.FOLDER) & ~table.has(mft.EXTENSION)).sum())
        self.found = int(live.sum())
        yield from self._records(table)
        yield from self._slack(table, index_size)
        self._settle_former_names()
        self._reconcile()

    def _table_place(self) -> tuple[list[tuple[int, int]], int, int] | None:
        """Where `$MFT` lies, the bytes of a record and of an index block; None where the volume does not say."""
        boot = self._evidence.read(self.offset, 512)
        if len(boot) < 512:
            return None
        sizes = [
            (1 << -per if -per < 32 else 0) if per < 0 else per * self._block
            for per in struct.unpack_from("<b3xb", boot, 64)
        ]
        if not all(512 <= size <= 1 << 16 and size & (size - 1) == 0 for size in sizes):
            return None
        runs: list[tuple[int, int]] = []
        try:
            for attribute in self._fs.open_meta(0):
                if int(attribute.info.type) != 128 or attribute.info.name:
                    continue
                left = int(attribute.info.size)
                for run in attribute:
                    size = min(int(run.len) * self._block, left)
                    at = self.offset + int(run.addr) * self._block
                    if int(run.flags) or at + size > self._evidence.size:
                        return None
                    runs.append((at, size))
                    left -= size
                if left > 0:
                    return None
        except OSError:
            return None
        return (runs, sizes[0], sizes[1]) if runs else None

    def _records(self, table: mft.Table) -> Iterator[FileEntry]:
        base = table.has(mft.VALID) & ~table.has(mft.EXTENSION)
        damaged = int(table.has(mft.DAMAGED).sum())
        if damaged:
            self.unread.append(
                UnreadPart(
                    "master file table",
                    f"{damaged} records of the table are damaged: the files that they describe are not listed",
                )
            )
        plain = base & ~table.has(mft.COMPLEX) & ~table.has(mft.FOLDER)
        complex_ = base & (table.has(mft.COMPLEX))
        wanted = (plain | complex_).nonzero()[0]
        for start in range(0, len(wanted), _BATCH):
            self.alive(False)
            batch = wanted[start : start + _BATCH]
            runs = table.runs_of(batch)
            for record, name, row, times in zip(
                batch.tolist(), table.names_of(batch), table.numbers[batch].tolist(), mft.moments(table.times[batch]),
                strict=True,
            ):  # fmt: skip
                if row[0] & mft.COMPLEX:
                    yield from self._by_the_sleuth_kit(table, record)
                    continue
                path, known = self._paths_of.under(row[3], name) if name else self._paths_of.nameless(record)
                if known or row[6] or row[0] & mft.IN_USE:
                    yield self._plain(table, record, path, row, times, runs)

    def _plain(
        self,
        table: mft.Table,
        record: int,
        path: str,
        row: list[int],
        times: list[datetime | None],
        runs: tuple[int, list[tuple[int, int]]],
    ) -> FileEntry:
        flags, left, number, first, count = row[0], row[6], row[7], row[8] - runs[0], row[9]
        live, size = bool(flags & mft.IN_USE), row[6]
        extents: list[Extent] = []
        for lcn, length in runs[1][first : first + count] if count else ():
            part = min(length * self._block, max(left, 0))
            left -= length * self._block
            if lcn >= 0 and part and len(extents) < MAX_EXTENTS:
                extents.append(Extent(self.offset + lcn * self._block, part))
        data = flags & mft.HAS_DATA
        # Nothing of it is stored: all holes, or no runs at all.
        sparse = bool(size and data and not flags & mft.RESIDENT and not extents)
        locator = f"{record}/128/{number}" if data else f"{record}/0/0"
        if not live and len(extents) == 1:
            self.deleted_places[extents[0].offset] = extents[0].size
        self._main[record] = locator
        for parent, name in table.others.get(record, ()):
            self.add_name(locator, path, self._paths_of.under(parent, name)[0])
        created, written, changed, accessed = times
        return FileEntry(
            self.index, path, size, locator, record, live, True, sparse,
            times=Times(created, written, accessed, changed), extents=tuple(extents),
        )  # fmt: skip

    def _by_the_sleuth_kit(self, table: mft.Table, record: int) -> Iterator[FileEntry]:
        """A record with several streams or names, an attribute list, compression or encryption."""
        try:
            found = self._fs.open_meta(record)
        except OSError as error:
            self.unread.append(UnreadPart("file", f"its record {record} cannot be read: {first_line(error)}"))
            return
        meta = found.info.meta
        if meta is None:
            return
        kind = _TYPES.get(meta.type, 0)
        live = bool(int(meta.flags) & 1)
        names = [self._paths_of.of(record)[0]]
        names += [self._paths_of.under(*other)[0] for other in table.others.get(record, ())]
        if kind == _REGULAR and not live and int(meta.size) == 0 and names[0].startswith(_ORPHANS):
            return
        for where in names:
            yield from self._emit(found, meta, kind, where)

    def _slack(self, table: mft.Table, index_size: int) -> Iterator[FileEntry]:
        """Names that only the free part of a folder's index still holds."""
        said: set[str] = set()
        for folder, reference, name in mft.slack(
            self._evidence, table, (self.offset, self.size), self._block, index_size, alive=self.alive
        ):
            record, sequence = reference & 0xFFFFFFFFFFFF, (reference >> _SEQUENCE) & 0xFFFF
            above = self._paths_of.folder(folder | int(table.numbers[folder, 1]) << _SEQUENCE)
            where = f"{above}/{name}" if above else name if above == "" else f"{_ORPHANS}/{name}"
            if where in said:
                continue
            said.add(where)
            if not 0 < record < len(table) or not table.numbers[record, 0] & mft.VALID:
                yield self._name_only(where, int(record))
                continue
            now = int(table.numbers[record, 1])
            here = self._paths_of.of(record)[0]
            if here == where and (now - sequence) & 0xFFFF in (0, 1):
                continue  # Its own name, moved inside the index or deleted with it.
            if table.numbers[record, 0] & mft.IN_USE:
                if now == sequence:
                    self._former.append((record, where))
                else:
                    yield self._name_only(where, record, taken=True)
            elif (now - sequence) & 0xFFFF in (0, 1):
                if locator := self._main.get(record):
                    self.add_name(locator, here, where)
            else:
                yield self._name_only(where, record, taken=True)
