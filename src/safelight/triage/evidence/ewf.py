"""E01 (Expert Witness Compression Format, EWF-E01 and EWF-S01) read by us: sections, chunk tables and checksums.

Source of the layout: "Expert Witness Compression Format specification", Joachim Metz (libewf documentation). Every
section header and chunk is checked (Adler-32); a chunk that fails its check, or that lies in a part that is cut short
or missing, is a missing range of the media, and everything else is read.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.raw import DiskFile, PartFile, part_of
from safelight.triage.model import Problem

try:
    import deflate

    LIBDEFLATE = True
except ImportError:  # pragma: no cover - the base set has it; zlib reads the same bytes, slower
    LIBDEFLATE = False

_adler32 = deflate.adler32 if LIBDEFLATE else zlib.adler32
SIGNATURE = b"EVF\x09\x0d\x0a\xff\x00"
_SECTION = struct.Struct("<16sQQ40xI")
_HEADER = 13
_CACHE_CHUNKS = 512
_PASS = 1 << 20
_AT_ONCE = 512 << 10
_Octets = bytes | bytearray | memoryview
_MAX_CHUNK = 16 << 20


@dataclass(slots=True)
class _Geometry:
    chunks: int
    chunk_size: int
    media_size: int


def part_names(first: Path) -> list[str]:
    """The names that may follow `first` (`.E01`): `.E02` ... `.E99`, `.EAA` ... `.ZZZ`, in its own case."""
    letter = first.suffix[1]
    lower = letter.islower()
    stem = first.name[:-4]
    names = [f"{stem}.{letter}{n:02d}" for n in range(2, 100)]
    alphabet = "abcdefghijklmnopqrstuvwxyz" if lower else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    start = alphabet.index(letter) if letter in alphabet else 0
    names += [f"{stem}.{a}{b}{c}" for a in alphabet[start:] for b in alphabet for c in alphabet]
    return names


def find_parts(first: Path) -> list[Path]:
    """`first` and the parts that follow it without a gap."""
    present = {p.name for p in first.parent.iterdir()}
    folded = {name.casefold(): name for name in present}
    parts = [first]
    for name in part_names(first):
        real = name if name in present else folded.get(name.casefold())
        if real is None:
            break
        parts.append(first.parent / real)
    return parts


def segment_number(head: bytes) -> int:
    """Which part of its set a file is, from its first 13 bytes."""
    return int(struct.unpack_from("<H", head, 9)[0])


class EwfEvidence(Evidence):
    """An E01 set given by its parts in order."""

    format = "E01"
    side_by_side = True

    def __init__(self, paths: list[Path], files: list[PartFile] | None = None) -> None:
        self._fds: list[PartFile] = []
        # Chunk i lies in file _file[i] from _start[i] to _end[i]; a start of 0 means that no table names it.
        self._file, self._start, self._end = array("H"), array("Q"), array("Q")
        self._packed = bytearray()
        self._gaps: list[str] = []
        self._geometry: _Geometry | None = None
        self._finished = False
        self._cache: OrderedDict[int, _Octets | None] = OrderedDict()
        self._md5 = self._sha1 = None
        parts = tuple(f.part for f in files) if files else tuple(part_of(p) for p in paths)
        super().__init__(parts, 0)
        if len(paths) > 1:
            self.format = "E01 (multi-part)"
        try:
            self._fds = files or [DiskFile(p) for p in paths]
            for number, (fd, path) in enumerate(zip(self._fds, paths, strict=True), 1):
                self._read_sections(fd, path, number)
            self._settle(paths)
        except (EvidenceError, OSError):
            self.close()
            raise

    # -- reading the structure ---------------------------------------------------------------------------------------

    def _read_sections(self, fd: PartFile, path: Path, number: int) -> None:
        file_size = fd.size
        head = fd.pread(_HEADER, 0)
        if head[:8] != SIGNATURE or len(head) < _HEADER:
            raise EvidenceError(
                f"{path} does not begin with the E01 signature.", fix="Copy this part of the image again."
            )
        if segment_number(head) != number:
            raise EvidenceError(
                f"{path} is part {segment_number(head)} of an E01 set, where part {number} belongs.",
                fix="Give the first part, with all parts of the same set beside it.",
            )
        at, sectors_end, table_seen, data_at = _HEADER, 0, True, 0
        seen: set[int] = set()
        while True:
            if at in seen or at + _SECTION.size > file_size:
                self._cut(path, at, file_size)
                break
            seen.add(at)
            raw = fd.pread(_SECTION.size, at)
            name, following, size, check = _SECTION.unpack(raw)
            kind = name.split(b"\0")[0].decode("ascii", "replace")
            if zlib.adler32(raw[:-4]) != check:
                self.problems.append(Problem(path.name, f"The section header at byte {at:,} fails its checksum."))
                if not kind.isalnum():
                    self._cut(path, at, file_size)
                    break
            body = at + _SECTION.size
            end = at + size if size >= _SECTION.size else following
            if end > file_size:
                self.problems.append(
                    Problem(path.name, f"The file ends inside its {kind!r} section: it was cut short.")
                )
            if kind in ("volume", "disk", "data") and self._geometry is None:
                self._geometry = self._read_geometry(fd.pread(max(0, min(size - 76, 4096)), body), path)
            elif kind == "sectors":
                if not table_seen and self._geometry:
                    self._recover(fd, number, data_at, min(sectors_end, file_size))
                data_at, sectors_end, table_seen = body, end, False
            elif kind == "table" or (kind == "table2" and not table_seen):
                table_seen |= self._read_table(fd, path, number, body, end, min(sectors_end or at, file_size))
            elif kind in ("hash", "digest"):
                self._read_digests(kind, fd.pread(36, body))
            elif kind == "error2":
                self._read_errors(fd.pread(max(0, min(end, file_size) - body), body))
            if kind in ("done", "next"):
                self._finished = kind == "done"
                break
            if following <= at:
                self._cut(path, at, file_size)
                break
            at = following
        if not table_seen and self._geometry:
            self._recover(fd, number, data_at, min(sectors_end, file_size))

    def _cut(self, path: Path, at: int, file_size: int) -> None:
        self._finished = False
        self._gaps.append(path.name)
        self.problems.append(
            Problem(
                path.name, f"The E01 file ends early or is damaged at byte {min(at, file_size):,} of {file_size:,}."
            )
        )

    def _read_geometry(self, body: bytes, path: Path) -> _Geometry:
        if len(body) < 24:
            raise EvidenceError(f"{path} is cut short before its volume section.", fix="Copy the image again.")
        chunks, per_chunk, per_sector = struct.unpack_from("<III", body, 4)
        (sectors,) = struct.unpack_from("<Q" if len(body) >= 1052 else "<I", body, 16)
        chunk_size = per_chunk * per_sector
        if not 0 < chunk_size <= _MAX_CHUNK or chunks > 1 << 32 or sectors * per_sector > 1 << 50:
            raise EvidenceError(
                f"{path} claims {per_chunk} sectors of {per_sector} bytes in a chunk: its volume section is damaged.",
                fix="Copy the image again, or acquire the device again.",
            )
        media = sectors * per_sector or chunks * chunk_size
        return _Geometry(-(-media // chunk_size), chunk_size, media)

    def _read_table(self, fd: PartFile, path: Path, number: int, body: int, end: int, data_end: int) -> bool:
        head = fd.pread(24, body)
        if len(head) < 24 or zlib.adler32(head[:20]) != struct.unpack_from("<I", head, 20)[0]:
            self.problems.append(Problem(path.name, f"The chunk table at byte {body:,} fails its checksum."))
            return False
        count, base = struct.unpack_from("<I4xQ", head)
        raw = fd.pread(count * 4 + 4, body + 24) if count <= 1 << 22 else b""
        if len(raw) < count * 4 or (
            len(raw) >= count * 4 + 4
            and end - body - 24 >= count * 4 + 4
            and zlib.adler32(raw[: count * 4]) != struct.unpack_from("<I", raw, count * 4)[0]
        ):
            self.problems.append(Problem(path.name, f"The chunk table at byte {body:,} is damaged or cut short."))
            return False
        starts: list[tuple[int, int]] = []
        overflow = False
        for value in struct.unpack(f"<{count}I", raw[: count * 4]):
            offset = value if overflow else value & 0x7FFFFFFF
            if starts and base + offset < starts[-1][0] and not overflow:
                # EnCase 6.7 and later let offsets beyond 2 GiB run over the flag bit; such chunks are compressed.
                overflow, offset = True, value
            starts.append((base + offset, 1 if overflow else value >> 31))
        if data_end <= (starts[-1][0] if starts else 0):
            data_end = end  # EWF-S01 keeps the chunks behind the table itself.
        for index, (start, packed) in enumerate(starts):
            stop = starts[index + 1][0] if index + 1 < len(starts) else data_end
            self._add_chunk(number, start, stop, packed)
        return True

    def _add_chunk(self, number: int, start: int, stop: int, packed: int) -> None:
        self._file.append(number - 1)
        self._start.append(start)
        self._end.append(max(start, stop))
        self._packed.append(packed)

    def _recover(self, fd: PartFile, number: int, at: int, end: int) -> None:
        """Find the chunks of a sectors section whose table is lost: each must pass its own checksum."""
        assert self._geometry is not None
        size = self._geometry.chunk_size
        while at < end and len(self._start) < self._geometry.chunks:
            raw = fd.pread(size + 4096, at)
            inflater = zlib.decompressobj()
            try:
                whole = len(inflater.decompress(raw, size)) <= size and (inflater.decompress(b"") == b"")
                used = len(raw) - len(inflater.unused_data) - len(inflater.unconsumed_tail)
                packed = int(whole and inflater.eof)
            except zlib.error:
                packed = 0
            if not packed:
                used = size + 4
                if len(raw) < used or zlib.adler32(raw[:size]) != struct.unpack_from("<I", raw, size)[0]:
                    break
            self._add_chunk(number, at, at + used, packed)
            at += used

    def _read_digests(self, kind: str, body: bytes) -> None:
        if len(body) >= 16 and any(body[:16]):
            self.stored_md5 = body[:16].hex()
        if kind == "digest" and len(body) >= 36 and any(body[16:36]):
            self.stored_sha1 = body[16:36].hex()

    def _read_errors(self, body: bytes) -> None:
        if len(body) < 520:
            return
        (count,) = struct.unpack_from("<I", body)
        for index in range(min(count, (len(body) - 520) // 8)):
            first, sectors = struct.unpack_from("<II", body, 520 + index * 8)
            self.problems.append(
                Problem("acquisition", f"Sectors {first:,} to {first + sectors - 1:,} could not be read when imaging.")
            )

    def _settle(self, paths: list[Path]) -> None:
        if self._geometry is None:
            raise EvidenceError(
                f"{paths[0]} has no volume section: it is cut short or damaged.", fix="Copy the image again."
            )
        self.size = self._geometry.media_size
        have = min(len(self._start) * self._geometry.chunk_size, self.size)
        if have < self.size:
            if self._gaps:
                reason = f"image part {self._gaps[-1]} is cut short or damaged"
            elif not self._finished:
                reason = f"the parts after {paths[-1].name} are missing"
            else:
                reason = "the image names fewer chunks than its size needs"
            self.missing.add(have, self.size, reason)
            self.problems.append(Problem(paths[-1].name, f"{reason.capitalize()}: bytes from {have:,} were not read."))

    # -- reading the media -------------------------------------------------------------------------------------------

    def _read(self, offset: int, length: int) -> bytes:
        assert self._geometry is not None
        size = self._geometry.chunk_size
        end = offset + length
        first, last = offset // size, (end - 1) // size
        # A long read is part of a pass: what it unpacks is not asked for again, and would only drive out what is.
        get = self._short if length < _PASS else self._long
        pieces: list[_Octets] = []
        for index, data in enumerate(get(first, last), first):
            base = index * size
            piece = data if data is not None else bytes(min(size, self.size - base))
            left, right = max(offset - base, 0), min(end - base, size)
            pieces.append(piece if left == 0 and right >= len(piece) else piece[left:right])
        return b"".join(pieces)

    def _short(self, first: int, last: int) -> Iterator[_Octets | None]:
        for index in range(first, last + 1):
            if index in self._cache:
                self._cache.move_to_end(index)
            else:
                self._cache[index] = next(self._long(index, index))
                if len(self._cache) > _CACHE_CHUNKS:
                    self._cache.popitem(last=False)
            yield self._cache[index]

    def _long(self, first: int, last: int) -> Iterator[_Octets | None]:
        """Chunks one after the other; those that lie in a row in one part are read at once."""
        assert self._geometry is not None
        starts, ends, files = self._start, self._end, self._file
        limit = self._geometry.chunk_size + 4096
        known = min(last + 1, len(starts))
        index = first
        while index < known:
            stop = index + 1
            while (
                stop < known
                and starts[stop] == ends[stop - 1]
                and files[stop] == files[index]
                and ends[stop] - starts[index] <= _AT_ONCE
            ):
                stop += 1
            base, number = starts[index], files[index]
            length = min(ends[stop - 1] - base, max(limit, _AT_ONCE))
            reason = f"damaged chunk in image part {self.parts[number].name}"
            try:
                raw = memoryview(self._fds[number].pread(length, base))
            except OSError as error:
                raw = memoryview(b"")
                reason = f"read error in {self.parts[number].name}: {error.strerror}"
            for at in range(index, stop):
                start = starts[at] - base
                yield self._unpacked(at, raw[start : min(ends[at] - base, start + limit)], reason)
            index = stop
        for _ in range(max(index, first), last + 1):
            yield None  # Already listed as missing.

    def _unpacked(self, index: int, raw: memoryview, reason: str) -> _Octets | None:
        """One chunk; None, and its range noted, where it is damaged."""
        assert self._geometry is not None
        size = self._geometry.chunk_size
        base = index * size
        want = min(size, self.size - base)
        data = _inflate(raw, size) if self._packed[index] else _checked(raw)
        if data is None or len(data) < want:
            self.missing.add(base, base + want, reason)
            return None
        return data if len(data) == want else data[:want]

    def close(self) -> None:
        """Give back the descriptors."""
        self._cache.clear()
        while self._fds:
            self._fds.pop().close()


def _inflate(raw: memoryview, size: int) -> _Octets | None:
    if LIBDEFLATE:
        try:
            unpacked: bytearray = deflate.zlib_decompress(raw, size)
            return unpacked
        except (deflate.DeflateError, ValueError):
            # Padding behind the stream, or a damaged chunk: zlib can tell the two apart.
            pass
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(raw, size)
    except zlib.error:
        return None
    if not inflater.eof:
        try:
            data += inflater.decompress(inflater.unconsumed_tail, 1)
        except zlib.error:
            return None
    return data if inflater.eof and len(data) <= size else None


def _checked(raw: memoryview) -> _Octets | None:
    if len(raw) < 4:
        return None
    data, check = raw[:-4], struct.unpack("<I", raw[-4:])[0]
    return data if _adler32(data) == check else None
