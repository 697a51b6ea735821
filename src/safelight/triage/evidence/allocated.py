"""Which ranges of a virtual disk its file holds at all: whatever lies between them is zeros without being read.

Read by us, because the libyal bindings give bytes, not maps. Whoever cannot tell for sure says so (None), and the whole
disk counts as stored. Layouts: QEMU's docs/interop/qcow2.txt; Microsoft's Virtual Hard Disk Image Format Specification
1.0 and [MS-VHDX]; VMware's Virtual Disk Format 5.0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from safelight.triage.evidence.base import Evidence

Ranges = list[tuple[int, int]]
_LARGEST_TABLE = 64 << 20
_OFFSET = np.uint64(0x00FFFFFFFFFFFE00)
_PACKED, _ZERO = np.uint64(1 << 62), np.uint64(1)
_UNKNOWN_QCOW2 = 1 << 2 | 1 << 4  # An external data file; extended table entries.
_FREE = 0xFFFFFFFF
_BAT = bytes.fromhex("6677c22d23f600429d64115e9bfd4a08")
_METADATA = bytes.fromhex("06a27c8b90479a4bb8fe575f050f886e")
_FILE_PARAMETERS = bytes.fromhex("3767a1ca36fa434db3b633f0aa44e76b")
_SECTOR_SIZE = bytes.fromhex("1dbf41816fa90947ba47f233a8faab5f")
_ZEROED_GRAINS = 1 << 2
_NO_DIRECTORY = (1 << 64) - 1


def _whole(own: Evidence, at: int, size: int) -> bytes | None:
    """Bytes of the file; None where not all of them can be had."""
    if not 0 < size <= _LARGEST_TABLE or at < 0 or at + size > own.size:
        return None
    body = own.read(at, size)
    return body if len(body) == size and not own.missing.overlaps(at, at + size) else None


def _runs(held: npt.NDArray[np.bool_], base: int, step: int, size: int) -> Iterator[tuple[int, int]]:
    """Runs of held pieces of `step` bytes from `base` on, inside a disk of `size` bytes."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], held.view(np.int8), [0]])))
    for first, last in edges.reshape(-1, 2).tolist():
        if base + first * step < size:
            yield base + first * step, min(base + last * step, size)


def qcow2(own: Evidence, size: int) -> Ranges | None:
    """Of a QCOW2 file."""
    head = _whole(own, 0, 80)
    if head is None:
        return None
    version, bits = struct.unpack_from(">I12xI", head, 4)
    rows, table = struct.unpack_from(">IQ", head, 36)
    features = struct.unpack_from(">Q", head, 72)[0] if version >= 3 else 0
    raw = _whole(own, table, rows * 8)
    if version not in (2, 3) or not 9 <= bits <= 21 or features & _UNKNOWN_QCOW2 or raw is None:
        return None
    cluster, entries = 1 << bits, (1 << bits) // 8
    if rows * entries * cluster < size:
        return None
    found: Ranges = []
    for number, place in enumerate((np.frombuffer(raw, ">u8").astype(np.uint64) & _OFFSET).tolist()):
        base = number * entries * cluster
        if not place or base >= size:
            continue
        body = _whole(own, place, cluster)
        if body is None:
            found.append((base, min(base + entries * cluster, size)))  # It is read, and named where it cannot be.
            continue
        table_rows = np.frombuffer(body, ">u8").astype(np.uint64)
        held = (table_rows & (_OFFSET | _PACKED)) != 0
        if version == 3:
            held &= ((table_rows & _ZERO) == 0) | ((table_rows & _PACKED) != 0)
        found += _runs(held, base, cluster, size)
    return found


