"""A UDF volume by ECMA-167 and OSTA UDF, for tests: plain, virtual, sparable and metadata partitions."""

from __future__ import annotations

import binascii
import struct

BLOCK = 2048
START = 300  # First sector of the partition.
STAMP = struct.pack("<HhBBBBBBBB", 0x1000 | 60, 2025, 6, 1, 13, 30, 15, 0, 0, 0)  # 12:30:15 UTC


def tag(kind: int, body: bytes, place: int) -> bytes:
    """A descriptor: `body` is what follows the tag."""
    head = bytearray(struct.pack("<HHBBHHHI", kind, 3, 0, 0, 1, binascii.crc_hqx(body, 0), len(body), place))
    head[4] = sum(head) & 0xFF
    return bytes(head) + body


def _regid(name: bytes) -> bytes:
    return struct.pack("<B23s8s", 0, name, b"\x50\x02\0\0\0\0\0\0")


class Disc:
    """Puts files on a volume; `kind` is the kind of partition the records lie in."""

    def __init__(self, kind: str, sectors: int = 2000) -> None:
        self.kind, self.raw = kind, bytearray(sectors * BLOCK)
        self.sectors = sectors
        self.meta = {"plain": 0, "sparable": 0, "virtual": 1, "metadata": 1}[kind]
        self.next_data, self.next_meta = 200, 2
        self.table: dict[int, int] = {}
        self.spared = {64: 1800}
        self.folders = self.files = 0

    def put(self, ref: int, block: int, body: bytes) -> None:
        """Bytes at a block of a partition, as the partition maps them."""
        for number, at in enumerate(range(0, max(len(body), 1), BLOCK)):
            piece, place = body[at : at + BLOCK], block + number
            if ref == 1 and self.kind == "virtual":
                place = self.table.setdefault(place, 100 + len(self.table) * 3 % 90 + len(self.table) // 30)
            elif ref == 1:
                place = 10 + place if place < 8 else 40 + place - 8  # The metadata file lies in two pieces.
            at_sector = START + place
            if self.kind == "sparable" and place - place % 32 in self.spared:
                at_sector = self.spared[place - place % 32] + place % 32
            self.raw[at_sector * BLOCK : at_sector * BLOCK + len(piece)] = piece

    def data(self, body: bytes) -> int:
        """Put the bytes of a file; returns their first block."""
        at = self.next_data
        self.next_data += -(-len(body) // BLOCK) + 1
        self.put(0, at, body)
        return at

    def record(
        self, file_type: int, size: int, ads: bytes, form: int, *, long: bool, streams: bytes = bytes(16)
    ) -> int:
        """Put a file entry (`long`: an extended one); returns its block."""
        block = self.next_meta
        self.next_meta += 1
        icb = struct.pack("<IHHHBB6sH", 0, 4, 0, 1, 0, file_type, bytes(6), form)
        head = struct.pack("<IIIHBBIQ", 0, 0, 0, 1, 0, 0, 0, size)
        if long:
            body = head + struct.pack("<QQ", size, 0) + STAMP * 4 + struct.pack("<II", 1, 0) + bytes(16) + streams
            body += _regid(b"*test") + struct.pack("<QII", 16 + block, 0, len(ads))
        else:
            body = head + struct.pack("<Q", 0) + STAMP * 3 + struct.pack("<I", 1) + bytes(16) + _regid(b"*test")
            body += struct.pack("<QII", 16 + block, 0, len(ads))
        self.put(self.meta, block, tag(file_type and 266 if long else 261, icb + body + ads, block))
        return block

    def file(self, body: bytes, *, how: str = "long", file_type: int = 5, streams: bytes = bytes(16)) -> int:
        """Put a file: its bytes inside its record, in one piece, in pieces with a hole, or with a continuation."""
        long = bool(streams.strip(b"\0")) or how in ("inside", "hole")
        if how == "inside":
            return self.record(file_type, len(body), body, 3, long=True, streams=streams)
        if how == "short":
            ads = struct.pack("<II", len(body), self.data(body))
            return self.record(file_type, len(body), ads, 0, long=long, streams=streams)
        if how == "hole":
            assert not any(body[BLOCK : 3 * BLOCK])
            first, last = self.data(body[:BLOCK]), self.data(body[3 * BLOCK :])
            ads = struct.pack("<IIH6x", BLOCK, first, 0) + struct.pack("<IIH6x", 2 * BLOCK | 2 << 30, 0, 0)
            ads += struct.pack("<IIH6x", len(body) - 3 * BLOCK, last, 0)
            return self.record(file_type, len(body), ads, 1, long=long, streams=streams)
        if how == "continued":
            first, rest = self.data(body[:BLOCK]), self.data(body[BLOCK:])
            more = struct.pack("<IIH6x", len(body) - BLOCK, rest, 0)
            place = self.data(b"\0")
            self.put(0, place, tag(258, struct.pack("<II", 0, len(more)) + more, place))
            ads = struct.pack("<IIH6x", BLOCK, first, 0) + struct.pack("<IIH6x", BLOCK | 3 << 30, place, 0)
            return self.record(file_type, len(body), ads, 1, long=long, streams=streams)
        ads = struct.pack("<IIH6x", len(body), self.data(body), 0)
        return self.record(file_type, len(body), ads, 1, long=long, streams=streams)

    def row(self, name: str, block: int, flags: int = 0) -> bytes:
        """An entry of a folder."""
        wide = any(ord(c) > 255 for c in name)
        text = (b"\x10" + name.encode("utf-16-be") if wide else b"\x08" + name.encode("latin-1")) if name else b""
        body = (
            struct.pack("<HBB", 1, flags, len(text)) + struct.pack("<IIH6x", BLOCK, block, self.meta) + b"\0\0" + text
        )
        body += bytes(-(len(body) + 16) % 4)
        return tag(257, body, 0)

    def folder(self, rows: bytes, *, root: bool = False) -> int:
        """Put a folder with these entries."""
        rows = self.row("", 1, 10) + rows
        keep = self.next_meta
        if root:
            self.next_meta = 1
        block = self.record(4, len(rows), struct.pack("<IIH6x", len(rows), self.data(rows), 0), 1, long=False)
        if root:
            self.next_meta = keep
        return block

    def finish(self, files: int, folders: int) -> bytes:
        """Put the frame around it."""
        length = self.sectors - START - 1
        maps = struct.pack("<BBHH", 1, 6, 1, 0)
        if self.kind == "virtual":
            maps += struct.pack("<BB2x32sHH24x", 2, 64, _regid(b"*UDF Virtual Partition"), 1, 0)
        elif self.kind == "metadata":
            row = struct.pack(
                "<BB2x32sHHIIIIHB5x", 2, 64, _regid(b"*UDF Metadata Partition"), 1, 0, 0, 1, 0xFFFFFFFF, 1, 1, 0
            )
            maps += row
            ads = struct.pack("<IIII", 8 * BLOCK, 10, 60 * BLOCK, 40)
            for block, kind in ((0, 250), (1, 251)):
                icb = struct.pack("<IHHHBB6sH", 0, 4, 0, 1, 0, kind, bytes(6), 0)
                body = icb + struct.pack("<IIIHBBIQQQ", 0, 0, 0, 0, 0, 0, 0, 68 * BLOCK, 68 * BLOCK, 68) + STAMP * 4
                body += (
                    struct.pack("<II", 1, 0) + bytes(32) + _regid(b"*test") + struct.pack("<QII", 0, 0, len(ads)) + ads
                )
                self.put(0, block, tag(266, body, block))
        elif self.kind == "sparable":
            table = 1900
            maps = struct.pack("<BB2x32sHHHBxI16s", 2, 64, _regid(b"*UDF Sparable Partition"), 1, 0, 32, 1, BLOCK,
                               struct.pack("<4I", table, 0, 0, 0)).ljust(64, b"\0")  # fmt: skip
            body = _regid(b"*UDF Sparing Table") + struct.pack("<H2xI", len(self.spared), 1)
            body += b"".join(struct.pack("<II", a, b) for a, b in self.spared.items())
            self.raw[table * BLOCK : table * BLOCK + 16 + len(body)] = tag(0, body, table)
        fsd = STAMP + bytes(400 - 28) + struct.pack("<IIH6x", BLOCK, 1, self.meta)
        self.put(self.meta, 0, tag(256, (fsd + _regid(b"*OSTA UDF Compliant")).ljust(496, b"\0"), 0))
        domain = struct.pack("<B23s8s", 0, b"*OSTA UDF Compliant", b"\x50\x02\0\0\0\0\0\0")
        charset = b"\0OSTA Compressed Unicode".ljust(64, b"\0")
        logical = struct.pack("<I64s128sI32s", 2, charset, b"\x08SYNTHETIC".ljust(127, b"\0") + b"\x0a", BLOCK, domain)
        logical += struct.pack("<IIH6x", BLOCK, 0, self.meta)
        logical += struct.pack("<II32s128sII", len(maps), 1 + (len(maps) > 64 or self.kind in ("virtual", "metadata")),
                               _regid(b"*test"), bytes(128), BLOCK, 48) + maps  # fmt: skip
        part = struct.pack(
            "<IHH32s128sIII", 3, 1, 0, struct.pack("<B23s8x", 0, b"+NSR03"), bytes(128), 1, START, length
        )
        primary = struct.pack("<II32s", 1, 0, b"\x08SYNTHETIC".ljust(31, b"\0") + b"\x0a").ljust(496, b"\0")
        rows = [(1, primary), (6, logical), (5, part.ljust(496, b"\0")), (8, bytes(496))]
        for start in (32, 280):
            for number, (kind, body) in enumerate(rows):
                at = start + number
                self.raw[at * BLOCK : at * BLOCK + 16 + len(body)] = tag(kind, body, at)
        use = _regid(b"*test") + struct.pack("<IIHHH", files, folders, 0x250, 0x250, 0x250)
        integrity = (
            STAMP + struct.pack("<III", 1, 0, 0) + bytes(32) + struct.pack("<IIII", 1, len(use), 0, length) + use
        )
        self.raw[48 * BLOCK : 48 * BLOCK + 16 + len(integrity)] = tag(9, integrity, 48)
        for at in (256, self.sectors - 1):
            body = struct.pack("<IIII", 16 * BLOCK, 32, 16 * BLOCK, 280).ljust(496, b"\0")
            self.raw[at * BLOCK : at * BLOCK + 512] = tag(2, body, at)
        for number, name in enumerate((b"BEA01", b"NSR03", b"TEA01")):
            self.raw[(16 + number) * BLOCK : (16 + number) * BLOCK + 7] = b"\0" + name + b"\1"
        if self.kind == "virtual":
            rows_of = [self.table.get(n, 0xFFFFFFFF) for n in range(max(self.table) + 1)]
            vat = struct.pack("<HH128sIIIHHHH", 152, 0, bytes(128), 0xFFFFFFFF, files, folders, 0x201, 0x201, 0x201, 0)
            vat += struct.pack(f"<{len(rows_of)}I", *rows_of)
            icb = struct.pack("<IHHHBB6sH", 0, 4, 0, 1, 0, 248, bytes(6), 3)
            body = icb + struct.pack("<IIIHBBIQQ", 0, 0, 0, 0, 0, 0, 0, len(vat), 0) + STAMP * 3
            body += struct.pack("<I", 1) + bytes(16) + _regid(b"*test") + struct.pack("<QII", 0, 0, len(vat)) + vat
            self.put(0, 1500, tag(261, body, 1500))
            # A disc written once has no anchor at its end, and the image goes on behind what was written.
            self.raw[(self.sectors - 1) * BLOCK :] = bytes(BLOCK)
        return bytes(self.raw)
