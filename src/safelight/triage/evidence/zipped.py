"""Zip archives (and what is built on them: docx, apk, jar): the directory, each member's stream, and what is not there.

An archive that was cut short has lost its directory, which stands at the end; its members are then found by their own
headers, one after another. Layout: APPNOTE.TXT (PKWARE).
"""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from safelight.triage.evidence.archive import ArchiveFiles, Member
from safelight.triage.evidence.base import MediaWindow
from safelight.triage.evidence.streams import Decoder, Inflater, Inflater64, Puller, Source, bzip2, zstd
from safelight.triage.model import Times

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_ENCRYPTED = 1 | 1 << 6
_NAMES = {
    0: "stored", 1: "shrunk", 6: "imploded", 8: "deflate", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard",
    95: "xz", 98: "PPMd", 99: "AES encryption",
}  # fmt: skip
_READ = (0, 8, 9, 12, 14, 93)
_LARGEST_DIRECTORY = 512 << 20


class ZipFiles(ArchiveFiles):
    """The members of a zip archive."""

    type = "zip archive"

    def _scan(self) -> Iterable[Member]:
        try:
            with zipfile.ZipFile(MediaWindow(self._evidence, 0, self._evidence.size)) as archive:
                rows = archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError, EOFError, MemoryError) as e:
            words = " ".join(str(e).split())[:120].rstrip(".")
            self._lost(
                f"its directory is missing or damaged ({words}): it was cut short; "
                "members were looked for by their own headers"
            )
            yield from self._walk()
            return
        starts = sorted({row.header_offset for row in rows})
        following = dict(zip(starts, [*starts[1:], self._evidence.size], strict=True))
        seen: set[int] = set()
        for row in rows:
            # Not `row.is_dir()`: it fails over a member without a name, and took the whole archive with it.
            if row.filename.endswith("/"):
                self.directories += 1
                continue
            yield self._member(row, following[row.header_offset], row.header_offset in seen)
            seen.add(row.header_offset)

    def _member(self, row: zipfile.ZipInfo, limit: int, again: bool) -> Member:
        member = Member(row.filename, row.file_size, row.compress_size, crc=row.CRC, times=_times(row.date_time))
        head = self._evidence.read(row.header_offset, _LOCAL.size) if row.header_offset >= 0 else b""
        if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
            member.reason = "its header is not where the archive's directory says"
            return member
        start = row.header_offset + _LOCAL.size + sum(_LOCAL.unpack(head)[-2:])
        member.where = (start, row.compress_size)
        if again or start + row.compress_size > limit:
            beyond = start + row.compress_size > self._evidence.size
            member.reason = (
                "it goes on behind the end of the archive: the archive was cut short"
                if beyond
                else "its place in the archive overlaps that of another member, as in a bomb"
            )
            return member
        self._attach(member, row.compress_type, row.flag_bits)
        return member

    def _attach(self, member: Member, method: int, flags: int) -> None:
        """Say how the member is unpacked, or why it is not."""
        assert member.where is not None
        start, packed = member.where
        if flags & _ENCRYPTED or method == 99:
            member.reason = "encrypted in the archive, no key was given"
        elif method not in _READ:
            member.reason = f"packed by {_NAMES.get(method, f'method {method}')}, which this version does not read"
        elif method == 0:
            evidence, size = self._evidence, member.size

            def direct(at: int, length: int) -> bytes:
                return evidence.read(start + at, min(length, size - at))

            member.direct = direct
            if member.size != packed:
                member.reason = "its two sizes in the archive contradict each other"
        else:
            member.start = lambda: _Checked(_puller(method, self._source(start, packed)), member.crc, member.size)

    def _source(self, start: int, packed: int) -> Source:
        evidence = self._evidence
        return lambda at, length: evidence.read(start + at, min(length, packed - at)) if at < packed else b""

    # -- without a directory -----------------------------------------------------------------------------------------

    def _walk(self) -> Iterator[Member]:
        """Members by their own headers, as far as each tells where the next one begins."""
        at = 0
        while True:
            self.alive(False)
            head = self._evidence.read(at, _LOCAL.size)
            if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
                if head[:4] not in (b"PK\x01\x02", b"") and at < self._evidence.size:
                    self._lost("bytes that are no member's", at, self._evidence.size - at)
                return
            _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack(head)
            raw = self._evidence.read(at + _LOCAL.size, name_size + extra_size)
            start = at + _LOCAL.size + name_size + extra_size
            packed, size = _zip64(raw[name_size:], packed, size)
            name = raw[:name_size].decode("utf-8" if flags & 0x800 else "cp437", "backslashreplace")
            if name.endswith("/"):
                self.directories += 1
                at = start + packed
                continue
            member = Member(name, size, packed, crc=crc, where=(start, packed))
            if flags & 8 and not packed:
                member.reason = "its size is told only in the directory, which is missing"
                member.size = self._evidence.size - start
                yield member
                return
            if start + packed > self._evidence.size:
                member.reason = "the archive was cut short inside it"
                yield member
                return
            self._attach(member, method, flags)
            yield member
            at = start + packed


class _Checked(Puller):
    """A member's bytes, held against its checksum and its size at the end."""

    def __init__(self, inner: Puller, crc: int | None, size: int) -> None:
        self._inner = inner
        self._crc = crc
        self._left = size
        self._sum = 0

    def pull(self, most: int) -> bytes:
        """The next bytes."""
        if self._left <= 0:
            return b""
        data = self._inner.pull(min(most, self._left))
        self._sum = zlib.crc32(data, self._sum)
        self._left -= len(data)
        if data and self._left == 0 and self._crc is not None and self._sum != self._crc:
            self.distrust = "its checksum in the archive does not agree with its bytes"
        return data

    def fork(self) -> Puller | None:
        """A second one where the kind allows it."""
        inner = self._inner.fork()
        if inner is None:
            return None
        twin = _Checked(inner, self._crc, self._left)
        twin._sum = self._sum
        return twin


def _puller(method: int, source: Source) -> Puller:
    if method == 8:
        return Inflater(source, -15)
    if method == 9:
        return Inflater64(source)
    if method == 12:
        return bzip2(source)
    if method == 93:
        return zstd(source)
    return _lzma(source)


def _lzma(source: Source) -> Puller:
    head = source(0, 9)
    if len(head) < 9 or head[2:4] != b"\x05\x00":
        raise OSError("its LZMA header is damaged")
    bits, dictionary = head[4], struct.unpack_from("<I", head, 5)[0]
    if bits >= 225 or dictionary > 1 << 30:
        raise OSError("its LZMA header is damaged or asks for too much memory")
    packing = {"id": lzma.FILTER_LZMA1, "lc": bits % 9, "lp": bits // 9 % 5, "pb": bits // 45,
               "dict_size": max(dictionary, 4096)}  # fmt: skip

    def make() -> Any:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[packing])

    return Decoder(source, make, at=9)


def _zip64(extra: bytes, packed: int, size: int) -> tuple[int, int]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            values = list(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            if size == 0xFFFFFFFF and values:
                size = values.pop(0)
            if packed == 0xFFFFFFFF and values:
                packed = values.pop(0)
        at += 4 + length
    return packed, size


def _times(parts: tuple[int, int, int, int, int, int]) -> Times:
    # A zip keeps the local time of whoever packed it; it is shown as if it were UTC.
    try:
        return Times(written=datetime(*parts, tzinfo=UTC))
    except ValueError:
        return Times()
