"""Ex01 (Expert Witness Compression Format version 2) read by us: sections, sector tables, checksums.

Source of the layout: "Expert Witness Compression Format version 2 specification", Joachim Metz (libewf documentation).
libewf reads the format too, but gives a chunk that fails its check as zeros without a word; here such a chunk, or one
in a part that is cut short or missing, is a missing range of the media, and everything else is read.
"""

from __future__ import annotations

import bz2
import struct
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy as np

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.raw import DiskFile, PartFile
from safelight.triage.model import Problem

SIGNATURE = b"EVF2\x0d\x0a\x81\x00"
_SECTION = struct.Struct("<IIQQII16s12xI")
_DEVICE, _CASE, _TABLE, _MD5, _SHA1, _KEYS = 1, 2, 4, 8, 9, 11
_NAMES = {0x03: "sector data", 0x0D: "next", 0x0F: "done"}
_PACKED, _CHECKED, _PATTERN = 1, 2, 4
_MOST_SECTIONS = 1 << 16
_LARGEST_SECTION = 1 << 28
_MAX_CHUNK = 16 << 20
_MAX_MEDIA = 1 << 50
_CACHE = 512


def part_names(first: Path) -> list[str]:
    """The names that may follow `first` (`.Ex01`): `.Ex02` ... `.Ex99`, `.ExAA` ... `.ExZZ`, in its own case."""
    stem, start = first.name[:-5], first.suffix[:3]
    letters = "abcdefghijklmnopqrstuvwxyz" if start.islower() else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [f"{stem}{start}{n:02d}" for n in range(2, 100)] + [f"{stem}{start}{a}{b}" for a in letters for b in letters]


def segment_number(head: bytes) -> int:
    """Which part of its set a file is, from its first 16 bytes."""
    return int(struct.unpack_from("<I", head, 12)[0])


