"""APFS and XFS through libyal. Both show live files; neither library gives deleted ones, and the listing says so."""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.evidence.apfs_books import ContainerBooks
from safelight.triage.evidence.base import Evidence, MediaWindow
from safelight.triage.evidence.filesystem import (
    MAX_DEPTH,
    MAX_EXTENTS,
    Content,
    FileSystemReader,
    clean_name,
    moment,
)
from safelight.triage.evidence.keys import OPENED, Key
from safelight.triage.model import Extent, FileEntry, Times, UnreadPart

_FORK, _PACKED = "com.apple.ResourceFork", "com.apple.decmpfs"
_FAULTS = (OSError, ValueError, MemoryError, OverflowError)


class LibyalFileSystem(FileSystemReader):
    """A file system whose library gives a root directory and entries by number."""

    def __init__(self, index: int, volume: int, offset: int, size: int, kind: str, handle: Any, keep: Any) -> None:
        super().__init__(index, volume, offset, size, 0)
        self.type = kind
        self.deleted_places: dict[int, int] = {}
        self._handle = handle
        self._keep = keep  # The library reads through these objects, so they must live as long as it.
        self.notes.append(
            f"Deleted files{' and snapshots' if kind == 'APFS' else ''} of {kind} are not read by this version."
        )

    def entries(self) -> Iterator[FileEntry]:
        """Every live file, once, with all its names."""
        try:
            root = self._handle.get_root_directory()
        except _FAULTS as error:
            self.unread.append(UnreadPart("folder", f"the root folder cannot be read: {_words(error)}", path="/"))
            return
        if root is None:
            return
        stack: list[tuple[Any, str, int]] = [(root, "", 0)]
        seen: dict[int, str] = {}
        while stack:
            folder, path, depth = stack.pop()
            self.directories += 1
            for child in self._children(folder, path):
                try:
                    name = child.name
                    number, mode = self._number(child), int(child.file_mode or 0)
                    where = f"{path}/{clean_name(name or '')}" if path else clean_name(name or "")
                    first = seen.setdefault(number, where)
                    if stat.S_ISDIR(mode):
                        if first != where:
                            continue  # A folder met twice is a loop.
                        if depth < MAX_DEPTH:
                            stack.append((child, where, depth + 1))
                        else:
                            self.unread.append(UnreadPart("folder", "folders nest too deep", path=where))
                    elif not stat.S_ISREG(mode):
                        self.other += 1
                    elif first != where:
                        self.add_name(str(number), first, where)
                    else:
                        yield self._entry(child, number, where)
                        yield from self._fork(child, number, where)
                except _FAULTS as error:
                    self.unread.append(
                        UnreadPart("file", f"its record cannot be read: {_words(error)}", path=path or "/")
                    )
        self.found = len(seen) + (self.type == "XFS")  # APFS does not count its root folder.

    def _children(self, folder: Any, path: str) -> Iterator[Any]:
        try:
            count = folder.number_of_sub_file_entries
        except _FAULTS as error:
            self.unread.append(UnreadPart("folder", f"it cannot be listed: {_words(error)}", path=path or "/"))
            return
        for index in range(count):
            try:
                yield folder.get_sub_file_entry(index)
            except _FAULTS as error:
                self.unread.append(
                    UnreadPart("file", f"entry {index} of the folder cannot be read: {_words(error)}", path=path or "/")
                )

    def _number(self, entry: Any) -> int:
        return int(entry.identifier if self.type == "APFS" else entry.inode_number)

    def _entry(self, entry: Any, number: int, where: str) -> FileEntry:
        size = int(entry.size or 0)
        extents = []
        sparse = 0
        for index in range(min(entry.number_of_extents or 0, MAX_EXTENTS)):
            at, length, flags = entry.get_extent(index)
            if flags & 1:
                sparse += 1
            else:
                extents.append(Extent(self.offset + at, length))
        return FileEntry(
            self.index, where, size, str(number), number, sparse=bool(sparse and not extents and size),
            times=_times(entry), extents=tuple(extents),
        )  # fmt: skip

    def _fork(self, entry: Any, number: int, where: str) -> Iterator[FileEntry]:
        """The resource fork of an APFS file, unless it only holds the packed bytes of the file itself."""
        if self.type != "APFS":
            return
        names = {str(attribute.name): attribute for attribute in entry.extended_attributes}
        fork = names.get(_FORK)
        if fork is not None and int(fork.size) and _PACKED not in names:
            yield FileEntry(self.index, f"{where}:rsrc", int(fork.size), f"{number}/rsrc", number, times=_times(entry))

    def find(self, path: str) -> str | None:
        """The locator of the regular file at this path."""
        try:
            entry = self._handle.get_file_entry_by_path(f"/{path}")
            return str(self._number(entry)) if entry and stat.S_ISREG(int(entry.file_mode or 0)) else None
        except _FAULTS:
            return None

    def own_content(self, locator: str) -> Content:
        """The file with this number."""
        try:
            if self.type == "APFS":
                number, _, fork = locator.partition("/")
                entry = self._handle.get_file_entry_by_identifier(int(number))
                if fork:
                    entry = next(a for a in entry.extended_attributes if a.name == _FORK)
            else:
                entry = self._handle.get_file_entry_by_inode(int(locator))
            size = int(entry.size or 0)
        except (*_FAULTS, StopIteration) as error:
            raise EvidenceError(f"Record {locator} cannot be opened: {_words(error)}") from None

        def read(at: int, length: int) -> bytes:
            try:
                return bytes(entry.read_buffer_at_offset(min(length, size - at), at))
            except (ValueError, MemoryError, OverflowError) as error:
                raise OSError(_words(error)) from None

        return Content(size, read)


