"""The books of an ext2, ext3 or ext4 file system: superblock, groups, bitmaps of inodes, inodes read many at a time.

Source: Documentation/filesystems/ext4 of the kernel, for the layout.
"""

from __future__ import annotations

import bisect
import struct
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from safelight.triage.evidence.base import Evidence

    Numbers = NDArray[np.int64]
    Octets = NDArray[np.uint8]
    Marks = NDArray[np.bool_]

#: Bytes of an inode that are looked at: up to the nanoseconds of its creation.
KEPT = 160
REGULAR, DIRECTORY = 0x8000, 0x4000
#: Features. (The large-file feature lets a file have more than 4 GiB; of a directory only 32 bits of size count.)
RECOVER, META_GROUPS, WIDE, FILETYPE = 0x4, 0x10, 0x80, 0x2
_LARGE_FILES, _SPARSE_SUPER = 0x2, 0x1
_PIECE = 1 << 20
_PIECES = 64


@dataclass(frozen=True, slots=True)
class Books:
    """What the superblock says.

    Attributes:
        block: bytes of a block.
        blocks: of the file system.
        inodes: how many there are; they are numbered from 1.
        per_group: inodes of a group.
        inode_size: bytes.
        fourth: it is ext4, so inodes have nanoseconds and a time of creation.
        old_names: directory entries have no type.
        large: regular files have 64 bits of size.
        dirty: the journal holds changes that were not written back.
        scattered: group descriptors do not lie in a row behind the superblock (meta_bg).
        tables, maps: first block of each group's inode table and inode bitmap; -1 where that lies nowhere.
    """

    block: int
    blocks: int
    inodes: int
    per_group: int
    inode_size: int
    fourth: bool
    old_names: bool
    large: bool
    dirty: bool
    scattered: bool
    tables: Numbers
    maps: Numbers


