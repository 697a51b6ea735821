"""Which files are nothing but their extents, so that they can be read straight from the media without their parser.

A file is plain when its bytes are those of its extents, one after the other: no holes, no compression, no encryption,
and no end that the file system gives as zeros although something else lies there (NTFS keeps an initialised size for
that). Whoever is not surely plain is read through the parser. The tests read every file both ways.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.filesystem import MAX_EXTENTS, Content, FileSystemReader
from safelight.triage.model import FileEntry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

#: File systems whose extents tell everything. HFS+ is missing: it compresses without saying so in its extents.
_TELLING = frozenset({"FAT12", "FAT16", "FAT32", "exFAT", "ext2", "ext3", "ext4"})
_CHUNK = 1 << 18
_CHUNKS = 64
_NTFS_DATA, _NTFS_LIST, _NTFS_END = 0x80, 0x20, 0xFFFFFFFF


def in_order(extents: Sequence[Sequence[int]], window: int) -> bool:
    """Whether one pass over the media, a window at a time, meets the pieces ([offset, size]) one after the other.

    Inside a window, pieces may lie in any order.
    """
    at = 0
    for number, (offset, size) in enumerate(extents):
        if offset < at and (number == 0 or offset // window < (at - 1) // window):
            return False
        at = offset + size
    return True


def lies_in_order(entry: FileEntry, media_size: int, window: int = 1) -> bool:
    """Whether the extents hold the whole file, inside the media, in pieces that the pass over the media can take.

    Args:
        entry: the file.
        media_size: bytes of the media.
        window: bytes of the media that are at hand at a time: inside a window, pieces may lie in any order; and so they
            may anywhere, where the whole file is no larger than a window.
    """
    if not entry.extents or len(entry.extents) >= MAX_EXTENTS:
        return False
    total = 0
    last = len(entry.extents) - 1
    for number, extent in enumerate(entry.extents):
        if extent.offset < 0 or extent.offset % 64 or (number < last and extent.size % 64) or extent.size <= 0:
            return False
        if extent.offset + extent.size > media_size:
            return False
        total += extent.size
    if total != entry.size:
        return False
    return last == 0 or entry.size <= window or in_order([(e.offset, e.size) for e in entry.extents], window)


def lie_in_order(
    sizes: Numbers, offset: Numbers, length: Numbers, starts: NDArray[np.int32], media_size: int, window: int
) -> NDArray[np.bool_]:
    """What `lies_in_order` says of many files.

    Args:
        sizes: bytes of each file.
        offset, length: the extents of all files.
        starts: (files + 1): where each file's extents begin and end.
        media_size, window: as above.
    """
    counts = np.diff(starts)
    found = np.zeros(len(sizes), np.bool_)
    some = np.flatnonzero((counts > 0) & (counts < MAX_EXTENTS))
    if not len(some):
        return found
    last = np.zeros(len(offset), np.bool_)
    last[starts[1:][counts > 0] - 1] = True
    good = (offset >= 0) & (offset % 64 == 0) & (last | (length % 64 == 0)) & (length > 0)
    good &= (length <= media_size) & (offset <= media_size - length)
    begins = starts[:-1][counts > 0]
    whole, total = np.zeros(len(sizes), np.bool_), np.zeros(len(sizes), np.int64)
    whole[counts > 0] = np.logical_and.reduceat(good, begins)
    total[counts > 0] = np.add.reduceat(np.where(good, length, 0), begins)
    found[some] = whole[some] & (total[some] == sizes[some])
    for row in np.flatnonzero(found & (counts > 1) & (sizes > window)).tolist():
        part = slice(starts[row], starts[row + 1])
        found[row] = in_order(list(zip(offset[part].tolist(), length[part].tolist(), strict=True)), window)
    return found


class PlainFiles:
    """Answers for one file system whether a file is plain.

    Args:
        filesystem: the opened file system.
        evidence: the media that is being read; a file system inside something else has no plain files.
    """

    def __init__(self, filesystem: FileSystemReader, evidence: Evidence) -> None:
        self._filesystem = filesystem
        own = getattr(filesystem, "media", None) is evidence
        self._all = own and filesystem.type in _TELLING
        self._table: Content | None = None
        self._chunks: OrderedDict[int, bytes] = OrderedDict()
        self._record_size = 0
        if own and filesystem.type == "NTFS":
            self._open_table(evidence.read(filesystem.offset, 512))

    def holds(self, locator: str) -> bool:
        """Whether the file at `locator` is plain, given that `lies_in_order` said yes."""
        if self._all:
            return True
        if self._table is None:
            return False
        address, kind, number = (int(part) for part in locator.split("/"))
        return kind == _NTFS_DATA and initialised(self._record(address), number)

    def _open_table(self, boot: bytes) -> None:
        clusters = struct.unpack_from("b", boot, 64)[0] if len(boot) == 512 else 0
        size = 1 << -clusters if -16 < clusters < 0 else clusters * self._filesystem.block_size
        if size not in (512, 1024, 2048, 4096):
            return
        for number in range(1, 12):  # The number of the table's own data attribute is not fixed; 1 is usual.
            try:
                self._table = self._filesystem.content(f"0/{_NTFS_DATA}/{number}")
            except EvidenceError:
                continue
            self._record_size = size
            return

    def _record(self, address: int) -> bytes:
        assert self._table is not None
        offset = address * self._record_size
        number, inside = divmod(offset, _CHUNK)
        chunk = self._chunks.get(number)
        if chunk is None:
            try:
                chunk = self._table.read(number * _CHUNK, _CHUNK)
            except OSError:
                chunk = b""
            self._chunks[number] = chunk
            if len(self._chunks) > _CHUNKS:
                self._chunks.popitem(last=False)
        return chunk[inside : inside + self._record_size]


def initialised(record: bytes, number: int) -> bool:
    """Whether the data attribute `number` of an MFT record is stored plainly and written up to its end.

    Source: the layout of FILE records and non-resident attributes as libfsntfs documents it.
    """
    if len(record) < 64 or record[:4] != b"FILE":
        return False
    fixed = bytearray(record)
    where, count = struct.unpack_from("<HH", record, 4)
    if where + 2 * count > len(record) or (count - 1) * 512 > len(record):
        return False
    for sector in range(1, count):
        end = sector * 512
        if fixed[end - 2 : end] != record[where : where + 2]:
            return False
        fixed[end - 2 : end] = record[where + 2 * sector : where + 2 * sector + 2]
    if struct.unpack_from("<Q", fixed, 32)[0]:
        return False  # A continuation of another record.
    found = False
    for at, kind in _attributes(fixed):
        if kind == _NTFS_LIST:
            return False  # Its runs lie in several records; the parser puts them together.
        if kind == _NTFS_DATA and struct.unpack_from("<H", fixed, at + 14)[0] == number:
            if fixed[at + 8] != 1 or at + 64 > len(fixed) or struct.unpack_from("<H", fixed, at + 12)[0]:
                return False
            first, real, written = (struct.unpack_from("<Q", fixed, at + o)[0] for o in (16, 48, 56))
            found = first == 0 and written >= real
    return found


def _attributes(record: bytearray) -> Sequence[tuple[int, int]]:
    rows = []
    at = struct.unpack_from("<H", record, 20)[0]
    while at + 24 <= len(record):
        kind, length = struct.unpack_from("<II", record, at)
        if kind == _NTFS_END or length < 24 or at + length > len(record):
            break
        rows.append((at, kind))
        at += length
    return rows
