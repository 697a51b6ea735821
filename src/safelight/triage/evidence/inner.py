"""Containers inside files: an archive or a disk image that lies on a device is opened where it lies.

A file inside is found again by a chain of locators, `outer!FILESYSTEM,inner!FILESYSTEM,inner ...`, so that the process
that reads can be lost and started again without losing its place. A container in several files, or an overlay on
another image, names the others in the chain too: `outer+NAME=locator+NAME=locator!FILESYSTEM,inner`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from safelight.errors import EvidenceError
from safelight.triage.evidence import ewf, ewf2, virtual
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.filesystem import INSIDE, Content
from safelight.triage.evidence.phones import LOOKS_LIKE
from safelight.triage.model import EvidencePart, FileEntry, UnreadPart
from safelight.triage.placement import in_disk_order, mark_overwritten

if TYPE_CHECKING:
    from pathlib import Path

    from safelight.triage.evidence.device import Device
    from safelight.triage.evidence.filesystem import FileSystemReader

Holes = Callable[[], Iterable[tuple[int, int, str]]]
Finder = Callable[[str], Evidence | None]

_WINDOW = 256 << 10
_CACHED = 64
_OPEN = 6
_IMAGE = re.compile(r"\.([a-z]x?01|qcow2?|vhdx?|avhdx?|vmdk)$", re.IGNORECASE)


class ContentEvidence(Evidence):
    """The bytes of a file as a medium of its own; what cannot be had of them is missing from it."""

    def __init__(self, content: Content, name: str) -> None:
        super().__init__((EvidencePart(name, name, content.size),), content.size)
        self._content = content
        self._cache: OrderedDict[int, bytes] = OrderedDict()

    def _read(self, offset: int, length: int) -> bytes:
        first, last = offset // _WINDOW, (offset + length - 1) // _WINDOW
        data = b"".join(self._piece(number) for number in range(first, last + 1))
        skip = offset - first * _WINDOW
        return data if skip == 0 and len(data) == length else data[skip : skip + length]

    def _piece(self, number: int) -> bytes:
        data = self._cache.get(number)
        if data is not None:
            self._cache.move_to_end(number)
            return data
        at = number * _WINDOW
        want = min(_WINDOW, self.size - at)
        try:
            data = self._content.read(at, want)
            reason = "the file that holds it ends early"
        except OSError as error:
            data, reason = b"", f"the file that holds it cannot be read: {' '.join(str(error).split())[:120]}"
        for left, right, why in (*self._content.holes(), *self._content.under()):
            if left < right:
                self.missing.add(left, right, why)
        if len(data) < want:
            self.missing.add(at + len(data), at + want, reason)
            data = data.ljust(want, b"\0")
        self._cache[number] = data
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return data

    def close(self) -> None:
        """Give back the file."""
        self._cache.clear()
        self._content.close()


class _PartInside:
    """A `ContentEvidence` as a file of an E01 or Ex01 set."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.part = evidence.parts[0]
        self.size = evidence.size

    def pread(self, length: int, at: int) -> bytes:
        """Up to `length` bytes from `at`."""
        return self._evidence.read(at, length)

    def close(self) -> None:
        """Give it back."""
        self._evidence.close()


def open_inside(content: Content, name: str, finder: Finder | None = None) -> Evidence:
    """The medium that a file holds: unwrapped where it is a container format, else its own bytes.

    Args:
        content: of the file.
        name: of the file.
        finder: gives the medium of another file beside it, by its name.

    Raises:
        PartOfSet: it is a later part of a set, whose first part opens it too.
        EvidenceError: it begins like a container but cannot be opened.
    """
    evidence = ContentEvidence(content, name)
    head, tail = evidence.read(0, 4096), evidence.read(max(0, evidence.size - 512), 512)
    place: Path = PurePosixPath(name)  # type: ignore[assignment]
    for form, kind, least in ((ewf, "E01", 13), (ewf2, "Ex01", 16)):
        if head.startswith(form.SIGNATURE) and len(head) >= least:
            number = form.segment_number(head)
            if number != 1:
                raise PartOfSet(f"part {number} of an {kind} set, whose first part does not lie beside it")
            parts = [evidence, *_following(form.part_names, place, finder)]
            names: list[Path] = [PurePosixPath(part.parts[0].name) for part in parts]  # type: ignore[misc]
            opener = ewf.EwfEvidence if form is ewf else ewf2.Ewf2Evidence
            return opener(names, [_PartInside(part) for part in parts])
    virtual_disk = virtual.virtual_kind(head, tail)
    if virtual_disk is not None:
        return virtual.OPENERS[virtual_disk](virtual.Place(place, evidence, finder))
    return evidence


