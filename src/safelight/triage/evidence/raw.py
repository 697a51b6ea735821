"""Raw images, whole or split, read with `pread` on descriptors that are open for reading only."""

from __future__ import annotations

import bisect
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.model import EvidencePart, Problem

_STEP = 4096


def open_read_only(path: Path) -> int:
    """A descriptor for reading a regular file, leaving its access time alone where the system lets us.

    Raises:
        EvidenceError: the file is missing, not readable or not a regular file.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        try:
            return os.open(path, flags | os.O_NOATIME)
        except PermissionError:
            # Only the owner may ask for O_NOATIME.
            return os.open(path, flags)
    except FileNotFoundError:
        raise EvidenceError(f"There is no file {path}.", fix="Check the name and that the disk is mounted.") from None
    except OSError as error:
        raise EvidenceError(
            f"{path} cannot be opened for reading: {error.strerror}.", fix="Check its permissions and the disk."
        ) from None


def read_sectors(fd: int, start: int, length: int) -> bytes:
    """Bytes of a file, zeros for sectors that cannot be read: one bad sector must not cost the device.

    Raises:
        OSError: nothing of them can be read.
    """
    try:
        return os.pread(fd, length, start)
    except OSError as error:
        end, pieces, lost = min(start + length, os.fstat(fd).st_size), [], 0
        for at in range(start, end, 512):
            size = min(512, end - at)
            try:
                pieces.append(os.pread(fd, size, at))
            except OSError:
                pieces.append(bytes(size))
                lost += 1
        if lost == len(pieces) and length > 512:
            raise error from None
        return b"".join(pieces)


def part_of(path: Path) -> EvidencePart:
    """Name, place and size of one file of an image."""
    return EvidencePart(path.name, str(path), path.stat().st_size)


class PartFile(Protocol):
    """One file of an image, wherever it lies: in the evidence store, or inside another device."""

    part: EvidencePart
    size: int

    def pread(self, length: int, at: int) -> bytes:
        """Up to `length` bytes from `at`; OSError where they cannot be read."""

    def close(self) -> None:
        """Give it back."""


class DiskFile:
    """A file of the evidence store."""

    def __init__(self, path: Path) -> None:
        self._fd = open_read_only(path)
        self.part = part_of(path)
        self.size = os.fstat(self._fd).st_size

    def pread(self, length: int, at: int) -> bytes:
        """Up to `length` bytes from `at`; zeros for sectors that cannot be read, which fail the format's own checks."""
        return read_sectors(self._fd, at, length)

    def close(self) -> None:
        """Give back the descriptor."""
        os.close(self._fd)


def find_split_parts(first: Path) -> tuple[list[Path], list[int]]:
    """The parts of a split raw image that begins with `name.001`, and the numbers that are missing between them."""
    stem, width = first.name[: -len(first.suffix)], len(first.suffix) - 1
    pattern = re.compile(re.escape(stem) + r"\.(\d{" + str(width) + r"})$")
    numbers = {}
    for brother in first.parent.iterdir():
        match = pattern.match(brother.name)
        if match and brother.is_file():
            numbers[int(match[1])] = brother
    start = int(first.suffix[1:])
    found = sorted(n for n in numbers if n >= start)
    missing = sorted(set(range(start, found[-1] + 1)) - set(found))
    return [numbers[n] for n in found], missing


class RawEvidence(Evidence):
    """A raw image in one file or several parts in order. `holes` maps the index of a missing part to its name."""

    format = "raw"

    def __init__(self, paths: list[Path], holes: dict[int, str] | None = None) -> None:
        self._fds: list[int] = []
        self._ends: list[int] = []
        self._files: list[int | None] = []
        parts = tuple(part_of(p) for p in paths)
        try:
            self._fds = [open_read_only(p) for p in paths]
            sizes = [os.fstat(fd).st_size for fd in self._fds]
        except (EvidenceError, OSError):
            self.close()
            raise
        layout: list[tuple[int | None, int, str]] = []
        fds = iter(zip(self._fds, sizes, strict=True))
        for index in range(len(paths) + len(holes or {})):
            if holes and index in holes:
                # A split image has parts of one size (the last may be shorter), so the hole is as large as the first.
                layout.append((None, sizes[0], holes[index]))
            else:
                fd, size = next(fds)
                layout.append((fd, size, ""))
        total = 0
        super().__init__(parts, sum(row[1] for row in layout))
        if len(layout) > 1:
            self.format = "split raw"
        for part_fd, size, name in layout:
            if part_fd is None:
                self.missing.add(total, total + size, f"image part {name} is missing")
                self.problems.append(Problem(name, "This part of the split image is missing; the rest was read."))
            total += size
            self._files.append(part_fd)
            self._ends.append(total)

    def _read(self, offset: int, length: int) -> bytes:
        pieces = []
        while length:
            index = bisect.bisect_right(self._ends, offset)
            start = self._ends[index - 1] if index else 0
            take = min(length, self._ends[index] - offset)
            fd = self._files[index]
            pieces.append(bytes(take) if fd is None else self._read_part(fd, offset - start, take, offset))
            offset += take
            length -= take
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _read_part(self, fd: int, at: int, length: int, media: int) -> bytes:
        try:
            data = os.pread(fd, length, at)
            if len(data) == length:
                return data
        except OSError as error:
            if length > _STEP:
                # A bad sector costs its own block, not the whole request.
                return b"".join(
                    self._read_part(fd, at + i, min(_STEP, length - i), media + i) for i in range(0, length, _STEP)
                )
            self.missing.add(media, media + length, f"read error: {error.strerror}")
            return bytes(length)
        if not data:
            self.missing.add(media, media + length, "the image file became shorter while it was read")
            return bytes(length)
        return data + self._read_part(fd, at + len(data), length - len(data), media + len(data))

    def stored(self) -> Iterator[tuple[int, int]]:
        """All but the holes of the image files, which the system that holds them gives as zeros."""
        start = 0
        for fd, end in zip(self._files, self._ends, strict=True):
            at, size = 0, end - start
            while fd is not None and at < size:
                try:
                    first = os.lseek(fd, at, os.SEEK_DATA)
                    at = min(os.lseek(fd, first, os.SEEK_HOLE), size)
                except OSError as error:
                    if error.errno != errno.ENXIO:  # No data behind it; anything else: this system cannot tell.
                        yield start + at, end
                    break
                if first < at:
                    yield start + first, start + at
            if fd is None:
                yield start, end
            start = end

    def close(self) -> None:
        """Give back the descriptors."""
        while self._fds:
            os.close(self._fds.pop())
