"""The media of one device as a run of bytes, whatever container holds it; and the ranges of it that cannot be had."""

from __future__ import annotations

import bisect
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from safelight.triage.model import EvidencePart, Problem, UnreadPart


class MissingRanges:
    """Byte ranges of the media that cannot be read, sorted, joined where they touch and have the same reason."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._starts: list[int] = []
        self._rows: list[tuple[int, int, str]] = []

    def add(self, start: int, end: int, reason: str) -> None:
        """Note that bytes `start` to `end` (exclusive) are missing. Bytes noted before keep their first reason."""
        with self._lock:
            for left, right in self._holes(start, end):
                self._insert(left, right, reason)

    def _holes(self, start: int, end: int) -> list[tuple[int, int]]:
        holes = []
        for left, right, _ in self.within(start, end):
            if start < left:
                holes.append((start, left))
            start = max(start, right)
        if start < end:
            holes.append((start, end))
        return holes

    def _insert(self, start: int, end: int, reason: str) -> None:
        at = bisect.bisect_left(self._starts, start)
        if at and self._rows[at - 1][1] == start and self._rows[at - 1][2] == reason:
            at -= 1
            start = self._rows[at][0]
            del self._rows[at], self._starts[at]
        if at < len(self._rows) and self._rows[at][0] == end and self._rows[at][2] == reason:
            end = self._rows[at][1]
            del self._rows[at], self._starts[at]
        self._rows.insert(at, (start, end, reason))
        self._starts.insert(at, start)

    def within(self, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        """The missing pieces inside `start` to `end`."""
        at = max(bisect.bisect_right(self._starts, start) - 1, 0)
        while at < len(self._rows) and self._rows[at][0] < end:
            left, right, reason = self._rows[at]
            if right > start:
                yield max(left, start), min(right, end), reason
            at += 1

    def overlaps(self, start: int, end: int) -> bool:
        """Whether any byte of the range is missing."""
        return next(self.within(start, end), None) is not None

    def __iter__(self) -> Iterator[tuple[int, int, str]]:
        return iter(self._rows)

    def __bool__(self) -> bool:
        return bool(self._rows)


class Evidence(ABC):
    """One device's media, read-only.

    Attributes:
        size: bytes of the media.
        format: the container in words (`raw`, `E01`, `QCOW2`, `folder`, ...).
        parts: the files it lies in.
        problems: what a report must say about the container.
        missing: ranges that cannot be read, known so far. `read` gives zeros there; ask `missing` before trusting them.
        folder: set when the evidence is a folder of files, which has no media to read.
        stored_md5, stored_sha1: digests (hex) of the media that the container carries.
    """

    format = "raw"
    folder: str | None = None
    #: Several threads may read at the same time, each a MiB or more, and it pays.
    side_by_side = False

    def __init__(self, parts: tuple[EvidencePart, ...], size: int) -> None:
        self.parts = parts
        self.size = size
        self.problems: list[Problem] = []
        self.missing = MissingRanges()
        self.stored_md5: str | None = None
        self.stored_sha1: str | None = None

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, fewer only at the end of the media; zeros where bytes are missing.

        Raises:
            ValueError: a negative offset or length.
        """
        if offset < 0 or length < 0:
            raise ValueError("offset and length must not be negative")
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        data = self._read(offset, length)
        return data if len(data) == length else data.ljust(length, b"\0")

    @abstractmethod
    def _read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes inside the media; what cannot be read is added to `missing` and given as zeros."""

    @property
    def thin(self) -> bool:
        """Whether the media is so much larger than its files that it is nearly all holes, or its size is a lie.

        Such media is not read from end to end: a damaged header can claim more than a year of reading.
        """
        stored = sum(part.size for part in self.parts)
        return self.size > 64 << 30 and self.size > 1000 * stored

    def stored(self) -> Iterable[tuple[int, int]]:
        """Ranges (start, end) of the media that may hold anything but zeros, as far as is known without reading."""
        return [(0, self.size)]

    def unread(self) -> tuple[UnreadPart, ...]:
        """The missing ranges as parts of a report."""
        return tuple(UnreadPart("image", reason, left, right - left) for left, right, reason in self.missing)

    def close(self) -> None:  # noqa: B027 - a container without files has nothing to give back
        """Give back the files. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MediaWindow:
    """A piece of the media as the file object that libyal wants."""

    def __init__(self, evidence: Evidence, offset: int, size: int) -> None:
        self._evidence = evidence
        self._offset = offset
        self._size = max(0, min(size, evidence.size - offset))
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes from where it stands."""
        left = self._size - self._at
        length = left if size < 0 else min(size, left)
        data = self._evidence.read(self._offset + self._at, length) if length > 0 else b""
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Stand elsewhere; never before the beginning."""
        base = (0, self._at, self._size)[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Where it stands."""
        return self._at

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def close(self) -> None:
        """The evidence is closed by its owner."""

    def get_offset(self) -> int:
        """Where it stands (libyal's name)."""
        return self._at

    def get_size(self) -> int:
        """Bytes of the window."""
        return self._size