class PartOfSet(EvidenceError):
    """A later part of an image of several files."""


def _following(names: Callable[[Path], list[str]], first: Path, finder: Finder | None) -> Iterator[Evidence]:
    if finder is None or not re.fullmatch(r"\.[A-Za-z]x?01", first.suffix):
        return
    for name in names(first):
        found = finder(name)
        if found is None:
            return
        yield found


@dataclass(slots=True)
class Inside:
    """What was found in a file: its files, in the order to read them, and what could not be had."""

    kind: str = ""
    entries: list[FileEntry] = field(default_factory=list)
    directories: int = 0
    other: int = 0
    unread: list[UnreadPart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Nest:
    """All that lies on a device, however deep: reads by locator chains, lists what a file holds.

    Args:
        device: the outermost one.
        open_device: opens a medium found inside it, as `Device` does.
    """

    def __init__(self, device: Device, open_device: Callable[[Evidence], Device]) -> None:
        self._device = device
        self._open_device = open_device
        self._opened: OrderedDict[tuple[int, str], Device] = OrderedDict()
        # Paths of images inside containers, in the file system that lists them: their other parts lie beside them.
        self._paths: dict[tuple[int, str], str] = {}

    def content(self, filesystem: int, locator: str) -> Content:
        """The bytes of a file.

        Raises:
            EvidenceError: the locator leads nowhere now.
        """
        outer, found, last = locator.rpartition(INSIDE)
        if not found:
            return self._device.filesystems[filesystem].own_content(locator)
        number, _, inner = last.partition(",")
        device = self._inside(filesystem, outer, {})
        content = device.filesystems[int(number)].own_content(inner)
        content.holes = _both(content.holes, content.under)
        return content

    def _inside(self, filesystem: int, locator: str, met: dict[str, str], name: str = "", path: str = "") -> Device:
        """The device that the file at `locator` holds; `met` gathers the files beside it that it took to open it."""
        key = (filesystem, locator)
        device = self._opened.get(key)
        if device is None:
            plain, *others = _split(locator)
            known = {unquote(n): at for n, _, at in (row.partition("=") for row in others)}

            def beside(other: str) -> Evidence | None:
                at = known.get(other) or self._find(filesystem, plain, path, other)
                if at is None:
                    return None
                met[other] = at
                outer, found, last = plain.rpartition(INSIDE)
                number = f"{last.partition(',')[0]}," if found else ""
                return ContentEvidence(self.content(filesystem, f"{outer}{found}{number}{at}"), other)

            first = name or unquote(others[-1].partition("=")[2] if others and others[-1].startswith("=") else "")
            opened = open_inside(self.content(filesystem, plain), first or "container", beside)
            device = self._open_device(opened)
            if met and not others:
                rows = "".join(f"+{quote(n, safe='')}={at}" for n, at in met.items())
                key = (filesystem, f"{locator}{rows}+={quote(first, safe='')}")
            self._opened[key] = device
            # One that is dropped stays open as long as another that lies in it needs it.
            while len(self._opened) > _OPEN:
                self._opened.popitem(last=False)
        self._opened.move_to_end(key)
        return device

    def _find(self, filesystem: int, locator: str, path: str, other: str) -> str | None:
        """The locator, in its own file system, of the file `other` in the folder of the file at `locator`."""
        outer, found, last = locator.rpartition(INSIDE)
        if not found:
            return self._device.filesystems[filesystem].find(_beside(path, other))
        number = int(last.partition(",")[0])
        own = self._paths.get((filesystem, locator))
        if own is None:
            return None
        return self._inside(filesystem, outer, {}).filesystems[number].find(_beside(own, other))

    def expand(self, entry: FileEntry, most: int, alive: Callable[[bool], None]) -> Inside:
        """The files inside the file `entry`, at most `most` of them.

        Raises:
            EvidenceError: it is no container, or cannot be opened.
        """
        met: dict[str, str] = {}
        name = entry.path.rpartition("/")[2]
        try:
            device = self._inside(entry.filesystem, entry.locator, met, name, entry.path)
        except PartOfSet:
            first = re.sub(r"(?<=[A-Za-zx])\w\w$", "01", name)
            if first == name or self._find(entry.filesystem, entry.locator, entry.path, first) is None:
                raise
            return Inside(kind="part of an image that lies beside it")
        others = "".join(f"+{quote(n, safe='')}={at}" for n, at in met.items())
        locator = f"{entry.locator}{others}+={quote(name, safe='')}" if met else entry.locator
        result = Inside(kind=device.evidence.format)
        result.unread += [_placed(part, entry) for part in device.unread]
        alone = sum(filesystem.main for filesystem in device.filesystems) == 1
        number = 0
        for at, filesystem in enumerate(device.filesystems):
            filesystem.alive = alive
            number += filesystem.main
            prefix = entry.path if alone else f"{entry.path}/[file system {number}]"
            found = list(self._listed(filesystem, most - len(result.entries)))
            result.entries += [
                _placed_entry(e, entry, prefix, f"{locator}{INSIDE}{at},{e.locator}" if e.locator else "")
                for e in in_disk_order(mark_overwritten(found))
            ]
            for e in found:
                if _IMAGE.search(e.path):
                    self._paths[(entry.filesystem, f"{locator}{INSIDE}{at},{e.locator}")] = e.path
            result.kind = filesystem.type if alone and filesystem.main else result.kind
            result.directories += filesystem.directories
            result.other += filesystem.other
            result.notes += [note for note in filesystem.notes if note.startswith(LOOKS_LIKE)]
            result.unread += [_placed(part, entry) for part in filesystem.unread]
        result.unread += [_placed(part, entry) for part in device.evidence.unread()]
        return result

    def _listed(self, filesystem: FileSystemReader, most: int) -> Iterator[FileEntry]:
        number = 0
        for number, found in enumerate(filesystem.entries(), 1):
            if number > most:
                filesystem.unread.append(
                    UnreadPart("listing", f"cut off after {most:,} files, the most that is allowed")
                )
                return
            more, notes = filesystem.more_names.get(found.locator), filesystem.more_notes.get(found.locator)
            if more or notes:
                found = replace(found, names=(*found.names, *(more or ())), notes=(*found.notes, *(notes or ())))
            yield found


def _split(locator: str) -> list[str]:
    """A locator, and the other files that its last step needs (`NAME=locator`; last its own name as `=NAME`)."""
    outer, found, last = locator.rpartition(INSIDE)
    plain, *others = last.split("+")
    return [f"{outer}{found}{plain}", *others]


def _beside(path: str, name: str) -> str:
    folder, slash, _ = path.rpartition("/")
    return f"{folder}{slash}{name}"


def _both(one: Holes, other: Holes) -> Holes:
    return lambda: (*one(), *other())


def _placed(part: UnreadPart, entry: FileEntry) -> UnreadPart:
    """A part of the inner medium as a part of the file that holds it: its offset means nothing outside."""
    path = f"{entry.path}/{part.path.lstrip('/')}" if part.path else entry.path
    return replace(part, path=path, offset=None)


def _placed_entry(inner: FileEntry, outer: FileEntry, prefix: str, locator: str) -> FileEntry:
    return replace(
        inner,
        filesystem=outer.filesystem,
        path=f"{prefix}/{inner.path}",
        locator=locator,
        allocated=inner.allocated and outer.allocated,
        overwritten=inner.overwritten or outer.overwritten,
        extents=(),
        names=tuple(f"{prefix}/{name}" for name in inner.names),
        origin=inner.origin or "member",
    )
