"""The frame of a UDF volume: descriptors, partitions, and where their blocks lie on the media.

Layout: ECMA-167 third edition parts 3 and 4, and OSTA's Universal Disk Format 1.02 to 2.60 (virtual, sparable and
metadata partitions). Every descriptor's checksum and CRC is checked; one that fails is not used.
"""

from __future__ import annotations

import binascii
import bisect
import struct
from dataclasses import dataclass, field

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence

ANCHOR, PARTITION, LOGICAL, INTEGRITY, FILE_SET, FILE_ID, MORE, ENTRY, SPACE_BITMAP, LONG_ENTRY = (
    2, 5, 6, 9, 256, 257, 258, 261, 264, 266,
)  # fmt: skip
_SIZES = (2048, 512, 4096, 1024)
_MOST_DESCRIPTORS = 4096
_MOST_TABLE = 64 << 20
_VAT, _OLD_VAT = 248, 0
#: How far before the last written block the table of a disc written in steps is looked for, in blocks.
_VAT_SEARCH = 1024

#: A run of a file: (place in the file, bytes, place on the media or None where nothing is recorded).
Run = tuple[int, int, int | None]


def descriptor(raw: bytes, kinds: tuple[int, ...] | None = None) -> int:
    """The kind of a descriptor whose checksum and CRC are right; 0 for anything else."""
    if len(raw) < 16 or (sum(raw[:16]) - raw[4]) & 0xFF != raw[4]:
        return 0
    kind, _, _, _, _, check, length, _ = struct.unpack_from("<HHBBHHHI", raw)
    if kinds is not None and kind not in kinds:
        return 0
    body = raw[16 : 16 + length]
    return kind if len(body) == length and binascii.crc_hqx(body, 0) == check else 0


@dataclass(slots=True)
class _Partition:
    """One partition map. `start` and `length` are bytes on the media."""

    kind: str
    start: int
    length: int
    number: int
    table: list[int] = field(default_factory=list)
    spared: dict[int, int] = field(default_factory=dict)
    packet: int = 1
    runs: list[Run] = field(default_factory=list)


