"""What the reader process told, as its parent keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safelight.triage.model import EvidencePart, FileEntry, FileSystemRecord, Problem, UnreadPart, Volume

if TYPE_CHECKING:
    from pyarrow import RecordBatch


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a device told."""

    format: str
    size: int
    parts: tuple[EvidencePart, ...]
    md5: str | None
    sha1: str | None
    volumes: tuple[Volume, ...]
    filesystems: tuple[FileSystemRecord, ...]
    problems: tuple[Problem, ...]
    thin: bool = False


@dataclass(slots=True)
class Listing:
    """A piece of one file system's listing. The last piece, which `ends` it, carries what the whole came to.

    Attributes:
        entries: files that were not in a piece before.
        batch: or such files as columns of `rows.LISTING`.
        names, notes: of readable files, by locator, which became known only now.
    """

    entries: list[FileEntry]
    record: FileSystemRecord
    other: int = 0
    unread: list[UnreadPart] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    ends: bool = False
    batch: RecordBatch | None = None


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """One file's digests, or why there are none (`failed`)."""

    entry: FileEntry
    answer: dict[str, Any]
    body: bytes
    failed: str = ""
