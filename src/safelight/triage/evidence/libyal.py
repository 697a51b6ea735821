"""APFS and XFS through libyal. Both show live files; neither library gives deleted ones, and the listing says so."""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence, MediaWindow
from safelight.triage.evidence.filesystem import (
    MAX_DEPTH,
    MAX_EXTENTS,
    Content,
    FileSystemReader,
    clean_name,
    moment,
)
from safelight.triage.model import Extent, FileEntry, Times, UnreadPart

_FAULTS = (OSError, ValueError, MemoryError, OverflowError)


class LibyalFileSystem(FileSystemReader):
    """A file system whose library gives a root directory and entries by number."""

    def __init__(self, index: int, volume: int, offset: int, size: int, kind: str, handle: Any, keep: Any) -> None:
        super().__init__(index, volume, offset, size, 0)
        self.type = kind
        self._handle = handle
        self._keep = keep  # The library reads through these objects, so they must live as long as it.
        self.notes.append(f"Deleted files and snapshots of {kind} are not read by this version.")

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
                except _FAULTS as error:
                    self.unread.append(
                        UnreadPart("file", f"its record cannot be read: {_words(error)}", path=path or "/")
                    )
        self.found = len(seen) + 1

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
                entry = self._handle.get_file_entry_by_identifier(int(locator))
            else:
                entry = self._handle.get_file_entry_by_inode(int(locator))
            size = int(entry.size or 0)
        except _FAULTS as error:
            raise EvidenceError(f"Record {locator} cannot be opened: {_words(error)}") from None

        def read(at: int, length: int) -> bytes:
            try:
                return bytes(entry.read_buffer_at_offset(min(length, size - at), at))
            except (ValueError, MemoryError, OverflowError) as error:
                raise OSError(_words(error)) from None

        return Content(size, read)


def open_apfs(index: int, volume: int, evidence: Evidence, offset: int, size: int) -> list[FileSystemReader]:
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
    readers: list[FileSystemReader] = []
    for handle in volumes:
        reader = LibyalFileSystem(index + len(readers), volume, offset, size, "APFS", handle, (container, window))
        try:
            name = clean_name(handle.name or "")
            reader.notes.append(f"APFS volume {name!r}.")
            if handle.is_locked():
                reader = LockedVolume(index + len(readers), volume, offset, size, "APFS", handle, None)
                reader.unread.append(
                    UnreadPart(f"APFS volume {name!r}", "APFS encryption (FileVault), no key was given", offset)
                )
        except _FAULTS as error:
            reader.unread.append(UnreadPart("APFS volume", _words(error), offset))
        readers.append(reader)
    return readers


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
    reader = LibyalFileSystem(index, volume, offset, size, "XFS", handle, window)
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
