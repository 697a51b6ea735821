"""What an APFS container says of itself: its free space, and for each volume how much it holds and how many snapshots.

Read beside libfsapfs, which lists the files. Layout: Apple File System Reference (2020-06-22). Objects are used only
when their Fletcher checksum is right; nothing of it is trusted further than that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence

_MAPPING, _SPACEMAN, _INFO, _ADDRESSES = 0x0C, 0x05, 0x07, 0x06
_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class VolumeBooks:
    """One volume's own counts. `encrypted`: it needs a key."""

    name: str
    files: int
    folders: int
    links: int
    others: int
    snapshots: int
    encrypted: bool


class ContainerBooks:
    """The newest checkpoint of the container at `offset`.

    Raises:
        EvidenceError: no superblock is whole.
    """

    def __init__(self, evidence: Evidence, offset: int, size: int) -> None:
        self._evidence, self._offset, self._size = evidence, offset, size
        head = evidence.read(offset, 4096)
        self._block = struct.unpack_from("<I", head, 36)[0] if len(head) == 4096 and head[32:36] == b"NXSB" else 0
        if self._block not in (4096, 8192, 16384, 32768, 65536):
            raise EvidenceError("its container superblock is damaged")
        count, base = struct.unpack_from("<I4xQ", head, 104)
        self._area, self._length = base, min(count & 0x7FFFFFFF, 1 << 16)
        rows = [self._object(0)]
        if not count >> 31:
            rows += [self._object(base + number) for number in range(self._length)]
        whole = [raw for raw in rows if raw[32:36] == b"NXSB"]
        if not whole:
            raise EvidenceError("no container superblock is whole")
        self._super = max(whole, key=lambda raw: int(struct.unpack_from("<Q", raw, 16)[0]))

    def _object(self, block: int) -> bytes:
        """A block with a right checksum; else nothing."""
        raw = self._evidence.read(self._offset + block * self._block, self._block) if 0 <= block < 1 << 48 else b""
        if len(raw) < self._block:
            return b""
        words = np.frombuffer(raw, "<u4")[2:].astype(np.uint64)
        modulus = (1 << 32) - 1
        one = int(words.sum()) % modulus
        two = int((words * np.arange(len(words), 0, -1, dtype=np.uint64) % np.uint64(modulus)).sum()) % modulus
        low = modulus - (one + two) % modulus
        high = modulus - (one + low) % modulus
        return raw if struct.unpack_from("<II", raw) == (low, high) else b""

    def _kind(self, raw: bytes) -> int:
        return int(struct.unpack_from("<H", raw, 24)[0]) if len(raw) >= 32 else 0

    # -- counts ------------------------------------------------------------------------------------------------------

    def volumes(self) -> list[VolumeBooks]:
        """Each volume's counts, in the order of the container."""
        omap = self._object(struct.unpack_from("<Q", self._super, 160)[0])
        if len(omap) < 56:
            return []
        places: dict[int, tuple[int, int]] = {}
        for oid, xid, place in self._mapped(struct.unpack_from("<Q", omap, 48)[0], 0):
            if oid not in places or places[oid][0] < xid:
                places[oid] = (xid, place)
        found = []
        for (oid,) in struct.iter_unpack("<Q", self._super[184 : 184 + 800]):
            raw = self._object(places[oid][1]) if oid in places else b""
            if raw[32:36] == b"APSB":
                files, folders, links, others, older = struct.unpack_from("<5Q", raw, 184)
                name = raw[704:960].split(b"\0")[0].decode("utf-8", "replace")
                flags = struct.unpack_from("<Q", raw, 264)[0]
                found.append(VolumeBooks(name, files, folders, links, others, older, not flags & 1))
        return found

    def _mapped(self, block: int, depth: int) -> Iterator[tuple[int, int, int]]:
        """(object, transaction, block) of an object map's tree."""
        raw = self._object(block)
        if len(raw) < 96 or depth > 8:
            return
        flags, level, count, first, length = struct.unpack_from("<HHIHH", raw, 32)
        keys, end = 56 + first + length, len(raw) - (40 if flags & 1 else 0)
        for number in range(min(count, 1024)):
            key, value = struct.unpack_from("<HH", raw, 56 + first + number * 4)
            if keys + key + 16 > len(raw) or not 8 <= value <= end:
                return
            oid, xid = struct.unpack_from("<QQ", raw, keys + key)
            if level:
                yield from self._mapped(struct.unpack_from("<Q", raw, end - value)[0], depth + 1)
            elif value >= 16:
                yield oid, xid, struct.unpack_from("<Q", raw, end - value + 8)[0]

    # -- free space --------------------------------------------------------------------------------------------------

    def free_ranges(self) -> Iterator[tuple[int, int]]:
        """Free ranges (offset, size) of the media, ascending.

        Raises:
            EvidenceError: the space manager cannot be read.
        """
        manager = self._manager()
        count, _, infos, addresses, _, at = struct.unpack_from("<QQIIQI", manager, 48)
        if max(infos, addresses) > _MOST:
            raise EvidenceError("its space manager is damaged")
        places = self._addresses(manager, at, addresses or infos)
        if addresses:
            places = [p for place in places for p in self._inner_addresses(place)]
        start = 0
        for place in places:
            raw = self._object(place)
            if self._kind(raw) != _INFO:
                raise EvidenceError("a part of its space manager is damaged")
            number = min(struct.unpack_from("<I", raw, 36)[0], (len(raw) - 40) // 32)
            for row in range(number):
                blocks, _, bitmap = struct.unpack_from("<IIQ", raw, 40 + row * 32 + 16)
                blocks = min(blocks, max(0, count - start), self._block * 8)
                yield from self._runs(start, blocks, bitmap)
                start += blocks

    def _runs(self, start: int, blocks: int, bitmap: int) -> Iterator[tuple[int, int]]:
        free: npt.NDArray[np.bool_] = np.ones(blocks, np.bool_)
        if bitmap:
            at = self._offset + bitmap * self._block
            raw = self._evidence.read(at, self._block)
            if len(raw) < self._block or self._evidence.missing.overlaps(at, at + self._block):
                raise EvidenceError("a bitmap of its space manager cannot be read")
            free = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[:blocks] == 0
        edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False]))))
        for left, right in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            yield self._offset + (start + left) * self._block, (right - left) * self._block

    def _manager(self) -> bytes:
        wanted = struct.unpack_from("<Q", self._super, 152)[0]
        xid = struct.unpack_from("<Q", self._super, 16)[0]
        best = b""
        for number in range(self._length):
            raw = self._object(self._area + number)
            if self._kind(raw) != _MAPPING or struct.unpack_from("<Q", raw, 16)[0] > xid:
                continue
            for row in range(min(struct.unpack_from("<I", raw, 36)[0], (len(raw) - 40) // 40)):
                size, _, _, oid, place = struct.unpack_from("<IIQQQ", raw, 40 + row * 40 + 8)
                found = self._object(place) if oid == wanted and size <= self._block else b""
                if self._kind(found) == _SPACEMAN and _newer(found, best):
                    best = found
        if not best:
            raise EvidenceError("its space manager cannot be found")
        return best

    def _addresses(self, raw: bytes, at: int, count: int) -> list[int]:
        if at + count * 8 > len(raw):
            raise EvidenceError("its space manager is damaged")
        return list(struct.unpack_from(f"<{count}Q", raw, at))

    def _inner_addresses(self, place: int) -> list[int]:
        raw = self._object(place)
        if self._kind(raw) != _ADDRESSES:
            raise EvidenceError("a part of its space manager is damaged")
        return self._addresses(raw, 40, struct.unpack_from("<I", raw, 36)[0])


def _newer(one: bytes, other: bytes) -> bool:
    return not other or struct.unpack_from("<Q", one, 16)[0] > struct.unpack_from("<Q", other, 16)[0]
