"""7z archives: py7zr reads the directory and gives the decoders; the bytes are pulled through them, never extracted."""

from __future__ import annotations

import io
import lzma
import zlib
from collections.abc import Iterable
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.evidence.archive import ArchiveFiles, Member
from safelight.triage.evidence.base import Evidence, MediaWindow
from safelight.triage.evidence.streams import Cursor, Puller
from safelight.triage.model import Times

_ENCRYPTION = b"\x06\xf1\x07\x01"
_FAULTS = (OSError, ValueError, EOFError, RuntimeError, IndexError, KeyError, TypeError, AttributeError, MemoryError,
           OverflowError, lzma.LZMAError, zlib.error)  # fmt: skip
_LARGEST_HEADER = 256 << 20


class _Window(MediaWindow, io.RawIOBase):
    """The archive as the kind of file that py7zr insists on."""


class SevenZipFiles(ArchiveFiles):
    """The members of a 7z archive."""

    type = "7z archive"

    def __init__(self, index: int, evidence: Evidence, name: str) -> None:
        super().__init__(index, evidence, name)
        self._cursors: dict[int, Cursor] = {}

    def _scan(self) -> Iterable[Member]:
        import py7zr
        from py7zr.exceptions import ArchiveError

        head = self._evidence.read(0, 32)
        header_at, header_size = (int.from_bytes(head[i : i + 8], "little") for i in (12, 20))
        if 32 + header_at + header_size > self._evidence.size:
            raise EvidenceError("its directory lies behind its end: it was cut short")
        if header_size > _LARGEST_HEADER:
            raise EvidenceError(f"its directory claims {header_size:,} bytes, more than the limit")
        try:
            archive = py7zr.SevenZipFile(_Window(self._evidence, 0, self._evidence.size), "r")  # type: ignore[arg-type]
        except py7zr.exceptions.PasswordRequired:
            raise EvidenceError("its directory is encrypted, no key was given") from None
        except (ArchiveError, *_FAULTS) as error:
            raise EvidenceError(f"its directory is damaged ({_words(error)})") from None
        try:
            yield from self._rows(archive)
        except (ArchiveError, *_FAULTS) as error:
            raise EvidenceError(f"its directory is damaged ({_words(error)})") from None

    def _rows(self, archive: Any) -> Iterable[Member]:
        base = int(archive.afterheader)
        streams = archive.header.main_streams
        places: dict[int, tuple[int, int]] = {}
        if streams is not None:
            positions, first = streams.packinfo.packpositions, 0
            for folder in streams.unpackinfo.folders:
                number = len(folder.packed_indices)
                start = base + int(streams.packinfo.packpos) + int(positions[first])
                places[id(folder)] = (start, sum(streams.packinfo.packsizes[first : first + number]))
                first += number
        inside: dict[int, int] = {}
        for row in archive.files:
            size = int(row.uncompressed or 0)
            if row.is_directory:
                self.directories += 1
                continue
            folder = row.folder
            times = Times(written=row.lastwritetime.as_datetime()) if row.lastwritetime is not None else Times()
            member = Member(str(row.filename), size, int(row.compressed or 0), times=times, crc=row.crc32)
            if folder is not None and size:
                at = inside.get(id(folder), 0)
                inside[id(folder)] = at + size
                member.where = places[id(folder)]
                # A solid folder packs its members as one; each has its share.
                member.packed = max(1, member.where[1] * size // max(int(folder.get_unpack_size()), 1))
                self._attach(member, folder, at)
            elif row.is_symlink or row.is_junction or row.is_socket:
                self.other += 1
                continue
            yield member

    def _attach(self, member: Member, folder: Any, at: int) -> None:
        assert member.where is not None
        start, packed = member.where
        if any(coder["method"] == _ENCRYPTION for coder in folder.coders):
            member.reason = "encrypted in the archive, no key was given"
        elif start + packed > self._evidence.size:
            member.reason = "the archive was cut short"
        else:
            shared = self._shared(folder, start, packed)
            member.start = lambda: _Slice(shared, at, member.size, member.crc)

    def _shared(self, folder: Any, start: int, packed: int) -> Cursor:
        """One cursor for all members of a folder, which follow one another in it."""
        cursor = self._cursors.get(start)
        if cursor is None:
            cursor = Cursor(lambda: _Folder(folder, MediaWindow(self._evidence, start, packed), packed))
            self._cursors[start] = cursor
        return cursor


class _Folder(Puller):
    """The unpacked bytes of one folder."""

    def __init__(self, folder: Any, window: MediaWindow, packed: int) -> None:
        from py7zr.exceptions import ArchiveError

        self._faults = (ArchiveError, *_FAULTS)
        self._window = window
        self._idle = 0
        try:
            self._decoder = folder.get_decompressor(packed, reset=True)
        except self._faults as error:
            raise OSError(f"its packing is not read by this version ({_words(error)})") from None

    def pull(self, most: int) -> bytes:
        """The next bytes."""
        for _ in range(64):
            before = self._window.tell()
            try:
                data = bytes(self._decoder.decompress(self._window, most))
            except self._faults as error:
                raise OSError(f"its compressed bytes are damaged ({_words(error)})") from None
            if data:
                return data
            if self._window.tell() == before:
                break
        raise OSError("its compressed bytes end early")


class _Slice(Puller):
    """One member's piece of a folder, held against its checksum at the end."""

    def __init__(self, shared: Cursor, at: int, size: int, crc: int | None) -> None:
        self._shared, self._at, self._left, self._crc, self._sum = shared, at, size, crc, 0

    def pull(self, most: int) -> bytes:
        """The next bytes."""
        if self._left <= 0:
            return b""
        data = self._shared.read(self._at, min(most, self._left))
        if not data:
            raise OSError((self._shared.ended or (0, ""))[1] or "its compressed bytes end early")
        self._at += len(data)
        self._left -= len(data)
        self._sum = zlib.crc32(data, self._sum)
        if self._left == 0 and self._crc is not None and self._sum != self._crc:
            self.distrust = "its checksum in the archive does not agree with its bytes"
        return data


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