class Ewf2Evidence(Evidence):
    """An Ex01 set given by its parts in order."""

    format = "Ex01"

    def __init__(self, paths: list[Path], files: list[PartFile] | None = None) -> None:
        self._files: list[PartFile] = []
        try:
            self._files = files if files is not None else [DiskFile(p) for p in paths]
            super().__init__(tuple(file.part for file in self._files), 0)
            self._settle(paths)
        except (EvidenceError, OSError):
            self.close()
            raise

    def _settle(self, paths: list[Path]) -> None:
        self._cache: OrderedDict[int, bytes | None] = OrderedDict()
        self._lost: list[str] = []
        sectors = per_sector = per_chunk = 0
        tables: list[tuple[int, int, bytes]] = []
        self._method, kind = 1, 0
        for number, (file, path) in enumerate(zip(self._files, paths, strict=True), 1):
            head = file.pread(32, 0)
            if not head.startswith(SIGNATURE) or len(head) < 32 or segment_number(head) != number:
                self._lose(path, f"it is not part {number} of the set")
                continue
            self._method = struct.unpack_from("<H", head, 10)[0]
            rows = self._sections(file, path)
            for kind, flags, at, size in rows:
                if kind == _KEYS or flags & 2:
                    raise EvidenceError(
                        f"{path} is an encrypted Ex01 image.", fix="Export it again without encryption."
                    )
                if kind in (_DEVICE, _CASE, _MD5, _SHA1, _TABLE):
                    body = file.pread(size, at)
                    if kind in (_DEVICE, _CASE):
                        said = _values(self._inflate(body, _LARGEST_SECTION) or b"")
                        sectors, per_sector = said.get("ts", sectors), said.get("bp", per_sector)
                        per_chunk = said.get("sb", per_chunk)
                    elif kind == _MD5:
                        self.stored_md5 = body[:16].hex() if len(body) >= 20 else None
                    elif kind == _SHA1:
                        self.stored_sha1 = body[:20].hex() if len(body) >= 24 else None
                    else:
                        tables.append((number - 1, at, body))
            if rows and rows[-1][0] not in (0x0D, 0x0F):
                self._lose(path, "its end is missing")
        self._chunk = per_chunk * per_sector
        self.size = sectors * per_sector
        if not 0 < self._chunk <= _MAX_CHUNK or not 0 < self.size <= _MAX_MEDIA:
            raise EvidenceError(
                f"{paths[0]} begins like an Ex01 image but does not say how large its media is.",
                fix="It is damaged or cut short; copy the image again.",
            )
        if kind == 0x0D:
            name = part_names(paths[-1])[0] if len(paths) == 1 else f"the part after {paths[-1].name}"
            self._lose(paths[-1], f"the set goes on, and {name} was not given")
        self._read_tables(tables, paths)

    def _lose(self, path: Path, reason: str) -> None:
        self._lost.append(f"{path.name}: {reason}")
        self.problems.append(Problem(path.name, f"{reason[0].upper()}{reason[1:]}; the rest was read."))

    def _sections(self, file: PartFile, path: Path) -> list[tuple[int, int, int, int]]:
        """(kind, flags, place, size) of the sections in their order; they are linked from the last one back."""
        rows: list[tuple[int, int, int, int]] = []
        at = file.size - _SECTION.size
        while at >= 32 and len(rows) < _MOST_SECTIONS:
            raw = file.pread(_SECTION.size, at)
            if len(raw) < _SECTION.size:
                break
            kind, flags, before, size, own, pad, _, check = _SECTION.unpack(raw)
            if check != zlib.adler32(raw[:60]) or own != _SECTION.size or size > at - 32 or pad > size:
                self._lose(path, "a section of it is damaged, or its end is missing")
                break
            if kind != 3 and size > _LARGEST_SECTION:
                self._lose(path, f"a section claims {size:,} bytes")
                break
            rows.append((kind, flags, at - size, size - pad))
            if not before or before >= at:
                break
            at = before
        return rows[::-1]

    def _read_tables(self, tables: list[tuple[int, int, bytes]], paths: list[Path]) -> None:
        count = -(-self.size // self._chunk)
        self._where = np.zeros(count, np.uint64)
        self._length = np.zeros(count, np.uint32)
        self._flags = np.zeros(count, np.uint32)
        self._part = np.zeros(count, np.uint16)
        self._known = np.zeros(count, np.bool_)
        for part, _, body in tables:
            if len(body) < 32 or struct.unpack_from("<I", body, 16)[0] != zlib.adler32(body[:16]):
                self._lose(paths[part], "a table of it is damaged")
                continue
            first, entries = struct.unpack_from("<QI", body)
            rows = body[32 : 32 + entries * 16]
            check = body[32 + entries * 16 : 36 + entries * 16]
            if len(check) < 4 or struct.unpack("<I", check)[0] != zlib.adler32(rows) or first + entries > count:
                self._lose(paths[part], "a table of it is damaged")
                continue
            table = np.frombuffer(rows, np.dtype([("at", "<u8"), ("size", "<u4"), ("flags", "<u4")]))
            to = slice(first, first + entries)
            self._where[to], self._length[to], self._flags[to] = table["at"], table["size"], table["flags"]
            self._part[to], self._known[to] = part, True
        edges = np.flatnonzero(np.diff(np.concatenate(([True], self._known, [True]))))
        reason = "; ".join(self._lost[:3]) or "no table of the image names these bytes"
        for left, right in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            self.missing.add(left * self._chunk, min(right * self._chunk, self.size), reason)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _read(self, offset: int, length: int) -> bytes:
        first, last = offset // self._chunk, (offset + length - 1) // self._chunk
        data = b"".join(self._piece(number) for number in range(first, last + 1))
        skip = offset - first * self._chunk
        return data[skip : skip + length]

    def _piece(self, number: int) -> bytes:
        if number not in self._cache:
            self._cache[number] = self._load(number)
            if len(self._cache) > _CACHE:
                self._cache.popitem(last=False)
        start = number * self._chunk
        want = min(self._chunk, self.size - start)
        data = self._cache[number]
        if data is None or len(data) < want:
            self.missing.add(start, start + want, "the chunk of the image that holds it is damaged")
            return bytes(want)
        return data[:want]

    def _load(self, number: int) -> bytes | None:
        """The bytes of a chunk; None where its check fails."""
        if not self._known[number]:
            return None
        flags, at, size = int(self._flags[number]), int(self._where[number]), int(self._length[number])
        if flags & _PATTERN:
            return struct.pack("<Q", at) * (self._chunk // 8)
        if size > self._chunk + 4096:
            return None
        try:
            raw: bytes = self._files[self._part[number]].pread(size, at)
        except OSError:
            return None
        if flags & _PACKED:
            return self._inflate(raw, self._chunk)
        if flags & _CHECKED:
            if len(raw) < 4 or struct.unpack("<I", raw[-4:])[0] != zlib.adler32(raw[:-4]):
                return None
            raw = raw[:-4]
        return raw

    def _inflate(self, raw: bytes, most: int) -> bytes | None:
        try:
            unpacker = bz2.BZ2Decompressor() if self._method == 2 else zlib.decompressobj()
            data: bytes = unpacker.decompress(raw, most)
        except (zlib.error, OSError, ValueError):
            return None
        return data if unpacker.eof else None

    def close(self) -> None:
        """Give back the files."""
        while self._files:
            self._files.pop().close()


def _values(raw: bytes) -> dict[str, int]:
    """The numbers of a table of text in UTF-16: a row of names, a row of values, both divided by tabs."""
    lines = raw.decode("utf-16", "replace").splitlines()
    if len(lines) < 4:
        return {}
    return {k: int(v) for k, v in zip(lines[2].split("\t"), lines[3].split("\t"), strict=False) if v.isdecimal()}
