"""ext2, ext3 and ext4: listed from their inode tables and directory blocks as columns, read by The Sleuth Kit.

The Sleuth Kit answers for each file by a call (some 24 microseconds with what a file of ours needs, and more the more
files a folder has); whole tables and whole folders at once give the same files many times faster, and without an object
for each. The two are held against each other in the tests, file by file. What is stored in an unusual way (content
inside the inode, an extent tree that makes no sense, a record outside of the image) goes to The Sleuth Kit as before,
file by file; so does the whole file system where its books cannot be used, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from safelight.triage.columns import plain_files
from safelight.triage.evidence import ext_tables as tables
from safelight.triage.evidence._ext_kernel import DEEP, ODD, PLAIN, names, paths, places
from safelight.triage.evidence.ext_names import Files, Names, bounds_of, once
from safelight.triage.evidence.ext_places import Broken, deep_places
from safelight.triage.evidence.filesystem import MAX_EXTENTS, Content
from safelight.triage.evidence.tsk import (
    _DIRECTORY,
    _LARGEST_FOLDER,
    _NO_PLACE,
    _ORPHANS,
    _TYPES,
    _VIRTUAL_DIRECTORY,
    TskFileSystem,
)
from safelight.triage.evidence.tsk_words import orphan_name
from safelight.triage.model import Extent, FileEntry, Times
from safelight.triage.packing import moment_of
from safelight.triage.rows import batch_of, entries_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safelight.triage.evidence.ext_tables import Marks, Numbers, Octets

#: What stands behind the inode's number in a locator: the type and number of The Sleuth Kit's default attribute.
_CONTENT = "1/0"
_AT_ONCE = 20_000
_FEW = 200
_ROOT, _FIRST_FILE = 2, 11

Stack = list[tuple[int, str, int]]


class ExtFileSystem(TskFileSystem):
    """One ext2, ext3 or ext4 file system."""

    def batches(self) -> Iterator[pa.RecordBatch] | None:
        """Every file, live and deleted, once, as columns of `rows.LISTING`; None where only entries are to be had."""
        if not self.type.startswith("ext"):
            return None
        books = tables.read_books(self._evidence, self.offset, fourth=self.type == "ext4")
        if isinstance(books, str) or books.block != self._block or books.inodes + 1 != self._last:
            why = books if isinstance(books, str) else "The Sleuth Kit reads its superblock in another way"
            note = f"Listed by The Sleuth Kit, file by file: {why}."
            self.notes += [note] if note not in self.notes else []
            return None
        return self._listed(books)

    def entries(self) -> Iterator[FileEntry]:
        """Every file, live and deleted, once, with all its names."""
        columns = self.batches()
        if columns is None:
            yield from super().entries()
            return
        for batch in columns:
            yield from entries_of(batch)

    def own_content(self, locator: str) -> Content:
        """The bytes of a file. Where The Sleuth Kit finds less of it than its inode says (it reads the books anew, and
        a sector may fail then), what is missing counts as not read, and never as a shorter file."""
        content = super().own_content(locator)
        address, _, which = locator.partition("/")
        books = self._own_books
        size = tables.size_of(self._evidence, self.offset, books, int(address)) if books and which == _CONTENT else 0
        if size <= content.size:
            return content
        return Content(size, content.read, close=content.close, holes=content.holes, under=content.under)

    @cached_property
    def _own_books(self) -> tables.Books | None:
        found = tables.read_books(self._evidence, self.offset, fourth=self.type == "ext4")
        return None if isinstance(found, str) or found.block != self._block else found

    def _listed(self, books: tables.Books) -> Iterator[pa.RecordBatch]:
        if books.dirty:
            self.notes.append(
                "Its journal holds changes that were not yet written back (it was not unmounted); the file system was "
                "listed as it lies, and the journal was not replayed."
            )
        if books.scattered:
            self.notes.append(
                "Its group descriptors are scattered (meta_bg), which The Sleuth Kit does not know: files that are "
                "read through it, not by their extents, may fail, and are then named."
            )
        self._books = books
        self._inodes = tables.Inodes(self._evidence, self.offset, books)
        # Inodes that were met; and those not in use that a name leads to, which are no orphans.
        self._met, self._named_gone = tables.Bits(books.inodes + 1), tables.Bits(books.inodes + 1)
        # Files that were given out; the path of those that may have further names; locators of those that are odd.
        self._given = tables.Bits(books.inodes + 1)
        self._odd: dict[int, list[str]] = {}
        self._first_path: dict[int, str] = {}
        self._others: list[FileEntry] = []
        # Names of files that The Sleuth Kit is asked about at the end: should it hang over one, all others are out.
        self._later: dict[int, list[str]] = {}
        self._waiting: list[Files] = []
        self._count = 0
        stack: Stack = [(_ROOT, "", 0)]
        visited: set[int] = set()
        while stack:
            address, path, depth = stack.pop()
            if address not in visited:
                visited.add(address)
                yield from self._one_folder(address, path, depth, stack)
        yield from self._rest(visited)
        yield from self._asked()
        self._settle_former_names()
        self._reconcile()

    def _flush(self, most: int) -> Iterator[pa.RecordBatch]:
        """What was gathered, if it is more than so many files."""
        if self._count > most:
            yield from self._columns()
        if len(self._others) > most:
            batch = batch_of(self._others)
            self._others.clear()
            yield batch

    # -- folders -----------------------------------------------------------------------------------------------------

    def _one_folder(self, address: int, path: str, depth: int, stack: Stack) -> Iterator[pa.RecordBatch]:
        self.alive(False)
        data = self._folder_data(address)
        if data is None:
            # What was met before is settled first: a file has the path by which it is met first.
            yield from self._flush(0)
            self._adopt(self._folder(address, path, depth, stack))
        else:
            self._own_folder(data, address, path, depth, stack)
        yield from self._flush(_AT_ONCE)

    def _adopt(self, entries: Iterable[FileEntry]) -> None:
        """Files that The Sleuth Kit gives: each once, whichever way it was met before."""
        for entry in entries:
            number = entry.address
            if number is None or not entry.locator:
                self._others.append(entry)
                continue
            one, path = np.array([number]), entry.path
            if number in self._later:
                # Met before under other names, and now the answer is here.
                path, *further = self._later.pop(number)
                for name in (*further, entry.path):
                    self.add_name(entry.locator, path, name)
            elif self._given.get(one)[0] and entry.locator not in self._odd.get(number, ()):
                self._further_name(number, path)
                continue
            self._given.set(one)
            self._first_path.setdefault(number, path)
            self._odd.setdefault(number, []).append(entry.locator)
            self._others.append(replace(entry, path=path))

    def _own_folder(self, data: Octets, address: int, path: str, depth: int, stack: Stack) -> None:
        self.directories += 1
        room = len(data) // 12 + 1
        number, place, size = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64)
        live = np.empty(room, np.bool_)
        gone = not self._inodes.used.get(np.array([address]))[0]
        count = names(data, self._block, self._last, self._books.old_names, gone, number, place, size, live)
        kept = once(data, number[:count], place[:count], size[:count], live[:count])
        if len(kept):
            self._named(Names(data, place[kept], size[kept], path), number[kept], live[kept], depth, stack)

    def _folder_data(self, address: int) -> Octets | None:
        """The blocks of a folder; None where The Sleuth Kit must be asked."""
        one = np.array([address], np.int64)
        if not self._inodes.known(one)[0]:
            return None
        row = self._inodes.rows(one)
        size = -(-int(tables.sizes(row, large=False)[0]) // self._block) * self._block
        if tables.column(row, 0, "<u2")[0] & 0xF000 != tables.DIRECTORY or size > _LARGEST_FOLDER:
            return None
        offset, length, _, kind, _ = self._places(row, np.array([size], np.int64))
        where = list(zip(offset.tolist(), length.tolist(), strict=True))
        if kind[0] == DEEP:
            try:
                where = deep_places(self._evidence, self.offset, self._books, row[0], size) or []
            except Broken:
                return None
        if (kind[0] == ODD) or sum(n for _, n in where) != size:
            return None
        raw = b"".join(self._evidence.read(at, n) for at, n in where)
        return np.frombuffer(raw, np.uint8) if len(raw) == size else None

    def _places(
        self, rows: Octets, size: Numbers
    ) -> tuple[Numbers, Numbers, NDArray[np.int32], Octets, NDArray[np.bool_]]:
        count = len(rows)
        offset, length = np.empty(12 * count, np.int64), np.empty(12 * count, np.int64)
        ends, kind, sparse = np.empty(count + 1, np.int32), np.empty(count, np.uint8), np.empty(count, np.bool_)
        places(rows, size, self._block, self.offset, self._books.blocks, offset, length, ends, kind, sparse)
        return offset[: ends[-1]], length[: ends[-1]], ends, kind, sparse

    def _named(self, called: Names, number: Numbers, live: Marks, depth: int, stack: Stack) -> None:
        """What the names of one folder lead to."""
        known = self._inodes.known(number)
        used = np.zeros(len(number), np.bool_)
        used[known] = self._inodes.used.get(number[known])
        taken = known & used & ~live
        for row in np.flatnonzero(taken).tolist():
            self._others.append(self._name_only(called.path(row), int(number[row]), taken=True))
        for row in np.flatnonzero(~known).tolist():
            self._one(int(number[row]), called.path(row), depth, stack)
        rest = np.flatnonzero(known & ~taken)
        if not len(rest):
            return
        self._met.set(number[rest])
        self._named_gone.set(number[rest][~used[rest]])
        for start in range(0, len(rest), _AT_ONCE):
            some = rest[start : start + _AT_ONCE]
            rows = self._inodes.rows(number[some])
            mode = tables.column(rows, 0, "<u2") & 0xF000
            for row in some[mode == tables.DIRECTORY].tolist():
                self._push(stack, int(number[row]), called.path(row), depth)
            files = mode == tables.REGULAR
            self.other += int((~files & (mode != tables.DIRECTORY)).sum())
            some = some[files]
            if len(some):
                self._waiting.append(Files(number[some], used[some], rows[files], *called.paths(some)))
                self._count += len(some)

    def _one(self, number: int, where: str, depth: int, stack: Stack) -> None:
        """A name whose inode only The Sleuth Kit can tell something about, or nobody."""
        found = self._again(number, 0)
        if found is None:
            self._others.append(self._name_only(where, number))
            return
        meta = found.info.meta
        kind = _TYPES.get(meta.type, 0)
        self._adopt(self._emit(found, meta, kind, where))
        if kind in (_DIRECTORY, _VIRTUAL_DIRECTORY):
            self._push(stack, number, where, depth)

    # -- files -------------------------------------------------------------------------------------------------------

    def _columns(self) -> Iterator[pa.RecordBatch]:
        """The gathered files: those that are stored plainly as columns, the others one by one."""
        waiting, self._waiting, self._count = self._waiting, [], 0
        number = np.concatenate([w.number for w in waiting])
        used = np.concatenate([w.used for w in waiting])
        rows = np.concatenate([w.rows for w in waiting])
        letters = np.concatenate([w.letters for w in waiting])
        limits = bounds_of(np.concatenate([np.diff(w.ends) for w in waiting]))

        def where(row: int) -> str:
            return letters[limits[row] : limits[row + 1]].tobytes().decode()

        new = np.zeros(len(number), np.bool_)
        new[np.unique(number, return_index=True)[1]] = True
        new &= ~self._given.get(number)
        self._given.set(number)
        several = new & ((tables.column(rows, 26, "<u2") != 1) | ~used)
        for row in np.flatnonzero(several).tolist():
            self._first_path.setdefault(int(number[row]), where(row))
        bytes_of = tables.sizes(rows, large=self._books.large)
        offset, length, ends, kind, sparse = self._places(rows, bytes_of)
        plain = new & (kind == PLAIN)
        for row in np.flatnonzero(new & ~plain).tolist():
            self._in_pieces(int(number[row]), where(row), rows[row], int(bytes_of[row]), bool(used[row]), kind[row])
        for row in np.flatnonzero(~new).tolist():
            self._further_name(int(number[row]), where(row))
        good = np.flatnonzero(plain)
        if not len(good):
            return
        path = pa.StringArray.from_buffers(len(number), pa.py_buffer(limits), pa.py_buffer(letters))
        if len(good) < len(number):
            path = path.take(pa.array(good))
            counts = np.diff(ends)
            keep = np.repeat(plain, counts)
            offset, length = offset[keep], length[keep]
            ends = bounds_of(counts[good])
        for row in np.flatnonzero(~used[good] & (np.diff(ends) == 1)).tolist():
            self.deleted_places[int(offset[ends[row]])] = int(length[ends[row]])
        moments, known = tables.times(rows[good], fourth=self._books.fourth)
        yield plain_files(
            self.index, path, size=bytes_of[good], address=number[good], allocated=used[good], sparse=sparse[good],
            times=moments, known=known, offset=offset, length=length, ends=ends, attribute=_CONTENT,
        )  # fmt: skip

    def _further_name(self, number: int, where: str) -> None:
        """One more name of a file that was met before."""
        if number in self._later:
            self._later[number].append(where)
            return
        known = self._first_path.get(number, "")
        for locator in self._odd.get(number, [f"{number}/{_CONTENT}"]):
            self.add_name(locator, known, where)

    def _in_pieces(self, number: int, where: str, row: Octets, size: int, used: bool, kind: int) -> None:
        """A file whose extents lie in blocks of their own, or that The Sleuth Kit must be asked about."""
        found: list[tuple[int, int]] | None = None
        locator, notes = f"{number}/{_CONTENT}", tuple[str, ...]()
        if kind == DEEP:
            try:
                found = deep_places(self._evidence, self.offset, self._books, row, size)
            except Broken:
                found, locator, notes = [], f"{number}/0/0", (_NO_PLACE,)
        if found is None or len(found) > MAX_EXTENTS:
            self._later[number] = [where]
            return
        if not used and len(found) == 1:
            self.deleted_places[found[0][0]] = found[0][1]
        moments, known = tables.times(row[None], fourth=self._books.fourth)
        created, written, accessed, changed = (
            moment_of(int(t)) if k else None for t, k in zip(moments[0], known[0], strict=True)
        )
        self._odd[number] = [locator]
        self._others.append(
            FileEntry(
                self.index, where, size, locator, number, used, not notes, not found and not notes, notes=notes,
                times=Times(created, written, accessed, changed), extents=tuple(Extent(*piece) for piece in found),
            )
        )  # fmt: skip

    def _asked(self) -> Iterator[pa.RecordBatch]:
        """What only The Sleuth Kit can tell of files that are stored oddly."""
        yield from self._flush(0)
        later, self._later = self._later, {}
        for number, (where, *further) in later.items():
            yield from self._flush(_FEW)
            self.alive(False)
            found = self._again(number, 0)
            if found is None:
                self._others += [self._name_only(path, number) for path in (where, *further)]
                continue
            meta = found.info.meta
            given = list(self._emit(found, meta, _TYPES.get(meta.type, 0), where))
            self._others += given
            for entry in given:
                for path in further:
                    self.add_name(entry.locator, where, path)
        yield from self._flush(0)

    # -- inodes that no name leads to --------------------------------------------------------------------------------

    def _rest(self, visited: set[int]) -> Iterator[pa.RecordBatch]:
        """Deleted inodes without a name, what lies in them, and whatever else no name led to."""
        parts: list[Numbers] = []
        further: list[Numbers] = []
        folders = False
        for first, rows in self._inodes.all():
            self.alive(False)
            mode = tables.column(rows, 0, "<u2")
            numbers = np.flatnonzero(mode | tables.column(rows, 12, "<u4")) + first
            if not len(numbers):
                continue
            rows = rows[numbers - first]
            kind = tables.column(rows, 0, "<u2") & 0xF000
            used, met = self._inodes.used.get(numbers), self._met.get(numbers)
            seen = np.isin(numbers, np.fromiter(self._seen, np.int64))
            orphan = ~used & ~seen & ~self._named_gone.get(numbers) & (tables.column(rows, 12, "<u4") != 0)
            size = tables.sizes(rows, large=self._books.large)
            folders |= bool((orphan & (kind == tables.DIRECTORY) & (size > 0)).any())
            parts.append(numbers[orphan])
            wanted = ~met & ~seen & (kind == tables.REGULAR) & (used | (size > 0))
            further.append(numbers[wanted & ~(used & (numbers < _FIRST_FILE) & (numbers != _ROOT))])
        stack: Stack = []
        orphans = np.concatenate([*parts, np.empty(0, np.int64)]).astype(np.int64)
        # What lies in deleted folders decides which of the others count as without a name: The Sleuth Kit knows, but it
        # gives up at the first such folder that it cannot read.
        yield from self._flush(0)
        if not folders or not self._by_its_own_walk(stack):
            self._orphans(orphans, stack)
        while stack:
            address, path, depth = stack.pop()
            if address not in visited:
                visited.add(address)
                yield from self._one_folder(address, path, depth, stack)
        yield from self._flush(0)
        end = min(self._last, self._first + self._evidence.size // 128)
        numbers = np.concatenate([*further, np.empty(0, np.int64)]).astype(np.int64)
        for number in numbers[~self._met.get(numbers) & (numbers < end)].tolist():
            if number in self._seen:
                continue
            yield from self._flush(_FEW)
            found = self._again(number, 0)
            if found is not None:
                meta = found.info.meta
                where = f"{_ORPHANS}/{orphan_name(meta, number)}"
                self._adopt(self._emit(found, meta, _TYPES.get(meta.type, 0), where))
        self.found = self._inodes.in_use

    def _by_its_own_walk(self, stack: Stack) -> bool:
        """Inodes without a name as The Sleuth Kit lists them; False where it cannot."""
        said = len(self.unread)
        self.alive(True)
        self._adopt(self._folder(self._last, _ORPHANS, 1, stack))
        complete = not any(part.path == _ORPHANS for part in self.unread[said:])
        # Should it have broken off, ours lists the rest, and nothing is left unread.
        self.unread[said:] = [part for part in self.unread[said:] if part.path != _ORPHANS]
        return complete

    def _orphans(self, numbers: Numbers, stack: Stack) -> None:
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            called = [f"OrphanFile-{n}".encode() for n in some.tolist()]
            size = np.array([len(n) for n in called], np.int64)
            data = np.frombuffer(b"".join(called), np.uint8)
            self._named(
                Names(data, np.cumsum(size) - size, size, _ORPHANS), some, np.zeros(len(some), np.bool_), 1, stack
            )


def warm_up() -> None:
    """Compile the kernels on an empty block and inode, so that the first file system does not wait for it."""
    numbers, marks = np.zeros(12, np.int64), np.zeros(12, np.bool_)
    ends, kind = np.zeros(13, np.int32), np.zeros(12, np.uint8)
    for octets in (np.zeros(128, np.uint8), np.frombuffer(bytes(128), np.uint8)):
        names(octets, 128, 10, False, marks[0], numbers, numbers.copy(), numbers.copy(), marks)
        for prefix in (np.zeros(0, np.uint8), np.frombuffer(b"", np.uint8)):
            paths(prefix, octets, numbers, numbers, np.zeros(0, np.uint8), ends)
        pieces = np.zeros(144, np.int64)
        places(np.zeros((12, 128), np.uint8), numbers, 1024, 0, 10, pieces, pieces.copy(), ends, kind, marks)
