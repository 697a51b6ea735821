"""Volume shadow copies for tests, by libvshadow's documentation: a volume as it is, and its older states beside it."""

from __future__ import annotations

import struct

BLOCK = 16 << 10
IDENTITY = bytes.fromhex("6b87083876c1484eb7ae04046e6cc752")
HEADER = 0x1E00
#: 1 May 2026 and a day later, as Windows counts.
TIMES = (134_220_672_000_000_000, 134_221_536_000_000_000)


def _block(kind: int, relative: int, at: int, following: int, body: bytes) -> bytes:
    head = IDENTITY + struct.pack("<IIQQQ", 1, kind, relative, at, following)
    return (head.ljust(128, b"\0") + body).ljust(BLOCK, b"\0")


def header(catalog: int) -> bytes:
    """What stands at 0x1e00 of the volume."""
    head = IDENTITY + struct.pack("<IIQQQQQ", 1, 1, HEADER, 0, 0, catalog, 0)
    return (head + bytes(range(16)) + bytes(range(16))).ljust(512, b"\0")


def with_shadows(states: list[bytes], size: int) -> bytes:
    """The newest of `states` (oldest first, each with `header` in it), with shadow copies of the others.

    Args:
        states: of one length; what is kept of the older ones lies behind it.
        size: bytes of the whole volume.
    """
    disk = bytearray(states[-1].ljust(size, b"\0"))
    catalog = -(-len(states[-1]) // BLOCK) * BLOCK
    at, rows = catalog + BLOCK, b""
    for number, (old, new) in enumerate(zip(states, states[1:], strict=False)):
        changed = [n for n in range(0, len(old), BLOCK) if old[n : n + BLOCK] != new[n : n + BLOCK]]
        identity = bytes([number + 1]) * 16
        head, listing, ranges, bitmap, data = (at + BLOCK * n for n in range(5))
        about = bytes(16) + bytes([number + 50]) * 16 + bytes([number + 60]) * 16
        about += struct.pack("<IIII", 9, 1, 0x0042000D, 0) + b"\x02\0a\0" + b"\x02\0a\0"
        disk[head : head + BLOCK] = _block(4, 0, head, 0, about)
        body = b""
        for index, place in enumerate(changed):
            body += struct.pack("<QQQII", place, index * BLOCK, data + index * BLOCK, 0, 0)
            kept = old[place : place + BLOCK].ljust(BLOCK, b"\0")
            disk[data + index * BLOCK : data + (index + 1) * BLOCK] = kept
        assert len(body) <= BLOCK - 128
        disk[listing : listing + BLOCK] = _block(3, 0, listing, 0, body)
        disk[ranges : ranges + BLOCK] = _block(5, 0, ranges, 0, struct.pack("<QQQ", data, 0, len(changed) * BLOCK))
        disk[bitmap : bitmap + BLOCK] = _block(6, 0, bitmap, 0, b"")
        rows += struct.pack("<QQ16sQQQ", 2, size, identity, number + 1, 0x40, TIMES[number]).ljust(128, b"\0")
        rows += struct.pack("<QQ16sQQQQQ", 3, listing, identity, head, ranges, bitmap, 5, BLOCK * 64).ljust(128, b"\0")
        at = data + len(changed) * BLOCK
    assert at <= size
    disk[catalog : catalog + BLOCK] = _block(2, 0, catalog, 0, rows)
    return bytes(disk)
