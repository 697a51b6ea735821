"""Bytes in memory as evidence, and the bounds within which a target may work."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from safelight.errors import SafelightError
from safelight.triage.evidence.base import Evidence
from safelight.triage.model import EvidencePart

MOST_ENTRIES, MOST_BYTES = 64, 1 << 16


class Memory(Evidence):
    """A medium that is exactly these bytes."""

    def __init__(self, data: bytes, name: str = "image") -> None:
        self._data = data
        super().__init__((EvidencePart(name, f"/nowhere/{name}", len(data)),), len(data))

    def _read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


class MemoryFile:
    """One file of an image, in memory."""

    def __init__(self, data: bytes, name: str) -> None:
        self.part = EvidencePart(name, f"/nowhere/{name}", len(data))
        self.size = len(data)
        self._data = data

    def pread(self, length: int, at: int) -> bytes:
        return self._data[at : at + length]

    def close(self) -> None:
        pass


def list_and_read(reader: Any) -> None:
    """As triage does: every entry, and the first bytes of what it holds. An entry may fail; the listing goes on."""
    for entry in islice(reader.entries(), MOST_ENTRIES):
        try:
            content = reader.content(entry.locator)
            content.read(0, min(max(content.size, 0), MOST_BYTES))
            list(islice(content.holes(), MOST_ENTRIES))
            content.close()
        # What `safelight.triage.reader` takes for "this file cannot be read".
        except (SafelightError, OSError, MemoryError, ValueError, OverflowError, RecursionError):
            continue


def some(rows: Iterable[Any]) -> None:
    """The first thousand of what may be endless."""
    for _ in islice(rows, 1_000):
        pass


def everything(evidence: Evidence) -> None:
    """What a run asks of a container: its ranges, its beginning, its end."""
    some(evidence.stored())
    evidence.read(0, MOST_BYTES)
    evidence.read(max(0, evidence.size - MOST_BYTES), MOST_BYTES)
    evidence.unread()
    evidence.close()
