"""A folder of files as evidence: listed and read, links never followed, other file systems never entered."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.filesystem import Content, FileSystemReader, clean_name
from safelight.triage.evidence.phones import PhoneSigns
from safelight.triage.evidence.raw import open_read_only
from safelight.triage.model import EvidencePart, FileEntry, Times, UnreadPart

#: Holes in smaller files are read: it costs nothing.
_LARGE = 1 << 20


class FolderEvidence(Evidence):
    """A folder that was named by a person. It has no media: `read` refuses."""

    format = "folder"

    def __init__(self, path: Path) -> None:
        real = path.resolve()
        if real == Path(real.anchor) or real.parts[1:2] in (("proc",), ("sys",), ("dev",)):
            raise EvidenceError(
                f"{path} is this computer's own system, not evidence.", fix="Name the folder that holds the exhibit."
            )
        super().__init__((EvidencePart(real.name, str(real), 0),), 0)
        self.folder = str(real)

    def _read(self, offset: int, length: int) -> bytes:
        raise EvidenceError("A folder has no media to read.", fix="Read its files.")


class FolderFiles(FileSystemReader):
    """The files under a folder; `locator` is the path below it."""

    type = "folder"

    def __init__(self, index: int, root: str) -> None:
        super().__init__(index, 0, 0, 0, 0)
        self._root = os.fsencode(root)
        self.notes.append("A folder shows live files only; deleted files and free space need an image of the disk.")

    def entries(self) -> Iterator[FileEntry]:
        """Every regular file, once, however many names it has."""
        device = os.stat(self._root).st_dev
        seen: dict[tuple[int, int], bytes] = {}
        stack = [b""]
        signs = PhoneSigns()
        while stack:
            below = stack.pop()
            try:
                with os.scandir(os.path.join(self._root, below)) as listing:
                    rows = sorted(listing, key=lambda e: e.name, reverse=True)
            except OSError as error:
                self.unread.append(UnreadPart("folder", f"it cannot be listed: {error.strerror}", path=_shown(below)))
                continue
            self.directories += 1
            for row in rows:
                where = os.path.join(below, row.name)
                try:
                    info = row.stat(follow_symlinks=False)
                except OSError as error:
                    self.unread.append(
                        UnreadPart("file", f"it cannot be examined: {error.strerror}", path=_shown(where))
                    )
                    continue
                if stat.S_ISDIR(info.st_mode):
                    if info.st_dev != device:
                        self.unread.append(
                            UnreadPart("folder", "another file system is mounted here", path=_shown(where))
                        )
                        continue
                    stack.append(where)
                elif not stat.S_ISREG(info.st_mode):
                    self.other += 1
                elif (first := seen.setdefault((info.st_dev, info.st_ino), where)) == where:
                    signs.see(_shown(where))
                    yield self._entry(where, info)
                else:
                    self.add_name(first.hex(), _shown(first), _shown(where))
        if (said := signs.note()) is not None:
            self.notes.append(said)

    def find(self, path: str) -> str | None:
        """The locator of the regular file at this path."""
        where = os.fsencode(path)
        full = os.path.join(self._root, where)
        return where.hex() if _plain_below(self._root, where) and os.path.isfile(full) else None

    def _entry(self, where: bytes, info: os.stat_result) -> FileEntry:
        times = Times(
            written=datetime.fromtimestamp(info.st_mtime, UTC),
            accessed=datetime.fromtimestamp(info.st_atime, UTC),
            changed=datetime.fromtimestamp(info.st_ctime, UTC),
        )
        empty = info.st_blocks == 0 and info.st_size > _LARGE and self._holds_nothing(where)
        return FileEntry(self.index, _shown(where), info.st_size, where.hex(), info.st_ino, sparse=empty, times=times)

    def _holds_nothing(self, where: bytes) -> bool:
        """Whether a file is one hole: a terabyte of zeros that no disk holds would be read for hours. Asked of the file
        system itself: some that keep every byte count no blocks.
        """
        try:
            fd = open_read_only(Path(os.fsdecode(os.path.join(self._root, where))))
        except (EvidenceError, OSError):
            return False
        try:
            os.lseek(fd, 0, os.SEEK_DATA)
        except OSError as error:
            return error.errno == errno.ENXIO
        finally:
            os.close(fd)
        return False

    def own_content(self, locator: str) -> Content:
        """The file at `locator`, which must still be a regular file below the folder."""
        where = bytes.fromhex(locator)
        path = os.path.join(self._root, where)
        if b".." in where.split(b"/") or os.path.isabs(where) or not _plain_below(self._root, where):
            raise EvidenceError(f"{_shown(where)} is not a file of this folder.")
        fd = open_read_only(Path(os.fsdecode(path)))
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(fd)
            raise EvidenceError(f"{_shown(where)} is no longer a regular file.")
        return Content(info.st_size, lambda at, length: os.pread(fd, length, at), close=lambda: os.close(fd))


def _plain_below(root: bytes, where: bytes) -> bool:
    """Whether no step from `root` to the file is a link now, whatever the listing saw."""
    return os.path.realpath(os.path.join(root, where)) == os.path.join(os.path.realpath(root), where)


def _shown(where: bytes) -> str:
    return "/".join(clean_name(part) for part in where.split(b"/"))
