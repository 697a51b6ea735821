"""Reading everything on a device, for tests that hold it against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.filesystem import FileSystemReader
from safelight.triage.model import FileEntry, UnreadPart


@dataclass
class Seen:
    """A file as the readers give it: its bytes (None where they cannot be had) and what is said of them."""

    entry: FileEntry
    body: bytes | None
    holes: list[tuple[int, int, str]]


def read_all(filesystem: FileSystemReader) -> dict[str, Seen]:
    """Every file by path."""
    found = {}
    for entry in filesystem.entries():
        body, holes = None, []
        if entry.readable:
            content = filesystem.content(entry.locator)
            body = b"".join(content.read(at, 1 << 16) for at in range(0, content.size, 1 << 16))
            holes = list(content.holes())
        found[entry.path] = Seen(entry, body, holes)
    return found


def read_device(path: Path) -> tuple[dict[str, Seen], list[UnreadPart]]:
    """Every file of a device with one file system, and what could not be read of it."""
    with open_evidence([path]) as evidence:
        device = Device(evidence)
        (filesystem,) = device.filesystems
        found = read_all(filesystem)
        return found, device.unread_now()
