"""The plan of a device: what was opened and listed, and the chunks in which it is read.

A plan is made once, by whoever has the image. It is plain JSON beside one Parquet file (the listing, in the order in
which files are read). From equal evidence and settings the same plan comes, whoever makes it: its `digest` says so.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from safelight import __version__
from safelight.errors import EvidenceError
from safelight.triage.answers import Opened
from safelight.triage.codec import decode, encode
from safelight.triage.device_reader import WINDOW
from safelight.triage.draft import Layout
from safelight.triage.model import FileSystemRecord, Problem, UnreadPart
from safelight.triage.result import Counts
from safelight.triage.settings import TriageSettings

FORMAT = "safelight-triage-plan/1"
#: A chunk of files that have no place on the media (or need their parser) ends after this many.
MOST_FILES = 50_000

MEDIA, FILES, IDENTITY = "media", "files", "identity"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of work that is done as a whole or not at all.

    Attributes:
        index: its number, from 0.
        kind: `media` (one pass over a range of the media: its files, its blocks), `files` (files that go through their
            parser one by one) or `identity` (the digests of the whole media, which cannot be split).
        start, end: the range of the media, bytes; 0 for `files`.
        first, last: its rows of the listing (`last` is exclusive).
        bytes: how much is to be read, for progress. A file that is larger than a chunk makes its chunk larger.
    """

    index: int
    kind: str
    start: int = 0
    end: int = 0
    first: int = 0
    last: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """All that a worker needs to know to run any chunk, and all that merging needs beside the chunks' results.

    Attributes:
        settings: as given, without the keys of encrypted volumes: these are never written down.
        roots: of the hash sets (and the block set) that chunks are matched against, sorted.
        opened: what opening told; the paths of its parts are those of whoever made the plan.
        counts: of the listing alone.
        problems, unread: what opening and listing met.
        whole: every byte of the media is read, not files only.
        rows: files in the listing; `listing` is the SHA-256 of its file.
    """

    run_id: str
    operator: str
    started: datetime
    tool_version: str
    settings: TriageSettings
    roots: tuple[str, ...]
    opened: Opened
    filesystems: tuple[FileSystemRecord, ...]
    counts: Counts
    problems: tuple[Problem, ...]
    unread: tuple[UnreadPart, ...]
    whole: bool
    chunks: tuple[Chunk, ...]
    rows: int
    listing: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"format": FORMAT, **encode(self)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> DevicePlan:
        """The plan that `to_json` wrote.

        Raises:
            EvidenceError: it is of another format or incomplete.
        """
        if record.get("format") != FORMAT:
            raise EvidenceError(
                f"This is not the plan of a triage run: its format is {record.get('format')!r}, not {FORMAT!r}.",
                fix="Start the run anew (--fresh).",
            )
        return decode(cls, {k: v for k, v in record.items() if k != "format"})

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over everything that does not depend on who made the plan, when and where."""
        body = self.to_json()
        for name in ("run_id", "operator", "started"):
            del body[name]
        for name in ("block_set", "video_set", "sandbox", "picture_workers", "reader_threads"):
            del body["settings"][name]
        body["opened"]["parts"] = [[p.name, p.size] for p in self.opened.parts]
        return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def fits(self, opened: Opened) -> str:
        """Why what was opened now is not the device of this plan; empty when it is."""
        then, now = self.opened, opened
        if [(p.name, p.size) for p in then.parts] != [(p.name, p.size) for p in now.parts]:
            return "its files have other names or sizes"
        if (then.format, then.size, then.md5, then.sha1) != (now.format, now.size, now.md5, now.sha1):
            return "its container says other things of itself"
        if [(f.type, f.offset, f.size) for f in then.filesystems] != [
            (f.type, f.offset, f.size) for f in now.filesystems
        ]:
            return "other file systems open on it"
        return ""


def cut(layout: Layout, *, opened: Opened, settings: TriageSettings, whole: bool) -> tuple[Chunk, ...]:
    """The chunks of a listing."""
    size = opened.size
    passed = layout.passed
    chunks = _media(layout, size, settings.chunk_bytes, whole=whole)
    read, first = 0, passed
    for at, (length, stored) in enumerate(
        zip(layout.sizes[passed:].tolist(), layout.stored[passed:], strict=True), passed
    ):
        read += length if stored and 0 < length <= (size or length) else 0
        if read >= settings.chunk_bytes or at + 1 - first >= MOST_FILES or at + 1 == len(layout.sizes):
            chunks.append(Chunk(len(chunks), FILES, first=first, last=at + 1, bytes=read))
            read, first = 0, at + 1
    if settings.hash_image and opened.format != "folder":
        chunks.append(Chunk(len(chunks), IDENTITY, 0, size, bytes=size))
    return tuple(chunks)


def _media(layout: Layout, size: int, most: int, *, whole: bool) -> list[Chunk]:
    """Chunks of the pass over the media, cut where windows end, so that no window is read for two."""
    chunks: list[Chunk] = []
    start = first = read = at = 0
    offsets, sizes = layout.offsets[: layout.passed], layout.sizes[: layout.passed]
    # Thin media is not read whole, and has too many windows to go through one by one.
    ends = range(WINDOW, size + WINDOW, WINDOW) if whole else ((np.unique(offsets // WINDOW) + 1) * WINDOW).tolist()
    for number, end in enumerate(ends, 1):
        right = min(end, size)
        read += min(WINDOW, size - (end - WINDOW)) if whole else 0
        until = int(np.searchsorted(offsets, right))
        read += 0 if whole else int(sizes[at:until].sum())
        at = until
        if read >= most or at - first >= MOST_FILES or number == len(ends):
            chunks.append(Chunk(len(chunks), MEDIA, start, right, first, at, read))
            start, first, read = right, at, 0
    return chunks


def reads_whole(settings: TriageSettings, opened: Opened) -> bool:
    """Whether every byte of the media is read in the pass, or files only."""
    return (settings.hash_image or bool(settings.block_set)) and not opened.thin and opened.format != "folder"


def new_plan(
    *, operator: str, settings: TriageSettings, roots: Sequence[str], opened: Opened,
    filesystems: Sequence[FileSystemRecord], counts: Counts, problems: Sequence[Problem], unread: Sequence[UnreadPart],
    chunks: tuple[Chunk, ...], rows: int, listing: str,
) -> DevicePlan:  # fmt: skip
    """A plan with a run of its own."""
    return DevicePlan(
        run_id=uuid.uuid4().hex, operator=operator, started=datetime.now(UTC), tool_version=__version__,
        settings=replace(settings, keys=()), roots=tuple(sorted(roots)), opened=opened, filesystems=tuple(filesystems),
        counts=counts, problems=tuple(problems), unread=tuple(unread), whole=reads_whole(settings, opened),
        chunks=chunks, rows=rows, listing=listing,
    )  # fmt: skip
