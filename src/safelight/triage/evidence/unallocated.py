"""Free space of a file system, and the whole pictures in it: by its allocation bitmap, streamed, never a used byte.

Free ranges come from the file system's own books: `$Bitmap` of NTFS, the FAT, the bitmap of exFAT, the block bitmaps of
ext, the allocation file of HFS+, the trees of XFS, the space manager of APFS, the bitmaps of UDF. A picture is looked
for at every sector of a free range and must lie whole in it: one that was stored in pieces is not found.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from safelight.errors import EvidenceError
from safelight.triage.evidence import freebooks
from safelight.triage.evidence.apfs_books import ContainerBooks
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.carving import BOXED, ENDINGS, STARTS, picture_end
from safelight.triage.evidence.filesystem import Content, FileSystemReader
from safelight.triage.evidence.tsk import TskFileSystem
from safelight.triage.evidence.udf import UdfFileSystem
from safelight.triage.model import Extent, FileEntry, UnreadPart

KINDS = ("NTFS", "FAT12", "FAT16", "FAT32", "exFAT", "ext2", "ext3", "ext4", "HFS+", "XFS", "APFS", "UDF")
_SECTOR = 512
_WINDOW = 4 << 20
_BITS = 1 << 20
_NOTE = "carved: a whole picture found in free space by its own structure; its name and times are not known"


class Freed(Protocol):
    """A file system whose free space is searched.

    Attributes:
        deleted_places: where bytes of deleted files begin that it lists, and how many they are.
    """

    index: int
    volume: int
    type: str
    offset: int
    size: int
    block_size: int
    deleted_places: dict[int, int]


def free_ranges(filesystem: Freed, evidence: Evidence) -> Iterator[tuple[int, int]]:
    """Free ranges (offset, size) of the medium, ascending, joined where they touch.

    Raises:
        EvidenceError: the file system's books cannot be read.
    """
    rows: Iterator[tuple[int, int]]
    if isinstance(filesystem, TskFileSystem) and filesystem.type == "NTFS":
        rows = _ntfs(filesystem)
    elif isinstance(filesystem, UdfFileSystem):
        rows = filesystem.free_ranges()
    elif filesystem.type == "HFS+":
        rows = freebooks.hfs_free(evidence, filesystem.offset)
    elif filesystem.type == "XFS":
        rows = freebooks.xfs_free(evidence, filesystem.offset)
    elif filesystem.type == "APFS":
        rows = ContainerBooks(evidence, filesystem.offset, filesystem.size).free_ranges()
    elif filesystem.type == "exFAT":
        rows = _exfat(filesystem, evidence)
    elif filesystem.type.startswith("FAT"):
        rows = _fat(filesystem, evidence)
    else:
        rows = _ext(filesystem, evidence)
    last: tuple[int, int] | None = None
    for start, size in rows:
        size = min(size, evidence.size - start)
        if size <= 0:
            continue
        if last is not None and last[0] + last[1] == start:
            last = (last[0], last[1] + size)
        else:
            if last is not None:
                yield last
            last = (start, size)
    if last is not None:
        yield last


def _runs(free: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Index and length of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False]))))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield start, end - start


def _bitmap(raw: bytes, count: int) -> npt.NDArray[np.bool_]:
    bits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[:count]
    free: npt.NDArray[np.bool_] = bits == 0
    return free


def _ntfs(filesystem: TskFileSystem) -> Iterator[tuple[int, int]]:
    block, content = filesystem.block_size, None
    for number in range(1, 12):  # The number of its data attribute is not fixed.
        try:
            content = filesystem.own_content(f"6/128/{number}")
            break
        except EvidenceError:
            continue
    if content is None:
        raise EvidenceError("its cluster bitmap cannot be read")
    total = filesystem.size // block
    for at in range(0, content.size, _BITS):
        try:
            raw = content.read(at, _BITS)
        except OSError as error:
            raise EvidenceError(f"its cluster bitmap cannot be read: {error}") from None
        for start, length in _runs(_bitmap(raw, max(0, total - at * 8))):
            yield filesystem.offset + (at * 8 + start) * block, length * block


def _fat(filesystem: Freed, evidence: Evidence) -> Iterator[tuple[int, int]]:
    base = filesystem.offset
    boot = evidence.read(base, 512)
    sector, per, reserved, copies, roots, small, _, short = struct.unpack_from("<HBHBHHBH", boot, 11)
    large, long = struct.unpack_from("<I", boot, 32)[0], struct.unpack_from("<I", boot, 36)[0]
    table = short or long
    if not sector or not per or not table:
        raise EvidenceError("its boot sector is damaged")
    data = reserved + copies * table + -(-roots * 32 // sector)
    clusters = ((small or large) - data) // per
    cluster, first = sector * per, base + data * sector
    if clusters <= 0:
        raise EvidenceError("its boot sector is damaged")
    width = {"FAT12": 12, "FAT16": 16}.get(filesystem.type, 32)
    start = base + reserved * sector
    step = 3 * _BITS // 4  # Entries of 12 bits come in pairs of three bytes.
    for at in range(0, clusters + 2, step):
        count = min(step, clusters + 2 - at)
        raw = evidence.read(start + at * width // 8, -(-count * width // 8) + 1)
        entries: npt.NDArray[np.uint32]
        if width == 12:
            raw = raw[: len(raw) // 3 * 3] + (raw[len(raw) // 3 * 3 :] + b"\xff\xff\xff")[:3]
            triple = np.frombuffer(raw, np.uint8).reshape(-1, 3).astype(np.uint16)
            entries = np.empty(len(triple) * 2, np.uint32)
            entries[::2] = triple[:, 0] | (triple[:, 1] & 15) << 8
            entries[1::2] = triple[:, 1] >> 4 | triple[:, 2] << 4
        elif width == 16:
            entries = np.frombuffer(raw[: len(raw) // 2 * 2], "<u2").astype(np.uint32)
        else:
            entries = (np.frombuffer(raw[: len(raw) // 4 * 4], "<u4") & 0x0FFFFFFF).astype(np.uint32)
        free = entries[:count] == 0
        if at == 0:
            free[:2] = False
        for index, length in _runs(free):
            yield first + (at + index - 2) * cluster, length * cluster


def _exfat(filesystem: Freed, evidence: Evidence) -> Iterator[tuple[int, int]]:
    base = filesystem.offset
    boot = evidence.read(base, 512)
    heap, clusters, root = struct.unpack_from("<III", boot, 88)
    sector = 1 << min(boot[108], 12)
    cluster = sector << min(boot[109], 20)
    first = base + heap * sector
    listing = evidence.read(first + (root - 2) * cluster, min(cluster, 1 << 20)) if root >= 2 else b""
    for at in range(0, len(listing) - 31, 32):
        if listing[at] == 0x81:
            place, size = struct.unpack_from("<IQ", listing, at + 20)
            break
    else:
        raise EvidenceError("its allocation bitmap cannot be found")
    size = min(size, -(-clusters // 8))
    for done in range(0, size, _BITS):
        raw = evidence.read(first + (place - 2) * cluster + done, min(_BITS, size - done))
        for index, length in _runs(_bitmap(raw, clusters - done * 8)):
            yield first + (done * 8 + index) * cluster, length * cluster


def _ext(filesystem: Freed, evidence: Evidence) -> Iterator[tuple[int, int]]:
    base, block = filesystem.offset, filesystem.block_size
    head = evidence.read(base + 1024, 1024)
    blocks, first, per = struct.unpack_from("<I", head, 4)[0], *struct.unpack_from("<I8xI", head, 20)
    features, wide = struct.unpack_from("<I", head, 96)[0], struct.unpack_from("<I", head, 0x150)[0]
    large = bool(features & 0x80)
    if large:
        blocks |= wide << 32
    row = max(32, struct.unpack_from("<H", head, 254)[0]) if large else 32
    if not per or per > block * 8 or features & 0x10:
        raise EvidenceError("its group descriptors cannot be read by this version")
    table = base + (first + 1) * block
    for group in range(-(-(blocks - first) // per)):
        entry = evidence.read(table + group * row, row)
        if len(entry) < row:
            return
        bitmap = struct.unpack_from("<I", entry)[0] | (struct.unpack_from("<I", entry, 32)[0] << 32 if row >= 64 else 0)
        count = min(per, blocks - first - group * per)
        if struct.unpack_from("<H", entry, 18)[0] & 2:
            # Not used since the volume was formatted, so it has no bitmap; what lay there before may still be there.
            yield base + (first + group * per) * block, count * block
            continue
        raw = evidence.read(base + bitmap * block, -(-count // 8))
        for index, length in _runs(_bitmap(raw, count)):
            yield base + (first + group * per + index) * block, length * block


class UnallocatedSpace(FileSystemReader):
    """The whole pictures in the free space of one file system; `locator` is `offset/size`."""

    main = False

    def __init__(self, index: int, filesystem: Freed, evidence: Evidence) -> None:
        super().__init__(index, filesystem.volume, filesystem.offset, filesystem.size, filesystem.block_size)
        self.type = f"free space of {filesystem.type}"
        self.media = evidence
        self._filesystem = filesystem
        self._evidence = evidence
        self.searched = 0

    def entries(self) -> Iterator[FileEntry]:
        """Every whole picture that lies in one piece in free space, but for those a deleted record leads to anyway."""
        if self._evidence.thin:
            self._left("the image claims far more bytes than its files hold")
            return
        try:
            for start, size in free_ranges(self._filesystem, self._evidence):
                self.searched += size
                yield from self._search(start, start + size)
        except (EvidenceError, struct.error, ValueError) as error:
            self._left(error.what if isinstance(error, EvidenceError) else "its books are damaged")
        self.notes.append(f"{self.searched:,} bytes of free space were searched for whole pictures.")

    def _left(self, reason: str) -> None:
        self.unread.append(UnreadPart(self.type, f"not searched for pictures: {reason}", self.offset))

    def _search(self, start: int, end: int) -> Iterator[FileEntry]:
        known = self._filesystem.deleted_places
        skip = at = start
        while at < end:
            self.alive(False)
            window = self._evidence.read(at, min(_WINDOW, end - at))
            usable = len(window) // _SECTOR * _SECTOR
            words = np.frombuffer(window, "<u4", usable // 4).reshape(-1, _SECTOR // 4)
            marks = words[:, 0].astype(np.uint16)
            boxed = words[:, 1] == BOXED
            for number in np.flatnonzero(np.isin(marks, list(STARTS)) | boxed).tolist():
                place = at + number * _SECTOR
                if place < skip:
                    continue
                kind = "HEIC" if boxed[number] else STARTS[int(marks[number])]
                try:
                    stop = picture_end(kind, self._evidence.read, place, end)
                except struct.error:
                    stop = None
                if stop is None or self._evidence.missing.overlaps(place, stop):
                    continue
                skip = stop
                if known.get(place) == stop - place:
                    continue  # It was listed as the deleted file that it is.
                yield FileEntry(
                    self.index, f"[unallocated]/{place}.{ENDINGS[kind]}", stop - place, f"{place}/{stop - place}",
                    allocated=False, extents=(Extent(place, stop - place),), notes=(_NOTE,), origin="carved",
                )  # fmt: skip
            at = max(at + len(window), skip // _SECTOR * _SECTOR if skip > at + len(window) else 0)

    def own_content(self, locator: str) -> Content:
        """The bytes of the picture at this place."""
        start, size = (int(part) for part in locator.split("/"))
        read = self._evidence.read
        missing = self._evidence.missing

        def under() -> list[tuple[int, int, str]]:
            return [(a - start, b - start, why) for a, b, why in missing.within(start, start + size)]

        return Content(size, lambda at, length: read(start + at, min(length, size - at)), under=under)
