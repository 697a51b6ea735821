"""Overlays of QCOW2 and differencing VHD disks: what the overlay does not hold comes from its parent.

Read by us, because libqcow takes only another QCOW2 as a parent, and libvhdi 20260901 gives whole bytes of the sector
bitmap to the overlay where a single bit of it is set, so that sectors of the parent read as zeros. Layouts: QEMU's
docs/interop/qcow2.txt; Microsoft's Virtual Hard Disk Image Format Specification 1.0.
"""

from __future__ import annotations

import struct
import zlib
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from safelight.errors import EvidenceError
from safelight.triage.evidence import allocated
from safelight.triage.evidence.base import Evidence
from safelight.triage.model import Problem

_PARENT, _OWN, _ZERO, _PACKED, _LOST = 0, 1, 2, 3, 4
_OFFSET = np.uint64(0x00FFFFFFFFFFFE00)
_TABLES = 64
_LARGEST_TABLE = 32 << 20
_UNKNOWN = {2: "an external data file", 3: "another compression than zlib", 4: "extended table entries"}


class Overlay(Evidence):
    """A disk on its parent.

    Args:
        form: the container in words.
        own: the bytes of the overlay's file.
        parent: the medium below.
        size: bytes of the disk.
    """

    def __init__(self, form: str, own: Evidence, parent: Evidence, size: int) -> None:
        super().__init__((*own.parts, *parent.parts), size)
        self.format = form
        self._own, self._parent = own, parent
        self._cache: OrderedDict[int, npt.NDArray[np.uint64] | None] = OrderedDict()
        said = f"An overlay: what it does not hold was read from {parent.parts[0].name}."
        self.problems += [*own.problems, Problem(self.parts[0].name, said), *parent.problems]

    def stored(self) -> Iterable[tuple[int, int]]:
        """What the overlay or its parent holds at all."""
        reader = allocated.qcow2 if self.format == "QCOW2" else allocated.vhd
        own = reader(self._own, self.size)
        if own is None:
            return super().stored()
        return [*own, *((a, min(b, self.size)) for a, b in self._parent.stored() if a < self.size)]

    @abstractmethod
    def _span(self, offset: int, length: int) -> tuple[int, int, int]:
        """Who holds the bytes from `offset` on, how many of `length` lie there in one run, and their place."""

    def _read(self, offset: int, length: int) -> bytes:
        pieces = []
        while length:
            kind, take, place = self._span(offset, length)
            pieces.append(self._piece(kind, offset, take, place))
            offset += take
            length -= take
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, kind: int, offset: int, length: int, place: int) -> bytes:
        if kind == _ZERO:
            return bytes(length)
        if kind == _PARENT:
            data = self._parent.read(offset, length)  # A parent that is smaller counts as zeros behind its end.
            for left, right, why in self._parent.missing.within(offset, offset + length):
                self.missing.add(left, right, why)
            return data.ljust(length, b"\0")
        data = self._inflated(offset, length, place) if kind == _PACKED else b""
        if kind == _OWN:
            data = self._own.read(place, length)
            for left, right, why in self._own.missing.within(place, place + length):
                self.missing.add(offset + left - place, offset + right - place, why)
        if len(data) < length:
            self.missing.add(offset + len(data), offset + length, "the overlay is damaged or cut short here")
        return data.ljust(length, b"\0")

    def _inflated(self, offset: int, length: int, place: int) -> bytes:
        return b""

    def _kept(self, key: int, rows: npt.NDArray[np.uint64] | None) -> npt.NDArray[np.uint64] | None:
        self._cache[key] = rows
        if len(self._cache) > _TABLES:
            self._cache.popitem(last=False)
        return rows

    def close(self) -> None:
        """Give back the overlay and its parent."""
        self._own.close()
        self._parent.close()


