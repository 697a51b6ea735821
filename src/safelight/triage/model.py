"""What a triage run sees on a device: the nouns shared by readers, pipeline, report and case work.

All of them are frozen, hold plain values and go through JSON (`safelight.triage.codec`), because a listing crosses the
border between the process that parses hostile evidence and the one that keeps the record. Offsets and sizes are bytes,
counted from the start of the media (the disk as it was seized), not from the start of a container file. Times are aware
and in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EvidencePart:
    """One file of the image as it lies in the evidence store (an E01 set has several)."""

    name: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something the reader of a report must know. `where` names the file, volume or part."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class UnreadPart:
    """Bytes of the device that no one has looked at, and why.

    Attributes:
        what: the part in words ("volume 2", "file", "image part E02").
        reason: why it was not read, as a sentence a person can act on.
        offset: where it begins on the media; None when that is not known.
        size: how many bytes; None when that is not known.
        path: the file inside the device, where the part is (a piece of) a file.
    """

    what: str
    reason: str
    offset: int | None = None
    size: int | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """One run of bytes on the media that holds a piece of a file."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume, a gap between volumes, or a table, as the volume system describes it.

    `kind` is `volume`, `gap` or `table`; `scheme` is `MBR`, `GPT`, `APM`, ... or `none` for a device without a table.
    """

    index: int
    scheme: str
    kind: str
    description: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class FileSystemRecord:
    """A file system that was opened, and how complete its listing is.

    `expected` is what the file system itself says it holds (its own counter, named in `expected_from`); `found` is what
    the listing met. None where the file system keeps no such counter.
    """

    index: int
    volume: int
    type: str
    offset: int
    size: int
    block_size: int
    live: int = 0
    deleted: int = 0
    directories: int = 0
    expected: int | None = None
    found: int | None = None
    expected_from: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Times:
    """When a file was created, written, read and when its metadata changed. None: not recorded, or impossible."""

    created: datetime | None = None
    written: datetime | None = None
    accessed: datetime | None = None
    changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file (or alternate stream), live or deleted. A file with several names is one entry.

    Attributes:
        filesystem: index of its FileSystemRecord.
        path: its path inside the file system, with `/`; an alternate stream as `path:stream`.
        size: bytes of content.
        locator: how its reader finds it again (address, attribute type and id); means nothing outside that reader.
        address: number of its metadata record (inode, MFT record), None where there is none.
        allocated: the metadata record is in use (the file is live).
        readable: False for a deleted name whose content can no longer be reached.
        sparse: no byte of it is stored on the media; it is not read.
        overwritten: a deleted file whose place is at least partly in use by a live file: its name may be wrong.
        names: other names of the same content (hard links, former names).
        origin: how it was come by where no file system of the device lists it: `member` of an archive or of a disk
            image inside the device, or `carved` from unallocated space.
    """

    filesystem: int
    path: str
    size: int
    locator: str
    address: int | None = None
    allocated: bool = True
    readable: bool = True
    sparse: bool = False
    overwritten: bool = False
    times: Times = Times()
    extents: tuple[Extent, ...] = ()
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    origin: str = ""


@dataclass(frozen=True, slots=True)
class FrameHash:
    """One frame of a video: when it is shown (seconds from the beginning), its PDQ (64 hex digits) and quality."""

    seconds: float
    pdq: str
    quality: int


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file after it was read.

    `complete` is False when bytes of it could not be read: its digests then describe what was read and are never
    matched. `pdq` is 64 hex digits, None for anything but a picture that could be hashed. `frames` are a video's.
    """

    entry: FileEntry
    bytes_read: int
    complete: bool
    md5: str = ""
    sha1: str = ""
    sha256: str = ""
    type: str = ""
    picture: bool = False
    width: int | None = None
    height: int | None = None
    pdq: str | None = None
    quality: int | None = None
    mode: str = ""
    duplicate: bool = False
    problems: tuple[str, ...] = ()
    frames: tuple[FrameHash, ...] = ()