class UdfVolume:
    """The volume that begins at `offset`.

    Raises:
        EvidenceError: no anchor or no logical volume can be read, or a kind of partition is not known.
    """

    def __init__(self, evidence: Evidence, offset: int, size: int) -> None:
        self.evidence, self.offset, self.size = evidence, offset, size
        self.sector, spans = self._anchor()
        rows = next((found for span in spans if LOGICAL in (found := self._sequence(*span))), None)
        if rows is None:
            raise EvidenceError("its volume descriptors are damaged")
        logical = rows[LOGICAL][0]
        self.block = struct.unpack_from("<I", logical, 212)[0]
        if self.block not in _SIZES or self.block < self.sector:
            raise EvidenceError(f"its block size of {self.block:,} bytes is impossible")
        self.revision = struct.unpack_from("<H", logical, 240)[0]
        self.bodies = {struct.unpack_from("<H", row, 22)[0]: row for row in rows.get(PARTITION, [])}
        self.partitions: list[_Partition] = []
        self._maps(logical)
        self.file_set = logical[248:264]
        self.integrity = struct.unpack_from("<II", logical, 432)

    # -- descriptors -------------------------------------------------------------------------------------------------

    def _anchor(self) -> tuple[int, list[tuple[int, int]]]:
        for sector in _SIZES:
            last = self.size // sector - 1
            for place in (256, last - 256, last, 512):
                raw = self._sectors(place, sector, sector)
                if descriptor(raw, (ANCHOR,)) and struct.unpack_from("<I", raw, 12)[0] == place:
                    main = struct.unpack_from("<IIII", raw, 16)
                    return sector, [(main[1], main[0]), (main[3], main[2])]
        raise EvidenceError("its anchor cannot be found")

    def _sectors(self, number: int, sector: int, length: int) -> bytes:
        at = number * sector
        if number < 0 or at >= self.size:
            return b""
        return self.evidence.read(self.offset + at, min(length, self.size - at))

    def _sequence(self, start: int, length: int) -> dict[int, list[bytes]]:
        """The descriptors of one sequence by kind, of each the newest: (partitions: of each number)."""
        newest: dict[tuple[int, int], tuple[int, bytes]] = {}
        number, left = start, min(length // self.sector, _MOST_DESCRIPTORS)
        while left > 0:
            raw = self._sectors(number, self.sector, max(self.sector, 4096))
            kind = descriptor(raw)
            if kind == 8:
                break
            if kind == 3 and length:
                length, number = struct.unpack_from("<II", raw, 20)
                left = min(length // self.sector, left - 1)
                continue
            if kind in (PARTITION, LOGICAL):
                rank = struct.unpack_from("<I", raw, 16)[0]
                key = (kind, struct.unpack_from("<H", raw, 22)[0] if kind == PARTITION else 0)
                if key not in newest or newest[key][0] <= rank:
                    newest[key] = (rank, raw)
            number += 1
            left -= 1
        rows: dict[int, list[bytes]] = {}
        for (kind, _), (_, raw) in newest.items():
            rows.setdefault(kind, []).append(raw)
        return rows

    def _maps(self, logical: bytes) -> None:
        length, count = struct.unpack_from("<II", logical, 264)
        at, end = 440, min(440 + length, len(logical))
        for _ in range(min(count, 16)):
            if at + 6 > end or logical[at + 1] < 6:
                break
            row = logical[at : at + logical[at + 1]].ljust(64, b"\0")
            at += logical[at + 1]
            if row[0] == 1:
                self.partitions.append(self._physical("plain", struct.unpack_from("<H", row, 4)[0]))
                continue
            name = row[5:28].rstrip(b"\0")
            number = struct.unpack_from("<H", row, 38)[0]
            if name == b"*UDF Virtual Partition":
                self.partitions.append(self._physical("virtual", number))
            elif name == b"*UDF Sparable Partition":
                self.partitions.append(self._sparable(number, row))
            elif name == b"*UDF Metadata Partition":
                part = self._physical("metadata", number)
                self.partitions.append(part)
                part.runs = self._metadata(number, struct.unpack_from("<II", row, 40))
            else:
                shown = name.decode("ascii", "replace")[:23]
                raise EvidenceError(f"it uses a partition of type {shown!r}, which this version does not read")
        if not self.partitions:
            raise EvidenceError("its volume descriptors name no partition")
        for part in self.partitions:
            if part.kind == "virtual":
                part.table = self._virtual(part)

    def _physical(self, kind: str, number: int) -> _Partition:
        body = self.bodies.get(number)
        if body is None:
            raise EvidenceError("a partition that it names is not described")
        start, length = struct.unpack_from("<II", body, 188)
        return _Partition(kind, start * self.sector, length * self.sector, number)

    def _sparable(self, number: int, row: bytes) -> _Partition:
        part = self._physical("sparable", number)
        part.packet = max(1, struct.unpack_from("<H", row, 40)[0])
        for place in struct.unpack_from("<4I", row, 48)[: min(row[42], 4)]:
            raw = self._sectors(place, self.sector, min(struct.unpack_from("<I", row, 44)[0], 1 << 20))
            if raw[21:39] == b"*UDF Sparing Table" and descriptor(raw) == 0 and raw[:2] == b"\0\0":
                count = struct.unpack_from("<H", raw, 48)[0]
                for at in range(56, min(56 + count * 8, len(raw) - 7), 8):
                    lost, spare = struct.unpack_from("<II", raw, at)
                    if lost < 0xFFFFFFF0:
                        part.spared[lost] = spare
                break
        return part

    def _metadata(self, number: int, places: tuple[int, ...]) -> list[Run]:
        plain = next((i for i, p in enumerate(self.partitions) if p.number == number and p.kind != "metadata"), None)
        if plain is None:
            raise EvidenceError("its metadata partition names a partition that is not described")
        for place in places:
            raw = self.read(plain, place, self.block)
            if descriptor(raw, (ENTRY, LONG_ENTRY)):
                return self.runs(raw, plain)[0]
        raise EvidenceError("its metadata file and the mirror of it are damaged")

    def _virtual(self, part: _Partition) -> list[int]:
        """The table of a disc written in steps: the last entry that was written leads to it."""
        plain = next((i for i, p in enumerate(self.partitions) if p.number == part.number and p.kind == "plain"), None)
        if plain is None:
            raise EvidenceError("its virtual partition names a partition that is not described")
        last = self._last_written(self.partitions[plain]) // self.block
        for place in range(last - 1, max(-1, last - 1 - _VAT_SEARCH), -1):
            raw = self.read(plain, place, self.block)
            if not descriptor(raw, (ENTRY, LONG_ENTRY)) or raw[27] not in (_VAT, _OLD_VAT):
                continue
            runs, inline = self.runs(raw, plain)
            size = min(struct.unpack_from("<Q", raw, 56)[0], _MOST_TABLE)
            body = inline if inline is not None else b"".join(self._run(run) for run in runs)
            body = body[:size]
            if raw[27] == _VAT and len(body) >= 2:
                body = body[struct.unpack_from("<H", body)[0] :]
            elif body[-35:-13].startswith(b"*UDF Virtual Alloc Tbl"):
                body = body[:-36]
            else:
                continue
            return list(struct.unpack(f"<{len(body) // 4}I", body[: len(body) // 4 * 4]))
        raise EvidenceError("its virtual allocation table cannot be found: the disc was perhaps not closed")

    def _last_written(self, part: _Partition) -> int:
        """Bytes of the partition up to its last one that is not zero: an image may go on behind what was written."""
        end = min(part.length, self.size - part.start)
        while end > 0:
            size = min(1 << 20, end)
            if self.evidence.read(self.offset + part.start + end - size, size).strip(b"\0"):
                return int(min(-(-end // self.block) * self.block, part.length))
            end -= size
        return 0

    # -- blocks ------------------------------------------------------------------------------------------------------

    def places(self, reference: int, block: int, length: int) -> list[tuple[int, int]]:
        """Where `length` bytes from a block of a partition lie on the media: (offset, size), in order.

        Raises:
            EvidenceError: they lie outside of the partition.
        """
        if reference >= len(self.partitions):
            raise EvidenceError("it leads to a partition that there is not")
        part = self.partitions[reference]
        if part.kind == "metadata":
            return self._in_runs(part.runs, block * self.block, length)
        if part.kind in ("virtual", "sparable") and length:
            pieces = []
            for number in range(-(-length // self.block)):
                size = min(self.block, length - number * self.block)
                pieces.append((self._one(part, block + number), size))
            return _joined(pieces)
        at = block * self.block
        if at + length > part.length:
            raise EvidenceError("it leads outside of its partition")
        return [(self.offset + part.start + at, length)]

    def _one(self, part: _Partition, block: int) -> int:
        if part.kind == "virtual":
            if block >= len(part.table) or part.table[block] == 0xFFFFFFFF:
                raise EvidenceError("it leads to a block that its virtual allocation table does not know")
            block = part.table[block]
        else:
            first = block - block % part.packet
            if first in part.spared:
                return int(self.offset + (part.spared[first] + block - first) * self.sector)
        if (block + 1) * self.block > part.length:
            raise EvidenceError("it leads outside of its partition")
        return int(self.offset + part.start + block * self.block)

    def _in_runs(self, runs: list[Run], at: int, length: int) -> list[tuple[int, int]]:
        pieces = []
        number = max(bisect.bisect_right(runs, (at, 1 << 62, 0)) - 1, 0)
        while length and number < len(runs):
            start, size, place = runs[number]
            inside = at - start
            if place is None or not 0 <= inside < size:
                break
            take = min(length, size - inside)
            pieces.append((place + inside, take))
            at += take
            length -= take
            number += 1
        if length:
            raise EvidenceError("it leads outside of the metadata file")
        return pieces

    def read(self, reference: int, block: int, length: int) -> bytes:
        """Bytes from a block of a partition; fewer where it leads nowhere, or they could not be read."""
        try:
            pieces = self.places(reference, block, length)
        except EvidenceError:
            return b""
        data = b"".join(self.evidence.read(at, size) for at, size in pieces)
        lost = any(self.evidence.missing.overlaps(at, at + size) for at, size in pieces)
        return b"" if lost else data

    def _run(self, run: Run) -> bytes:
        return bytes(run[1]) if run[2] is None else self.evidence.read(run[2], run[1])

    def runs(self, entry: bytes, reference: int) -> tuple[list[Run], bytes | None]:
        """Where the content of a file entry lies; or the content itself, where the entry holds it.

        Raises:
            EvidenceError: its allocation descriptors are damaged.
        """
        long = struct.unpack_from("<H", entry)[0] == LONG_ENTRY
        base = 216 if long else 176
        extra, length = struct.unpack_from("<II", entry, base - 8)
        left = struct.unpack_from("<Q", entry, 56)[0]
        kind = struct.unpack_from("<H", entry, 34)[0] & 7
        rows = entry[base + extra : base + extra + length]
        if len(rows) < length:
            raise EvidenceError("its record is damaged")
        if kind == 3:
            return [], rows[:left]
        if kind not in (0, 1):
            raise EvidenceError("its record describes its place in a way that is not known")
        width = 8 if kind == 0 else 16
        runs: list[Run] = []
        at = 0
        for _ in range(1 << 16):
            again = False
            for start in range(0, len(rows) - width + 1, width):
                word, block = struct.unpack_from("<II", rows, start)
                size, state = word & 0x3FFFFFFF, word >> 30
                part = reference if kind == 0 else struct.unpack_from("<H", rows, start + 8)[0]
                if size == 0:
                    return runs, None
                if state == 3:
                    raw = self.read(part, block, self.block)
                    if not descriptor(raw, (MORE,)):
                        raise EvidenceError("the continuation of its record is damaged")
                    rows, again = raw[24 : 24 + struct.unpack_from("<I", raw, 20)[0]], True
                    break
                size = min(size, left - at)
                if size <= 0:
                    return runs, None
                if state:
                    runs.append((at, size, None))
                    at += size
                    continue
                for place, take in self.places(part, block, size):
                    runs.append((at, take, place))
                    at += take
            if not again:
                return runs, None
        raise EvidenceError("its record goes on without end")


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = []
    for at, size in pieces:
        if rows and rows[-1][0] + rows[-1][1] == at:
            rows[-1] = (rows[-1][0], rows[-1][1] + size)
        else:
            rows.append((at, size))
    return rows
