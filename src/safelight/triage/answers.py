"""What the reader process told, as its parent keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safelight.triage.model import EvidencePart, FileEntry, FileSystemRecord, Problem, UnreadPart, Volume


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
    """One file system's files."""

    entries: list[FileEntry]
    record: FileSystemRecord
    other: int
    unread: list[UnreadPart]


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """One file's digests, or why there are none (`failed`)."""

    entry: FileEntry
    answer: dict[str, Any]
    body: bytes
    failed: str = ""
