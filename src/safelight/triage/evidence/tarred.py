"""Tar archives (ustar, GNU, pax), plain or compressed, walked header by header; and single compressed files."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from safelight.triage.evidence.archive import BOMB_RATIO, BOMB_SIZE, ArchiveFiles, Member
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.filesystem import moment
from safelight.triage.evidence.streams import Cursor, Inflater, Puller, Source, bzip2, xz, zstd
from safelight.triage.model import Times

_BLOCK = 512
_LONGEST_NAME = 1 << 20
_DRAIN = 1 << 20

#: How a compressed stream begins, what it is called, the endings its name may have, and how it is unpacked.
SQUEEZED: tuple[tuple[bytes, str, tuple[str, ...], Callable[[Source], Puller]], ...] = (
    (b"\x1f\x8b\x08", "gzip", (".gz", ".gzip", ".z"), lambda source: Inflater(source, 31)),
    (b"BZh", "bzip2", (".bz2", ".bz"), bzip2),
    (b"\xfd7zXZ\x00", "xz", (".xz",), xz),
    (b"\x28\xb5\x2f\xfd", "Zstandard", (".zst", ".zstd"), zstd),
)


def is_tar(head: bytes) -> bool:
    """Whether these first 512 bytes are a tar header with the right checksum."""
    if len(head) < _BLOCK or head[257:262] != b"ustar":
        return False
    try:
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


class TarFiles(ArchiveFiles):
    """The members of a tar archive."""

    type = "tar archive"

    def __init__(self, index: int, evidence: Evidence, name: str) -> None:
        super().__init__(index, evidence, name)
        self._cursor: Cursor | None = None
        self._names: dict[str, int] = {}

    def _bytes(self, at: int, length: int) -> bytes:
        return self._evidence.read(at, length)

    def _scan(self) -> Iterable[Member]:
        yield from self._walk()

    def _walk(self) -> Iterator[Member]:
        at = 0
        pending: dict[str, str] = {}
        everywhere: dict[str, str] = {}
        number = 0
        while True:
            head = self._bytes(at, _BLOCK)
            if len(head) < _BLOCK:
                self._ended_early(at, head)
                return
            if not any(head):
                self._behind(at)
                return
            try:
                info = tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
            except (tarfile.HeaderError, ValueError):
                self._lost(f"its header at byte {at:,} is damaged; nothing behind it can be found", at)
                return
            start = at + _BLOCK
            size = max(0, info.size)
            if info.type in (b"L", b"K", b"x", b"g", b"X"):
                if size > _LONGEST_NAME:
                    self._lost(f"the name at byte {at:,} claims {size:,} bytes: it is damaged", at)
                    return
                raw = self._bytes(start, size)
                if info.type == b"L":
                    pending["path"] = raw.split(b"\0")[0].decode("utf-8", "surrogateescape")
                elif info.type != b"K":
                    (everywhere if info.type == b"g" else pending).update(_pax(raw))
                at = start + -(-size // _BLOCK) * _BLOCK
                continue
            said = {**everywhere, **pending}
            pending = {}
            if said.get("size", "").isdigit():
                size = int(said["size"])
            if info.type in (b"1", b"2", b"3", b"4", b"5", b"6"):
                size = 0  # Links, devices, folders and pipes have no content here, whatever they claim.
            name = said.get("GNU.sparse.name") or said.get("path") or info.name
            name = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            if info.type == b"5" or (info.type in (b"0", b"\0") and name.endswith("/") and not size):
                self.directories += 1
            elif info.type == b"1" and info.linkname in self._names:
                self.add_name(str(self._names[info.linkname]), info.linkname, name)
            elif info.type in (b"1", b"2", b"3", b"4", b"6"):
                self.other += 1
            else:
                member = Member(name, size, times=_times(info, said), where=(start, size))
                if info.type == b"S" or any(key.startswith("GNU.sparse") for key in said):
                    member.reason = "stored with holes (a sparse tar member), which this version does not read"
                elif not self._has(start, size):
                    member.reason = "the archive was cut short inside it"
                else:
                    member.direct = self._reader(start, size)
                self._names[name] = number
                number += 1
                yield member
                if member.reason and "cut short" in member.reason:
                    return
            at = start + -(-size // _BLOCK) * _BLOCK
            if info.type == b"S" and head[482]:
                while (more := self._bytes(at - 0, _BLOCK)) and len(more) == _BLOCK and more[504]:
                    at += _BLOCK

    def _reader(self, start: int, size: int) -> Callable[[int, int], bytes]:
        return lambda at, length: self._bytes(start + at, min(length, size - at))

    def _has(self, start: int, size: int) -> bool:
        return start + size <= self._evidence.size

    def _ended_early(self, at: int, head: bytes) -> None:
        if head or at == 0 or at > self._evidence.size:
            self._lost("it was cut short", at)

    def _behind(self, at: int) -> None:
        """Bytes behind the end of the archive, where nothing should be."""
        end = self._evidence.size
        while at < end:
            piece = self._bytes(at, min(_DRAIN, end - at))
            if not piece:
                return
            if any(piece):
                self._lost("bytes behind the end of the archive; they were not searched", at, end - at)
                return
            at += len(piece)
            self.alive(False)


class SqueezedFiles(TarFiles):
    """What a compressed stream holds: a tar archive, or one file."""

    def __init__(
        self, index: int, evidence: Evidence, name: str, kind: str, endings: tuple[str, ...],
        start: Callable[[Source], Puller],
    ) -> None:  # fmt: skip
        super().__init__(index, evidence, name)
        self._endings = endings
        source = evidence.read
        self._cursor = Cursor(lambda: start(source))
        self.type = f"{kind} file"
        self._bomb = False

    def _bytes(self, at: int, length: int) -> bytes:
        assert self._cursor is not None
        return b"" if self._bomb else self._cursor.read(at, length)

    def _scan(self) -> Iterable[Member]:
        if is_tar(self._bytes(0, _BLOCK)):
            self.type = f"tar archive in a {self.type}"
            yield from self._walk()
        else:
            yield self._single()

    def _single(self) -> Member:
        assert self._cursor is not None
        size = self._drain(0, None)
        member = Member(self._inner_name(), size, self._evidence.size, where=(0, self._evidence.size))
        ended = self._cursor.ended
        if self._bomb:
            member.reason = (
                f"it unpacks to more than {BOMB_RATIO} times its packed size (stopped at {size:,} bytes): "
                "taken for a bomb"
            )
        elif ended is not None and ended[1]:
            member.broken = ended[1]
            member.notes.append(f"only its first {size:,} bytes could be unpacked: {ended[1]}")
            if not size:
                member.reason, member.size = ended[1], self._evidence.size
        member.direct = self._reader(0, size)
        return member

    def _drain(self, at: int, end: int | None) -> int:
        """Unpack from `at` to `end` (or to the end) and forget it; where it stopped."""
        assert self._cursor is not None
        while end is None or at < end:
            piece = self._cursor.read(at, _DRAIN if end is None else min(_DRAIN, end - at))
            if not piece:
                break
            at += len(piece)
            self.alive(False)
            if at >= BOMB_SIZE and at > BOMB_RATIO * self._evidence.size:
                self._bomb = True
                break
        return at

    def _has(self, start: int, size: int) -> bool:
        return self._drain(start, start + size) >= start + size

    def _ended_early(self, at: int, head: bytes) -> None:
        assert self._cursor is not None
        ended = self._cursor.ended
        if self._bomb:
            self._lost(f"it unpacks to more than {BOMB_RATIO} times its packed size: taken for a bomb, the rest left")
        elif ended is not None and ended[1]:
            self._lost(f"it breaks off after {ended[0]:,} unpacked bytes: {ended[1]}")
        elif head or at == 0:
            self._lost("it was cut short")

    def _behind(self, at: int) -> None:
        """Bytes behind the end of the archive, where nothing should be."""
        while piece := self._bytes(at, _DRAIN):
            if any(piece):
                self._lost("bytes behind the end of the tar archive; they were not searched")
                return
            at += len(piece)
            self.alive(False)
            if at >= BOMB_SIZE and at > BOMB_RATIO * self._evidence.size:
                return
        self._ended_early(at, b"") if at else None

    def _inner_name(self) -> str:
        head = self._evidence.read(0, 1024)
        flags = head[3] if len(head) > 3 and head[:2] == b"\x1f\x8b" else 0
        if flags & 8:
            at = 10 + (2 + int.from_bytes(head[10:12], "little") if flags & 4 else 0)  # it may end there
            stored = head[at:].split(b"\0")[0]
            if stored:
                return stored.decode("latin-1").rsplit("/", 1)[-1]
        name = self._name.rsplit("/", 1)[-1]
        for ending in self._endings:
            if name.lower().endswith(ending) and len(name) > len(ending):
                return name[: -len(ending)]
        return f"{name} (unpacked)"


def _pax(raw: bytes) -> dict[str, str]:
    """The records of a pax header: `length key=value\\n` again and again."""
    found: dict[str, str] = {}
    at = 0
    while at < len(raw):
        space = raw.find(b" ", at, at + 12)
        if space < 0 or not raw[at:space].isdigit():
            break
        length = int(raw[at:space])
        if length <= space - at + 1:
            break
        key, _, value = raw[space + 1 : at + length - 1].partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        at += length
    return found


def _times(info: tarfile.TarInfo, said: dict[str, str]) -> Times:
    def of(key: str) -> datetime | None:
        try:
            return moment(int(float(said[key]))) if key in said else None
        except (ValueError, OverflowError):
            return None

    written = of("mtime") or moment(int(info.mtime))
    return Times(of("LIBARCHIVE.creationtime"), written and written.astimezone(UTC), of("atime"), of("ctime"))