def open_apfs(
    index: int, volume: int, evidence: Evidence, offset: int, size: int, keys: Sequence[Key] = ()
) -> list[FileSystemReader]:
    """The volumes of an APFS container; a locked one is given with its reason in `unread` and lists nothing.

    Raises:
        EvidenceError: the container cannot be opened.
    """
    import pyfsapfs

    window = MediaWindow(evidence, offset, size)
    container = pyfsapfs.container()
    try:
        container.open_file_object(window)
        volumes = [container.get_volume(i) for i in range(container.number_of_volumes)]
    except _FAULTS as error:
        raise EvidenceError(f"the APFS container cannot be opened: {_words(error)}") from None
    try:
        books = ContainerBooks(evidence, offset, size).volumes()
    except EvidenceError:
        books = []
    readers: list[FileSystemReader] = []
    for number, handle in enumerate(volumes):
        own = index + len(readers)
        reader = LibyalFileSystem(own, volume, offset, size, "APFS", handle, (container, window))
        try:
            name = clean_name(handle.name or "")
            if handle.is_locked() and _unlock(handle, keys):
                reader.notes.append(f"APFS encryption: {OPENED[0].lower()}{OPENED[1:]}")
            elif handle.is_locked():
                said = "no key that was given opens it" if keys else "no key was given"
                reader = LockedVolume(own, volume, offset, size, "APFS", handle, None)
                reader.unread.append(
                    UnreadPart(f"APFS volume {name!r}", f"APFS encryption (FileVault), {said}", offset)
                )
            reader.notes.insert(0, f"APFS volume {name!r}.")
        except _FAULTS as error:
            name = ""
            reader.unread.append(UnreadPart("APFS volume", _words(error), offset))
        # The library gives its volumes in the order of the container; without all of them the counts are no one's.
        if len(books) == len(volumes) and clean_name(books[number].name) == name:
            said_of = books[number]
            reader.expected = said_of.files + said_of.folders + said_of.links + said_of.others
            reader.expected_from = "files, folders and links, by the volume superblock"
            if said_of.snapshots:
                what = f"snapshots of APFS volume {name!r}"
                reason = f"{said_of.snapshots} older states of the volume; the library does not open them"
                reader.unread.append(UnreadPart(what, reason, offset))
        readers.append(reader)
    return readers


def _unlock(handle: Any, keys: Sequence[Key]) -> bool:
    for key in keys:
        for give in (handle.set_password, handle.set_recovery_password):
            if key.text is None:
                continue
            try:
                give(key.text)
                if handle.unlock():
                    return True
            except _FAULTS:
                continue  # The wrong kind of key for this volume; the next may fit.
    return False


class LockedVolume(LibyalFileSystem):
    """An encrypted volume: it lists nothing, and `unread` says why."""

    def entries(self) -> Iterator[FileEntry]:
        """Nothing."""
        return iter(())


def open_xfs(index: int, volume: int, evidence: Evidence, offset: int, size: int) -> list[FileSystemReader]:
    """An XFS file system.

    Raises:
        EvidenceError: it cannot be opened.
    """
    import pyfsxfs

    window = MediaWindow(evidence, offset, size)
    handle = pyfsxfs.volume()
    try:
        handle.open_file_object(window)
    except _FAULTS as error:
        raise EvidenceError(f"the XFS file system cannot be opened: {_words(error)}") from None
    reader = LibyalFileSystem(index, volume, offset, size, "XFS", handle, (None, window))
    block = evidence.read(offset, 512)
    if len(block) == 512:
        used, free = struct.unpack_from(">QQ", block, 128)
        # Among the inodes in use are some that hold the file system itself: the real-time maps and the quotas.
        own = [struct.unpack_from(">Q", block, at)[0] for at in (64, 72, 160, 168, 232)]
        reader.expected = used - free - sum(number not in (0, 0xFFFFFFFFFFFFFFFF) for number in own)
        reader.expected_from = "files and folders, by the superblock"
    return [reader]


def _times(entry: Any) -> Times:
    def of(name: str) -> Any:
        try:
            value = getattr(entry, f"get_{name}_as_integer")()
        except (*_FAULTS, AttributeError):
            return None
        return moment(value // 1_000_000_000, value % 1_000_000_000) if value else None

    return Times(of("creation_time"), of("modification_time"), of("access_time"), of("inode_change_time"))


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