def vhd(own: Evidence, size: int) -> Ranges | None:
    """Of a VHD or VHDX file."""
    if own.read(0, 8) == b"vhdxfile":
        return _vhdx(own, size)
    foot = _whole(own, own.size - 512, 512)
    if foot is None or foot[:8] != b"conectix" or struct.unpack_from(">I", foot, 60)[0] not in (3, 4):
        return None
    head = _whole(own, struct.unpack_from(">Q", foot, 16)[0], 1024)
    if head is None or head[:8] != b"cxsparse":
        return None
    table, rows, block = struct.unpack_from(">Q4xII", head, 16)
    raw = _whole(own, table, rows * 4)
    if raw is None or not 512 <= block <= 1 << 28 or block % 512 or rows * block < size:
        return None
    return list(_runs(np.frombuffer(raw, ">u4") != _FREE, 0, block, size))


def _vhdx(own: Evidence, size: int) -> Ranges | None:
    headers = [h for at in (64 << 10, 128 << 10) if (h := _whole(own, at, 4096)) is not None and h[:4] == b"head"]
    newest = max(headers, key=lambda h: int(struct.unpack_from("<Q", h, 8)[0]), default=None)
    if newest is None or any(newest[48:64]):
        return None  # A log that was not played back may change the tables.
    regions = _entries(_whole(own, 192 << 10, 64 << 10), b"regi", 8, 16, 32)
    places = {row[:16]: struct.unpack_from("<QI", row, 16) for row in regions}
    if _BAT not in places or _METADATA not in places:
        return None
    meta = _whole(own, *places[_METADATA])
    items = {row[:16]: struct.unpack_from("<II", row, 16) for row in _entries(meta, b"metadata", 10, 32, 32)}
    values = []
    for key in (_FILE_PARAMETERS, _SECTOR_SIZE):
        at, length = items.get(key, (0, 0))
        if meta is None or length < 4 or at + 4 > len(meta):
            return None
        values.append(int(struct.unpack_from("<I", meta, at)[0]))
    block, sector = values
    if not 1 << 20 <= block <= 1 << 28 or block & (block - 1) or sector not in (512, 4096):
        return None
    ratio = (sector << 23) // block
    count = -(-size // block)
    raw = _whole(own, places[_BAT][0], 8 * (count + (count - 1) // ratio) if count else 0)
    if raw is None:
        return None
    rows = np.frombuffer(raw, "<u8")
    # Behind as many blocks as one bitmap block describes stands the entry of that bitmap.
    rows = rows[np.arange(len(rows)) % (ratio + 1) != ratio]
    state = rows & np.uint64(7)
    return list(_runs((state != 0) & (state != 2), 0, block, size))


def _entries(table: bytes | None, mark: bytes, count_at: int, first: int, width: int) -> list[bytes]:
    if table is None or not table.startswith(mark):
        return []
    count = int(struct.unpack_from("<H" if count_at == 10 else "<I", table, count_at)[0])
    rows = [table[first + n * width : first + (n + 1) * width] for n in range(min(count, 2047))]
    return [row for row in rows if len(row) == width]


def vmdk(own: Evidence, size: int) -> Ranges | None:
    """Of a VMDK disk in one sparse file."""
    head = _whole(own, 0, 512)
    if head is None or head[:4] != b"KDMV":
        return None
    flags, capacity, grain = struct.unpack_from("<IQQ", head, 8)
    per_table, _, directory = struct.unpack_from("<IQQ", head, 44)
    if directory in (0, _NO_DIRECTORY) or capacity * 512 != size or per_table != 512 or not 0 < grain <= 1 << 16:
        return None
    step = grain * 512
    tables = -(-size // (step * per_table))
    raw = _whole(own, directory * 512, tables * 4)
    if raw is None:
        return None
    found: Ranges = []
    for number, place in enumerate(np.frombuffer(raw, "<u4").tolist()):
        base = number * per_table * step
        if not place:
            continue
        body = _whole(own, place * 512, per_table * 4)
        if body is None:
            return None
        rows = np.frombuffer(body, "<u4")
        held = rows > 1 if flags & _ZEROED_GRAINS else rows != 0
        found += _runs(held, base, step, size)
    return found
