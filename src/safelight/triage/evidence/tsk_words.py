"""What The Sleuth Kit gives for one file, in our own words: its times, its name, its bytes."""

from __future__ import annotations

from typing import Any

from safelight.triage.evidence.filesystem import Content, clean_name, moment
from safelight.triage.model import Times


def is_label(where: str, meta: Any) -> bool:
    """Whether the entry is the name of a FAT volume, shown as a file."""
    return where.endswith("(Volume Label Entry)") and int(meta.size) == 0


def content_of(found: Any, kind: Any, number: int, size: int) -> Content:
    """The bytes of one attribute."""

    def read(at: int, length: int) -> bytes:
        length = min(length, size - at)
        return bytes(found.read_random(at, length, kind, number)) if length > 0 else b""

    return Content(size, read)


def times_of(meta: Any) -> Times:
    """The four times of a record."""
    return Times(
        moment(int(meta.crtime), int(meta.crtime_nano)),
        moment(int(meta.mtime), int(meta.mtime_nano)),
        moment(int(meta.atime), int(meta.atime_nano)),
        moment(int(meta.ctime), int(meta.ctime_nano)),
    )


def orphan_name(meta: Any, address: int) -> str:
    """A name for a record that no folder leads to: the one it keeps itself, or its number."""
    try:
        for own in meta.name2:
            if own.name:
                return clean_name(own.name)
    except (AttributeError, TypeError, OSError):
        pass
    return f"OrphanFile-{address}"


def first_line(error: BaseException) -> str:
    """The library's own words, on one line."""
    return " ".join(str(error).split())[:200].rstrip(".") or "no reason given"
