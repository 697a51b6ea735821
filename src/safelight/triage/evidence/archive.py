"""Archives as file systems: one interface for zip, tar, 7z and single compressed files.

Nothing is ever written anywhere: a name in an archive is a word in the report, however it tries to climb (`../`, `/`).
Limits (Autopsy's, facts of its SevenZipExtractor): a member of 500 MB or more that is packed more than 600 times
smaller is taken for a bomb and named as not read.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.filesystem import Content, FileSystemReader, clean_name
from safelight.triage.evidence.phones import PhoneSigns
from safelight.triage.evidence.streams import Cursor, Puller
from safelight.triage.model import FileEntry, Times, UnreadPart

BOMB_SIZE = 500_000_000
BOMB_RATIO = 600
MOST_MEMBERS = 1_000_000


@dataclass(slots=True)
class Member:
    """One file in an archive.

    Attributes:
        name: as the archive spells it.
        size: bytes when unpacked.
        packed: bytes in the archive; 0 where it cannot be told.
        start: begins the unpacked bytes; None when they cannot be had, and `reason` says why.
        direct: reads the bytes where they lie, for members that are stored as they are.
        crc: what the archive says the bytes add up to.
        broken: why the end of it is missing from the archive.
        where: the place of its packed bytes in the archive (offset, size).
    """

    name: str
    size: int
    packed: int = 0
    start: Callable[[], Puller] | None = None
    direct: Callable[[int, int], bytes] | None = None
    reason: str = ""
    crc: int | None = None
    broken: str = ""
    where: tuple[int, int] | None = None
    times: Times = field(default_factory=Times)
    notes: list[str] = field(default_factory=list)


class ArchiveFiles(FileSystemReader):
    """The members of one archive; `locator` is their number."""

    def __init__(self, index: int, evidence: Evidence, name: str) -> None:
        super().__init__(index, 0, 0, evidence.size, 0)
        self._evidence = evidence
        self._name = name
        self._members: list[Member] | None = None

    @abstractmethod
    def _scan(self) -> Iterable[Member]:
        """The members in their order in the archive.

        Raises:
            EvidenceError: it cannot be listed at all.
        """

    def _load(self) -> list[Member]:
        if self._members is None:
            self._members = []
            try:
                for member in self._scan():
                    if len(self._members) >= MOST_MEMBERS:
                        self._lost(f"it lists more than {MOST_MEMBERS:,} members; the rest was left")
                        break
                    self._members.append(member)
                    self.alive(False)
            except EvidenceError as error:
                self._lost(error.what.rstrip("."))
        return self._members

    def _lost(self, reason: str, offset: int | None = None, size: int | None = None) -> None:
        part = UnreadPart("archive", reason, offset, size)
        if part not in self.unread:
            self.unread.append(part)

    def entries(self) -> Iterator[FileEntry]:
        """Every member, once."""
        signs = PhoneSigns()
        for number, member in enumerate(self._load()):
            path, notes = spell(member.name)
            signs.see(path)
            reason = member.reason
            if not reason and member.size >= BOMB_SIZE and member.packed and member.size > BOMB_RATIO * member.packed:
                reason = (
                    f"it would unpack to {member.size:,} bytes, more than {BOMB_RATIO} times its packed size: "
                    "taken for a bomb"
                )
            yield FileEntry(
                self.index, path, member.size, str(number), number, readable=not reason, times=member.times,
                notes=((reason,) if reason else ()) + (*notes, *member.notes), origin="member",
            )  # fmt: skip
        if (said := signs.note()) is not None and said not in self.notes:
            self.notes.append(said)

    def find(self, path: str) -> str | None:
        """The number of the member with this path."""
        return next((str(n) for n, m in enumerate(self._load()) if spell(m.name)[0] == path), None)

    def own_content(self, locator: str) -> Content:
        """The unpacked bytes of the member with this number."""
        members = self._load()
        number = int(locator)
        if not 0 <= number < len(members):
            raise EvidenceError(f"The archive has no member {number}.")
        member = members[number]
        if member.size == 0:
            return Content(0, lambda at, length: b"")
        if member.direct is not None:
            return Content(member.size, member.direct, holes=lambda: self._holes(member, None))
        if member.start is None:
            raise EvidenceError(f"The member cannot be unpacked: {member.reason or 'no reason given'}.")
        cursor = Cursor(member.start)

        def read(at: int, length: int) -> bytes:
            return cursor.read(at, min(length, member.size - at))

        return Content(member.size, read, holes=lambda: self._holes(member, cursor))

    def _holes(self, member: Member, cursor: Cursor | None) -> list[tuple[int, int, str]]:
        holes: list[tuple[int, int, str]] = []
        if cursor is not None and cursor.ended is not None:
            at, why = cursor.ended
            if at < member.size:
                return [(at, member.size, why or "the archive holds fewer bytes of it than it says")]
        if cursor is not None and cursor.distrust:
            return [(0, member.size, cursor.distrust)]
        if member.broken:
            holes.append((member.size, member.size, member.broken))
        if member.where is not None and self._evidence.missing:
            start, size = member.where
            for left, right, why in self._evidence.missing.within(start, start + size):
                if member.direct is not None:
                    holes.append((left - start, right - start, why))
                else:
                    holes.append((0, member.size, why))
        return holes


def spell(name: str) -> tuple[str, list[str]]:
    """A member's name as a path that stays below its archive, and a remark where it was made to climb out of it."""
    parts = [p for p in name.split("/") if p not in ("", ".")]
    notes = []
    if name.startswith("/") or ".." in parts or (len(name) > 2 and name[1:3] in (":\\", ":/")):
        notes.append(
            f"its name in the archive points outside of it: {clean_name(name.replace('/', '|')).replace('|', '/')}"
        )
    path = "/".join("\\x2e\\x2e" if p == ".." else clean_name(p) for p in parts)
    return path or "(no name)", notes