def read_books(evidence: Evidence, offset: int, *, fourth: bool) -> Books | str:
    """The books of the file system at `offset`; why they cannot be used, in words, where that is so."""
    raw = evidence.read(offset + 1024, 1024)
    if len(raw) < 1024 or raw[56:58] != b"\x53\xef":
        return "its superblock is not that of a little-endian file system"
    inodes, blocks = struct.unpack_from("<II", raw)
    first, shift = struct.unpack_from("<II", raw, 20)
    group_blocks, per_group = struct.unpack_from("<I4xI", raw, 32)
    incompatible, read_only = struct.unpack_from("<II", raw, 96)
    old = struct.unpack_from("<I", raw, 76)[0] == 0
    inode_size = 128 if old else struct.unpack_from("<H", raw, 88)[0]
    said = struct.unpack_from("<H", raw, 254)[0]
    wide = bool(fourth and incompatible & WIDE and said >= 64)
    if fourth and incompatible & WIDE:
        blocks |= struct.unpack_from("<I", raw, 336)[0] << 32
    if shift > 6:
        return f"blocks of 2^{10 + shift} bytes"
    block = 1024 << shift
    if not (128 <= inode_size <= block and inode_size & (inode_size - 1) == 0):
        return f"inodes of {inode_size} bytes"
    if not group_blocks or not 0 < per_group <= 8 * block or first >= blocks or not inodes:
        return "the sizes of its groups make no sense"
    groups = -(-(blocks - first) // group_blocks)
    size = max(said, 64 if wide else 32)
    if inodes > groups * per_group or groups * size > evidence.size or groups > 1 << 24 or size > block:
        return "it claims more groups than the image holds"
    scattered = bool(incompatible & META_GROUPS)
    if scattered:
        descriptors = _scattered(
            evidence, offset, raw, size, groups=groups, first=first, block=block, group_blocks=group_blocks,
            sparse=bool(read_only & _SPARSE_SUPER),
        )  # fmt: skip
    else:
        descriptors = evidence.read(offset + (first + 1) * block, groups * size)
    if len(descriptors) < groups * size:
        return "its group descriptors lie behind the end of the image"
    rows = np.frombuffer(descriptors, np.uint8, groups * size).reshape(groups, size)
    places = []
    for low, high in ((8, 40), (4, 36)):
        value = rows[:, low : low + 4].copy().view("<u4")[:, 0].astype(np.int64)
        if wide:
            value |= rows[:, high : high + 4].copy().view("<u4")[:, 0].astype(np.int64) << 32
        places.append(value)
    tables, maps = places
    bad = (tables <= 0) | (tables >= blocks) | (maps <= 0) | (maps >= blocks)
    tables[bad] = maps[bad] = -1
    return Books(
        block, blocks, inodes, per_group, inode_size, fourth, not incompatible & FILETYPE,
        bool(read_only & _LARGE_FILES), bool(incompatible & RECOVER), scattered, tables, maps,
    )  # fmt: skip


def _scattered(
    evidence: Evidence, offset: int, raw: bytes, size: int, *, groups: int, first: int, block: int, group_blocks: int,
    sparse: bool,
) -> bytes:  # fmt: skip
    """Group descriptors of meta block groups: each block of them lies in the first group that it describes."""
    each = block // size
    begins = struct.unpack_from("<I", raw, 260)[0]
    parts = []
    for number in range(-(-groups // each)):
        place = first + 1 + number
        if number >= begins:
            group = number * each
            place = first + group * group_blocks + (not sparse or _has_superblock(group))
        parts.append(evidence.read(offset + place * block, block)[: each * size])
    return b"".join(parts)


def _has_superblock(group: int) -> bool:
    """With sparse superblocks, only groups 0, 1 and powers of 3, 5 and 7 have a copy."""
    if group <= 1:
        return True
    for base in (3, 5, 7):
        power = base
        while power < group:
            power *= base
        if power == group:
            return True
    return False


class Bits:
    """One bit for each inode number."""

    def __init__(self, count: int) -> None:
        self.raw = np.zeros(count // 8 + 1, np.uint8)

    def get(self, numbers: Numbers) -> Marks:
        """Whether each is set."""
        found: Marks = (self.raw[numbers >> 3] >> (numbers & 7).astype(np.uint8) & 1).astype(np.bool_)
        return found

    def set(self, numbers: Numbers) -> None:
        """Set each."""
        np.bitwise_or.at(self.raw, numbers >> 3, np.left_shift(1, numbers & 7).astype(np.uint8))


class Inodes:
    """The inodes of a file system, as many at a time as are asked for; some of the table is kept at hand.

    Attributes:
        used: those that the bitmaps say are in use.
        in_use: how many that are, of those whose record lies in the media.
    """

    def __init__(self, evidence: Evidence, offset: int, books: Books) -> None:
        self._evidence = evidence
        self._offset = offset
        self._books = books
        self._each = max(1, _PIECE // books.inode_size)
        self._in_group = -(-books.per_group // self._each)
        self._pieces: OrderedDict[int, Octets] = OrderedDict()
        self.used = Bits(books.inodes + 1)
        # Records of each group that lie inside the media; none where its books make no sense.
        there = (evidence.size - offset - books.tables * books.block) // books.inode_size
        self._there = np.where(books.tables < 0, 0, np.clip(there, 0, books.per_group))
        self.in_use = 0
        for group in np.flatnonzero(self._there).tolist():
            start = 1 + group * books.per_group
            many = min(books.per_group, books.inodes + 1 - start)
            raw = evidence.read(offset + int(books.maps[group]) * books.block, books.block)
            if many <= 0 or len(raw) < books.block:
                self._there[group] = 0
                continue
            if not any(raw):
                continue
            bits = np.unpackbits(np.frombuffer(raw, np.uint8), count=many, bitorder="little")
            bits[self._there[group] :] = 0
            numbers = start + np.flatnonzero(bits)
            self.used.set(numbers)
            self.in_use += len(numbers)

    def known(self, numbers: Numbers) -> Marks:
        """Whether each is the number of an inode whose record lies in the media."""
        group, inside = np.divmod(numbers - 1, self._books.per_group)
        good = (numbers > 0) & (numbers <= self._books.inodes)
        found: Marks = good & (inside < self._there[np.where(good, group, 0)])
        return found

    def _piece(self, number: int) -> Octets:
        found = self._pieces.get(number)
        if found is not None:
            self._pieces.move_to_end(number)
            return found
        found = self._pieces[number] = self._read(number)
        if len(self._pieces) > _PIECES:
            self._pieces.popitem(last=False)
        return found

    def _read(self, number: int) -> Octets:
        """Inodes of one piece of a group's table, uint8 (inodes, bytes kept)."""
        b = self._books
        group, part = divmod(number, self._in_group)
        many = min(self._each, b.per_group - part * self._each)
        table = int(b.tables[group])
        raw = b""
        if table >= 0:
            at = self._offset + table * b.block + part * self._each * b.inode_size
            raw = self._evidence.read(at, many * b.inode_size)
        whole = np.zeros((many, b.inode_size), np.uint8)
        whole.reshape(-1)[: len(raw)] = np.frombuffer(raw, np.uint8)
        kept = np.zeros((many, KEPT), np.uint8)
        kept[:, : min(KEPT, b.inode_size)] = whole[:, :KEPT]
        return kept

    def rows(self, numbers: Numbers) -> Octets:
        """Inodes by number (1 to the last), uint8 (inodes, `KEPT`)."""
        group, inside = np.divmod(numbers - 1, self._books.per_group)
        part, inside = np.divmod(inside, self._each)
        piece = group * self._in_group + part
        found = np.empty((len(numbers), KEPT), np.uint8)
        borders = np.flatnonzero(np.diff(piece)) + 1
        if len(borders) * 8 > len(numbers):
            for number in np.unique(piece).tolist():
                mine = piece == number
                found[mine] = self._piece(number)[inside[mine]]
            return found
        for left, right in zip([0, *borders.tolist()], [*borders.tolist(), len(numbers)], strict=True):
            if left < right:
                found[left:right] = self._piece(int(piece[left]))[inside[left:right]]
        return found

    def all(self) -> Iterator[tuple[int, Octets]]:
        """All inodes in order, but for stretches that the image does not store: the number of the first, and them."""
        b = self._books
        stored = list(self._evidence.stored())
        ends = [end for _, end in stored]
        for group in np.flatnonzero(self._there).tolist():
            for part in range(self._in_group):
                first = 1 + group * b.per_group + part * self._each
                if first > b.inodes:
                    return
                begin = self._offset + int(b.tables[group]) * b.block + part * self._each * b.inode_size
                near = bisect.bisect_right(ends, begin)
                if near < len(stored) and stored[near][0] < begin + self._each * b.inode_size:
                    many = min(b.inodes + 1 - first, int(self._there[group]) - part * self._each)
                    yield first, self._read(group * self._in_group + part)[: max(many, 0)]


def column(rows: Octets, at: int, kind: str) -> Numbers:
    """One number of each inode, as int64."""
    size = np.dtype(kind).itemsize
    return np.ascontiguousarray(rows[:, at : at + size]).view(kind)[:, 0].astype(np.int64)


def sizes(rows: Octets, *, large: bool) -> Numbers:
    """Bytes of each file. Only regular files have more than 32 bits of size."""
    low = column(rows, 4, "<u4")
    if large:
        low += np.where(column(rows, 0, "<u2") & 0xF000 == REGULAR, column(rows, 108, "<u4"), 0) << 32
    return low


def size_of(evidence: Evidence, offset: int, books: Books, number: int) -> int:
    """Bytes of the regular file whose inode has this number; 0 where that cannot be told."""
    if not 0 < number <= books.inodes:
        return 0
    group, inside = divmod(number - 1, books.per_group)
    if books.tables[group] < 0:
        return 0
    at = offset + int(books.tables[group]) * books.block + inside * books.inode_size
    raw = evidence.read(at, books.inode_size)
    row = np.frombuffer(raw, np.uint8)[None]
    if len(raw) < books.inode_size or column(row, 0, "<u2")[0] & 0xF000 != REGULAR:
        return 0
    return int(sizes(row, large=books.large)[0])


def times(rows: Octets, *, fourth: bool) -> tuple[Numbers, Marks]:
    """Created, written, accessed, changed in microseconds since 1970, int64 (files, 4); and which of them are known.

    As The Sleuth Kit gives them: seconds without the two bits that reach beyond the year 2106.
    """
    found = np.zeros((len(rows), 4), np.int64)
    for i, (at, fine) in enumerate(((144, 148), (16, 136), (8, 140), (12, 132))):
        if i == 0 and not fourth:
            continue
        seconds = column(rows, at, "<u4")
        nanoseconds = np.minimum(column(rows, fine, "<u4") >> 2, 999_999_999) if fourth else 0
        found[:, i] = np.where(seconds > 0, seconds * 1_000_000 + nanoseconds // 1000, 0)
    known: Marks = found >= 1_000_000
    return found, known
