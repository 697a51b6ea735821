"""Where files lie on the media: the order to read them in, and deleted files whose place was taken."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import replace

from safelight.triage.model import FileEntry


def in_disk_order(entries: Sequence[FileEntry]) -> list[FileEntry]:
    """By first byte on the media; files without a known place (small ones inside their record, folders) at the end."""
    return sorted(
        entries,
        key=lambda e: (not e.extents, e.extents[0].offset if e.extents else 0, e.filesystem, e.address or 0, e.path),
    )


def mark_overwritten(entries: Sequence[FileEntry]) -> list[FileEntry]:
    """The entries of one file system, with `overwritten` set on deleted files that share bytes with live ones."""
    taken = sorted((x.offset, x.offset + x.size) for e in entries if e.allocated for x in e.extents if x.size)
    starts = [start for start, _ in taken]

    def shared(entry: FileEntry) -> bool:
        for extent in entry.extents:
            # Live extents do not overlap each other, so only the last one that begins before the end can reach in.
            at = bisect.bisect_left(starts, extent.offset + extent.size) - 1
            if at >= 0 and taken[at][1] > extent.offset:
                return True
        return False

    return [e if e.allocated or not shared(e) else replace(e, overwritten=True) for e in entries]