class Qcow2Overlay(Overlay):
    """A QCOW2 overlay.

    Raises:
        EvidenceError: its tables are damaged or of a kind that is not known.
    """

    def __init__(self, own: Evidence, parent: Evidence) -> None:
        head = own.read(0, 104).ljust(104, b"\0")
        version, bits, size = struct.unpack_from(">I12xIQ", head, 4)
        rows, table = struct.unpack_from(">IQ", head, 36)
        features = struct.unpack_from(">Q", head, 72)[0] if version >= 3 else 0
        super().__init__("QCOW2", own, parent, size)
        name = self.parts[0].name
        for bit, words in _UNKNOWN.items():
            if features >> bit & 1:
                raise EvidenceError(f"{name} uses {words} of QCOW2, unknown to this version.", fix="Flatten it first.")
        if not 9 <= bits <= 21 or not 0 < rows * 8 <= _LARGEST_TABLE:
            raise EvidenceError(f"{name} begins like a QCOW2 image but its header is damaged.", fix="Copy it again.")
        self._zero = np.uint64(1 if version >= 3 else 0)
        self._bits, self._cluster, self._entries = bits, 1 << bits, (1 << bits) // 8
        raw = own.read(table, rows * 8)
        self._first = np.frombuffer(raw[: len(raw) // 8 * 8], ">u8").astype(np.uint64) & _OFFSET

    def _rows(self, number: int) -> npt.NDArray[np.uint64] | None:
        """The second-level table `number`; None where it cannot be read."""
        if number in self._cache:
            return self._cache[number]
        if number >= len(self._first):
            return self._kept(number, None)
        place = int(self._first[number])
        if not place:
            return self._kept(number, np.zeros(self._entries, np.uint64))
        raw = self._own.read(place, self._cluster)
        whole = len(raw) == self._cluster and not self._own.missing.overlaps(place, place + self._cluster)
        return self._kept(number, np.frombuffer(raw, ">u8").astype(np.uint64) if whole else None)

    def _span(self, offset: int, length: int) -> tuple[int, int, int]:
        cluster, inside = divmod(offset, self._cluster)
        start = cluster % self._entries
        rows = self._rows(cluster // self._entries)
        if rows is None:
            return _LOST, min(length, (self._entries - start) * self._cluster - inside), 0
        row = int(rows[start])
        one = min(length, self._cluster - inside)
        if row >> 62 & 1:
            return _PACKED, one, row
        if row & int(self._zero):
            return _ZERO, one, 0
        place = row & int(_OFFSET)
        if place:
            return _OWN, one, place + inside
        last = min(self._entries, start + -(-(inside + length) // self._cluster))
        # This one holds nothing, though a flag of it may be set: the run goes at least to the next.
        held = np.flatnonzero(rows[start + 1 : last])
        run = 1 + int(held[0]) if len(held) else last - start
        return _PARENT, min(length, run * self._cluster - inside), 0

    def _inflated(self, offset: int, length: int, place: int) -> bytes:
        shift = 62 - (self._bits - 8)
        at = place & (1 << shift) - 1
        sectors = (place >> shift & (1 << self._bits - 8) - 1) + 1
        size = sectors * 512 - at % 512
        raw = self._own.read(at, size)
        if self._own.missing.overlaps(at, at + size):
            return b""
        try:
            data = zlib.decompressobj(-15).decompress(raw, self._cluster)
        except zlib.error:
            return b""
        inside = offset % self._cluster
        return data[inside : inside + length] if len(data) == self._cluster else b""


class VhdDifference(Overlay):
    """A differencing VHD.

    Raises:
        EvidenceError: its tables are damaged.
    """

    def __init__(self, own: Evidence, parent: Evidence, size: int) -> None:
        super().__init__("VHD or VHDX", own, parent, size)
        foot = own.read(max(0, own.size - 512), 512)
        if foot[:8] != b"conectix":
            foot = own.read(0, 512)
        foot = foot.ljust(512, b"\0")
        header = own.read(struct.unpack_from(">Q", foot, 16)[0], 1024).ljust(1024, b"\0")
        table, rows, self._block = struct.unpack_from(">Q4xII", header, 16)
        if header[:8] != b"cxsparse" or not 512 <= self._block <= 1 << 28 or self._block % 512 or rows > 1 << 23:
            raise EvidenceError(f"{self.parts[0].name} is a differencing disk with a damaged header.")
        raw = own.read(table, rows * 4)
        self._places = np.frombuffer(raw[: len(raw) // 4 * 4], ">u4").astype(np.uint64)
        self._map = -(-self._block // 512 // 8 // 512) * 512

    def _span(self, offset: int, length: int) -> tuple[int, int, int]:
        number, inside = divmod(offset, self._block)
        left = min(length, self._block - inside)
        if number >= len(self._places):
            return _LOST, left, 0
        place = int(self._places[number]) * 512
        if place == 0xFFFFFFFF * 512:
            return _PARENT, left, 0
        rows = self._cache[number] if number in self._cache else self._sectors(number, place)
        if rows is None:
            return _LOST, left, 0
        sector = inside // 512
        state = int(rows[sector])
        other = np.flatnonzero(rows[sector : sector + -(-(inside % 512 + left) // 512)] != rows[sector])
        run = min(left, int(other[0]) * 512 - inside % 512) if len(other) else left
        return (_OWN if state else _PARENT), run, place + self._map + inside

    def _sectors(self, number: int, place: int) -> npt.NDArray[np.uint64] | None:
        """For each sector of a block whether the overlay holds it; None where that cannot be read."""
        raw = self._own.read(place, self._map)
        if len(raw) < self._map or self._own.missing.overlaps(place, place + self._map):
            return self._kept(number, None)
        bits = np.unpackbits(np.frombuffer(raw, np.uint8))
        return self._kept(number, bits[: self._block // 512].astype(np.uint64))
