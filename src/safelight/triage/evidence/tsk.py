"""File systems through The Sleuth Kit (pytsk3): NTFS, FAT12/16/32, exFAT, ext2/3/4, HFS+, ISO 9660.

The obvious walk loses deleted files: NTFS entries come without metadata and must be opened again by their address, and
records without any name (orphans) are met only by going through the metadata table itself. Both are done here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytsk3

from safelight.errors import EvidenceError
from safelight.triage.evidence import counters
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.filesystem import (
    MAX_DEPTH,
    MAX_EXTENTS,
    Content,
    FileSystemReader,
    clean_name,
)
from safelight.triage.evidence.tsk_words import content_of, first_line, is_label, orphan_name, times_of
from safelight.triage.evidence.volumes import TskImage
from safelight.triage.model import Extent, FileEntry, UnreadPart

_REGULAR, _DIRECTORY, _VIRTUAL, _VIRTUAL_DIRECTORY = 1, 2, 10, 11
_TYPES = {pytsk3.TSK_FS_META_TYPE_REG: _REGULAR, pytsk3.TSK_FS_META_TYPE_DIR: _DIRECTORY}
for _name, _kind in (("VIRT", _VIRTUAL), ("VIRT_DIR", _VIRTUAL_DIRECTORY)):
    if hasattr(pytsk3, f"TSK_FS_META_TYPE_{_name}"):
        _TYPES[getattr(pytsk3, f"TSK_FS_META_TYPE_{_name}")] = _kind
_ALLOCATED = 1
_ORPHANS = "$OrphanFiles"
_NO_PLACE = "its record no longer says where its content lies"
_LARGEST_FOLDER = 256 << 20
_NTFS_DATA, _HFS_DATA, _HFS_RESOURCE = 128, 4352, 4353
_RUN_SPARSE, _RUN_FILLER = 2, 1
_ATTR_NONRESIDENT, _ATTR_ENCRYPTED, _ATTR_COMPRESSED = 2, 16, 32
_FAMILIES = {
    int(getattr(pytsk3, f"TSK_FS_TYPE_{key}")): name
    for key, name in (
        ("NTFS", "NTFS"), ("FAT12", "FAT12"), ("FAT16", "FAT16"), ("FAT32", "FAT32"), ("EXFAT", "exFAT"),
        ("EXT2", "ext2"), ("EXT3", "ext3"), ("EXT4", "ext4"), ("HFS", "HFS+"), ("ISO9660", "ISO 9660"),
        ("FFS1", "UFS1"), ("FFS2", "UFS2"), ("YAFFS2", "YAFFS2"),
    )
}  # fmt: skip
#: Families whose metadata table is small enough, and typed enough, to be gone through record by record.
_SCANNED = ("NTFS", "ext2", "ext3", "ext4")


class TskFileSystem(FileSystemReader):
    """One file system that The Sleuth Kit opened."""

    def __init__(self, index: int, volume: int, evidence: Evidence, image: TskImage, offset: int, size: int) -> None:
        try:
            self._fs = pytsk3.FS_Info(image, offset=offset)
        except OSError as error:
            raise EvidenceError(first_line(error)) from None
        info = self._fs.info
        self._block = int(info.block_size)
        super().__init__(index, volume, offset, int(info.block_count) * self._block, self._block)
        self._evidence = evidence
        self.media = evidence  # What the extents of its files are offsets into.
        self.type = _FAMILIES.get(int(info.ftype), f"file system type {int(info.ftype)}")
        self._ntfs = self.type == "NTFS"
        self._first, self._last = int(info.first_inum), int(info.last_inum)
        beyond = offset + self.size - evidence.size
        if beyond > 0 and self.size <= 1 << 62:
            self.unread.append(
                UnreadPart(
                    f"{self.type} file system",
                    "the file system is larger than the image: the image was cut short",
                    evidence.size,
                    beyond,
                )
            )
        if self.type.startswith("FAT"):
            self.notes.append(
                "FAT keeps the time of the device's own clock without a zone; it is shown as if it were UTC."
            )
        if self.type in ("ext3", "ext4"):
            self.notes.append("On ext3 and ext4 a deleted file's content can mostly not be reached through its record.")
        fat = counters.fat_entries if self.type.startswith("FAT") else None
        self._count_entries = counters.exfat_entries if self.type == "exFAT" else fat
        self._entries = self._names = 0
        self._paths: dict[tuple[int, int, int], str] = {}
        self._main: dict[int, str] = {}
        self._former: list[tuple[int, str]] = []
        self._seen: set[int] = set()
        # Where the bytes of deleted files begin, and how many they are when they lie in one piece.
        self.deleted_places: dict[int, int] = {}

    # -- listing -----------------------------------------------------------------------------------------------------

    def entries(self) -> Iterator[FileEntry]:
        """Every file and alternate stream, live and deleted, once, with all its names."""
        yield from self._walk()
        if self.type in _SCANNED:
            yield from self._scan()
        self._settle_former_names()
        self._reconcile()

    def _walk(self) -> Iterator[FileEntry]:
        stack = [(int(self._fs.info.root_inum), "", 0)]
        visited: set[int] = set()
        while stack:
            address, path, depth = stack.pop()
            if address not in visited:
                visited.add(address)
                self.alive(path == _ORPHANS)
                yield from self._folder(address, path, depth, stack)

    def _folder(self, address: int, path: str, depth: int, stack: list[tuple[int, str, int]]) -> Iterator[FileEntry]:
        """What lies in one folder; its own folders are put on the stack."""
        try:
            listing = self._fs.open_dir(inode=address)
        except OSError as error:
            self.unread.append(UnreadPart("folder", f"it cannot be listed: {first_line(error)}", path=path or "/"))
            return
        if path != _ORPHANS:
            self.directories += 1
            self._count_folder(address)
        for found in self._items(listing, path):
            name, meta = found.info.name, found.info.meta
            raw = name.name
            if raw in (b".", b"..", None):
                continue
            where = f"{path}/{clean_name(raw)}" if path else clean_name(raw)
            live_name = bool(int(name.flags) & _ALLOCATED)
            if meta is None or (self._ntfs and not live_name):
                found = self._again(int(name.meta_addr), int(name.meta_seq))
                if found is None:
                    yield self._name_only(where, int(name.meta_addr))
                    continue
                meta = found.info.meta
            kind = _TYPES.get(meta.type, 0)
            live_meta = bool(int(meta.flags) & _ALLOCATED)
            if not live_name and live_meta and not self._same_file(name, meta):
                yield self._name_only(where, int(meta.addr), taken=True)
                continue
            if not live_name and live_meta:
                self._former.append((int(meta.addr), where))
                continue
            self._names += (
                live_name and kind in (_REGULAR, _DIRECTORY) and path != _ORPHANS and not is_label(where, meta)
            )
            yield from self._emit(found, meta, kind, where)
            if kind in (_DIRECTORY, _VIRTUAL_DIRECTORY) and (live_name or not live_meta):
                self._push(stack, int(meta.addr), where, depth)

    def _push(self, stack: list[tuple[int, str, int]], address: int, where: str, depth: int) -> None:
        """A folder to be listed later."""
        if depth < MAX_DEPTH:
            # Orphans come last: finding them goes through every record and is the likeliest to fail.
            stack.insert(0 if where == _ORPHANS else len(stack), (address, where, depth + 1))
        else:
            self.unread.append(UnreadPart("folder", f"folders nest deeper than {MAX_DEPTH} levels", path=where))

    def _items(self, listing: Any, path: str) -> Iterator[Any]:
        iterator = iter(listing)
        while True:
            try:
                item = next(iterator)
            except StopIteration:
                return
            except OSError as error:
                self.unread.append(
                    UnreadPart("folder", f"its listing breaks off: {first_line(error)}", path=path or "/")
                )
                return
            if item.info.name is not None:
                yield item

    def _again(self, address: int, sequence: int) -> Any | None:
        """A deleted entry opened by the address its name keeps; None where the record now belongs to another file."""
        if not self._first <= address <= self._last or address == 0:
            return None
        try:
            found = self._fs.open_meta(address)
        except OSError:
            return None
        meta = found.info.meta
        if meta is None:
            return None
        if self._ntfs and not int(meta.flags) & _ALLOCATED and int(meta.seq) - sequence not in (0, 1):
            return None
        return found

    def _same_file(self, name: Any, meta: Any) -> bool:
        """Whether a deleted name belongs to the live file that owns its record (a rename or move)."""
        return self._ntfs and int(name.meta_seq) == int(meta.seq)

    def _name_only(self, where: str, address: int, *, taken: bool = False) -> FileEntry:
        note = "its record is now used by another file" if taken else "its record can no longer be read"
        return FileEntry(self.index, where, 0, "", address or None, allocated=False, readable=False, notes=(note,))

    def _scan(self) -> Iterator[FileEntry]:
        """Records that no name led to."""
        # A damaged header can claim billions; no record is smaller than 128 bytes. The last is The Sleuth Kit's own.
        end = min(self._last, self._first + self._evidence.size // 128)
        allocated = 0
        for address in range(self._first, end):
            if not address & 1023:
                self.alive(False)
            try:
                found = self._fs.open_meta(address)
            except OSError:
                continue
            meta = found.info.meta
            if meta is None:
                continue
            live = bool(int(meta.flags) & _ALLOCATED)
            allocated += live
            if address in self._seen:
                continue
            kind = _TYPES.get(meta.type, 0)
            if kind != _REGULAR or (int(meta.size) == 0 and not live):
                continue
            if self.type.startswith("ext") and live and address < 11 and address != 2:
                continue  # Reserved inodes: the journal and the resize inode are no one's files.
            yield from self._emit(found, meta, kind, f"{_ORPHANS}/{orphan_name(meta, address)}")
        self.found = allocated

    def _emit(self, found: Any, meta: Any, kind: int, where: str) -> Iterator[FileEntry]:
        address = int(meta.addr)
        if kind == _VIRTUAL:
            return
        self._seen.add(address)
        if kind not in (_REGULAR, _DIRECTORY):
            self.other += kind == 0
            return
        if is_label(where, meta):
            return
        plain = 0
        try:
            attributes = list(found)
        except OSError as error:
            attributes = []
            self.unread.append(UnreadPart("file", f"its attributes cannot be read: {first_line(error)}", path=where))
        for attribute in attributes:
            row = attribute.info
            kind_number, stream = int(row.type), row.name
            is_main = self._is_main(kind_number, stream)
            if kind == _DIRECTORY and (is_main or not self._ntfs):
                continue
            if is_main or (self._ntfs and kind_number == _NTFS_DATA) or kind_number == _HFS_RESOURCE:
                plain += is_main
                if kind_number == _HFS_RESOURCE and int(row.size) == 0:
                    continue
                suffix = "" if is_main else f":{clean_name(stream or b'rsrc')}"
                yield from self._once(meta, attribute, f"{where}{suffix}")
        nothing = where.startswith(f"{_ORPHANS}/") and not int(meta.flags) & _ALLOCATED and int(meta.size) == 0
        if kind == _REGULAR and not plain and not nothing:
            yield from self._once(meta, None, where)

    def _is_main(self, kind: int, stream: bytes | None) -> bool:
        if self._ntfs:
            return kind == _NTFS_DATA and not stream
        if self.type == "HFS+":
            return kind in (_HFS_DATA, int(pytsk3.TSK_FS_ATTR_TYPE_DEFAULT))
        return kind == int(pytsk3.TSK_FS_ATTR_TYPE_DEFAULT)

    def _once(self, meta: Any, attribute: Any | None, where: str) -> Iterator[FileEntry]:
        address = int(meta.addr)
        kind, number = (int(attribute.info.type), int(attribute.info.id)) if attribute is not None else (0, 0)
        key = (address, kind, number)
        live = bool(int(meta.flags) & _ALLOCATED)
        locator = f"{address}/{kind}/{number}"
        known = self._paths.get(key)
        if known is not None:
            self.add_name(locator, known, where)
            return
        size = int(attribute.info.size if attribute is not None else meta.size)
        extents: tuple[Extent, ...] = ()
        notes = [] if attribute is not None or not size else [_NO_PLACE]
        sparse = False
        readable = not notes
        if attribute is not None:
            extents, sparse = self._extents(attribute, size)
            if int(attribute.info.flags) & _ATTR_ENCRYPTED:
                readable = False
                notes.append("encrypted by NTFS (EFS), no key was given")
        self._paths[key] = where
        if not live and len(extents) == 1:
            self.deleted_places[extents[0].offset] = extents[0].size
        if ":" not in where:
            self._main[address] = locator
        yield FileEntry(
            self.index, where, size, locator, address, live, readable, sparse,
            times=times_of(meta), extents=extents, notes=tuple(notes),
        )  # fmt: skip

    def _settle_former_names(self) -> None:
        for address, where in self._former:
            locator = self._main.get(address)
            if locator is not None:
                self.more_notes.setdefault(locator, []).append(f"former name, deleted: {where}")

    def _extents(self, attribute: Any, size: int) -> tuple[tuple[Extent, ...], bool]:
        extents: list[Extent] = []
        stored = holes = 0
        left = size
        try:
            for run in attribute:
                length = min(int(run.len) * self._block, max(left, 0))
                left -= int(run.len) * self._block
                if int(run.flags) & (_RUN_SPARSE | _RUN_FILLER):
                    holes += 1
                    continue
                stored += 1
                if length and len(extents) < MAX_EXTENTS:
                    extents.append(Extent(self.offset + int(run.addr) * self._block, length))
        except OSError:
            return tuple(extents), False
        # NTFS gives no runs at all for `$BadClus:$Bad`, which is as large as the volume and holds nothing.
        elsewhere = self._ntfs and bool(int(attribute.info.flags) & _ATTR_NONRESIDENT)
        return tuple(extents), size > 0 and stored == 0 and (holes > 0 or elsewhere)

    def _reconcile(self) -> None:
        """What the file system's own books say it holds, beside what was met."""
        if self.type.startswith("ext"):
            self.expected, self.expected_from = counters.ext_inodes(self._evidence, self.offset)
        elif self._ntfs:
            self.expected, self.expected_from = self._bitmap_count(), "records in use, by the MFT bitmap"
        elif self.type == "HFS+":
            self.expected, self.expected_from = counters.hfs_files(self._evidence, self.offset)
            self.found = len({key[0] for key in self._paths if key[0] >= 16}) + self.other
        elif self._count_entries is not None:
            self.expected, self.expected_from = self._entries, "live entries of its folders, counted by themselves"
            self.found = self._names
        elif self.type == "ISO 9660":
            self.expected, self.expected_from = counters.iso_folders(self._evidence, self.offset)
            self.found = self.directories

    def _count_folder(self, address: int) -> None:
        """Add a folder's own live entries to the count."""
        if self._count_entries is None:
            return
        try:
            folder = self._fs.open_meta(address)
            size = min(int(folder.info.meta.size), _LARGEST_FOLDER)
            self._entries += self._count_entries(bytes(folder.read_random(0, size)) if size else b"")
        except OSError as error:
            self.notes.append(f"The entries of a folder could not be counted: {first_line(error)}.")

    def _bitmap_count(self) -> int | None:
        try:
            table = self._fs.open_meta(0)
            for attribute in table:
                if int(attribute.info.type) == 176:
                    size = min(int(attribute.info.size), 1 << 27)
                    bits = table.read_random(0, size, attribute.info.type, int(attribute.info.id))
                    return int.from_bytes(bits, "little").bit_count()
        except OSError:
            return None
        return None

    def find(self, path: str) -> str | None:
        """The locator of the main stream of the file at this path."""
        try:
            found = self._fs.open(f"/{path}")
            meta = found.info.meta
            if meta is None or _TYPES.get(meta.type, 0) != _REGULAR:
                return None
            for attribute in found:
                if self._is_main(int(attribute.info.type), attribute.info.name):
                    return f"{int(meta.addr)}/{int(attribute.info.type)}/{int(attribute.info.id)}"
        except OSError:
            return None
        return None

    # -- reading -----------------------------------------------------------------------------------------------------

    def own_content(self, locator: str) -> Content:
        """The bytes of the attribute that `locator` names."""
        address, kind, number = (int(part) for part in locator.split("/"))
        try:
            found = self._fs.open_meta(address)
            if kind == 0:
                return Content(0, lambda at, length: b"")
            for attribute in found:
                if int(attribute.info.type) == kind and int(attribute.info.id) == number:
                    content = content_of(found, attribute.info.type, number, int(attribute.info.size))
                    content.under = partial(self._under, attribute, content.size)
                    return content
        except OSError as error:
            raise EvidenceError(f"Record {address} cannot be opened: {first_line(error)}") from None
        raise EvidenceError(f"Record {address} no longer has the attribute {kind}-{number}.")

    def _under(self, attribute: Any, size: int) -> Iterator[tuple[int, int, str]]:
        """The ranges of a file whose place on the media could not be read."""
        if not self._evidence.missing:
            return
        # NTFS compresses 16 clusters as one; what is lost in them is lost together.
        unit = self._block * (16 if int(attribute.info.flags) & _ATTR_COMPRESSED else 1)
        for run in attribute:
            if int(run.flags) & (_RUN_SPARSE | _RUN_FILLER):
                continue
            start, inside = self.offset + int(run.addr) * self._block, int(run.offset) * self._block
            for left, right, why in self._evidence.missing.within(start, start + int(run.len) * self._block):
                first = (inside + left - start) // unit * unit
                last = min(-(-(inside + right - start) // unit) * unit, size)
                if first < last:
                    yield first, last, why
