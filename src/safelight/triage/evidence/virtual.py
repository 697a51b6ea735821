"""Virtual disks (QCOW2, VHD, VHDX, VMDK, DMG) through the libyal bindings, behind the one interface.

A virtual disk can name another file as its parent or as a piece of itself. Such a name comes from the evidence and is
not trusted: of a parent only the last part of its name counts, and parents and pieces are opened only beside the image
itself, in the folder that a person named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, cast

from safelight.errors import EvidenceError
from safelight.triage.evidence import allocated
from safelight.triage.evidence.allocated import Ranges
from safelight.triage.evidence.base import Evidence, MediaWindow
from safelight.triage.evidence.raw import RawEvidence, part_of
from safelight.triage.model import EvidencePart, Problem
from safelight.triage.paths import resolve_inside

_STEP = 64 << 10
_DEEPEST = 32
_BESIDE = "Copy it into the same folder, or give the whole chain as one flattened image."
_FLATTEN = "Give the whole chain as one flattened image (for example with qemu-img convert)."


class VirtualDisk(Evidence):
    """A libyal handle with `read_buffer_at_offset`."""

    def __init__(
        self, name: str, parts: tuple[EvidencePart, ...], handle: Any, files: list[BinaryIO], size: int
    ) -> None:
        super().__init__(parts, size)
        self.format = name
        # The media in which it and its parents lie, where they lie inside a device.
        self.under: list[Evidence] = []
        self.handle = handle
        self.below: Evidence | None = None
        self.files = files
        # Where its file lies, and who reads which ranges of the disk it holds.
        self.map: tuple[Place, Callable[[Evidence, int], Ranges | None]] | None = None

    def stored(self) -> Iterable[tuple[int, int]]:
        """What its file, and its parent's, hold at all."""
        own = self.map[0].stored(self.map[1], self.size) if self.map is not None else None
        if own is None:
            return super().stored()
        return [*own, *(self.below.stored() if self.below is not None else ())]

    def _read(self, offset: int, length: int) -> bytes:
        try:
            data = bytes(self.handle.read_buffer_at_offset(length, offset))
            if any(evidence.missing for evidence in self.under):
                # The format has no checksums: which of these bytes stand for missing ones cannot be told.
                self.missing.add(offset, offset + length, "the image file that holds it could not be read whole")
            if len(data) == length:
                return data
            problem = "the virtual disk ends early"
        except (OSError, ValueError, MemoryError) as error:
            problem = f"the virtual disk is damaged ({_short(error)})"
            data = b""
        if length > _STEP:
            first = _STEP - offset % _STEP
            cuts = [0, *range(first, length, _STEP), length]
            return b"".join(self._read(offset + a, b - a) for a, b in pairwise(cuts))
        self.missing.add(offset + len(data), offset + length, problem)
        return data + bytes(length - len(data))

    def close(self) -> None:
        """Give back the handle and its files."""
        if self.handle is not None:
            try:
                self.handle.close()
            except OSError as error:
                self.problems.append(Problem(self.parts[0].name, f"The image could not be closed: {_short(error)}."))
            self.handle = None
        while self.files:
            self.files.pop().close()
        if self.below is not None:
            self.below.close()


def _short(error: BaseException) -> str:
    return str(error).split(". ")[0].strip().rstrip(".")[:160]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image lies: a file of the evidence store, or (`inside`) bytes inside another device.

    `finder` gives the medium of another file beside one inside a device, by its name; `depth` counts generations.
    """

    path: Path
    inside: Evidence | None = None
    finder: Callable[[str], Evidence | None] | None = None
    depth: int = 0

    def open(self) -> BinaryIO:
        """A stream over it, for reading only."""
        if self.inside is not None:
            return cast("BinaryIO", MediaWindow(self.inside, 0, self.inside.size))
        return self.path.open("rb")

    def raw(self) -> Evidence:
        """Its bytes as they are."""
        return self.inside if self.inside is not None else RawEvidence([self.path])

    def stored(self, reader: Callable[[Evidence, int], Ranges | None], size: int) -> Ranges | None:
        """What `reader` says that this file holds of a disk of `size` bytes."""
        raw = self.raw()
        try:
            return reader(raw, size)
        finally:
            if self.inside is None:
                raw.close()

    def raw_head(self) -> bytes:
        """Its first 4096 bytes."""
        with closing(self.open()) as stream:
            return stream.read(4096)

    @property
    def part(self) -> EvidencePart:
        """Its name and size."""
        return self.inside.parts[0] if self.inside is not None else part_of(self.path)

    def beside(self, named: str) -> Place | None:
        """The file with this name in the same folder; None where there is none."""
        name = re.split(r"[/\\]", named)[-1]
        if not name or "\0" in name:
            return None
        path = self.path.parent / name
        if self.inside is not None:
            found = self.finder(name) if self.finder is not None else None
            return Place(path, found, self.finder, self.depth + 1) if found is not None else None
        try:
            path = resolve_inside(self.path.parent, name)
        except EvidenceError:
            return None
        return Place(path, None, None, self.depth + 1) if path.is_file() else None


def virtual_kind(head: bytes, tail: bytes) -> str | None:
    """Which virtual disk this is, by the first 4096 and last 512 bytes of its file."""
    if head.startswith(b"QFI\xfb"):
        return "QCOW2"
    if head.startswith((b"conectix", b"vhdxfile")) or tail.startswith(b"conectix"):
        return "VHD"
    if head.startswith((b"KDMV", b"COWD")) or head.lstrip().startswith(b"# Disk DescriptorFile"):
        return "VMDK"
    if tail.startswith(b"koly"):
        return "DMG"
    return None


def _parent(child: Place, named: str | None) -> Place:
    """Where the parent of an overlay lies.

    Raises:
        EvidenceError: not beside it, or the chain has no end.
    """
    name = named or ""
    place = child.beside(name)
    if child.depth >= _DEEPEST:
        raise EvidenceError(f"{child.path} is an overlay, and its chain of parents has no end.", fix=_FLATTEN)
    if place is None:
        raise EvidenceError(f"{child.path} is an overlay on {name!r}, which does not lie beside it.", fix=_BESIDE)
    return place


def _laid_on(disk: VirtualDisk, parent: Evidence) -> None:
    disk.below = parent
    disk.parts = (*disk.parts, *parent.parts)
    disk.under += parent.under if isinstance(parent, VirtualDisk) else [parent]
    disk.problems += [
        Problem(disk.parts[0].name, f"An overlay: what it does not hold was read from {parent.parts[0].name}.")
    ]
    disk.problems += parent.problems


def _opened(path: Place, name: str, handle: Any) -> tuple[Any, BinaryIO]:
    stream = path.open()
    try:
        handle.open_file_object(stream)
    except (OSError, ValueError, MemoryError) as error:
        stream.close()
        raise EvidenceError(
            f"{path.path} begins like a {name} image but cannot be opened: {_short(error)}.",
            fix="It is damaged or cut short; copy the image again.",
        ) from None
    return handle, stream


def _disk(path: Place, name: str, handle: Any, stream: BinaryIO, size: int) -> VirtualDisk:
    disk = VirtualDisk(name, (path.part,), handle, [stream], size)
    disk.under = [path.inside] if path.inside is not None else []
    return disk


def open_qcow2(path: Place) -> Evidence:
    """A QCOW2 image, an overlay with its parents.

    Raises:
        EvidenceError: damaged, encrypted, or an overlay whose parent does not lie beside it.
    """
    import pyqcow

    from safelight.triage.evidence.overlay import Qcow2Overlay

    handle, stream = _opened(path, "QCOW2", pyqcow.file())
    disk = _disk(path, "QCOW2", handle, stream, handle.get_media_size())
    parent = handle.get_backing_filename()
    if handle.is_locked():
        disk.close()
        raise EvidenceError(f"{path.path} is an encrypted QCOW2 image.", fix="Decrypt it with its password first.")
    if not parent:
        disk.map = path, allocated.qcow2
        return disk
    disk.close()
    return Qcow2Overlay(path.raw(), open_any(_parent(path, parent)))


def open_vhd(path: Place) -> Evidence:
    """A VHD or VHDX image, a differencing disk with its parents.

    Raises:
        EvidenceError: damaged, or a differencing disk whose parent does not lie beside it, or is another disk.
    """
    import pyvhdi

    from safelight.triage.evidence.overlay import VhdDifference

    handle, stream = _opened(path, "VHD", pyvhdi.file())
    disk = _disk(path, "VHD or VHDX", handle, stream, handle.get_media_size())
    disk.map = path, allocated.vhd
    if handle.disk_type != pyvhdi.disk_types.DIFFERENTIAL:
        return disk
    try:
        wanted, said = handle.parent_identifier, handle.parent_filename
        below = _parent(path, said)
        if _vhd_identifier(below) != wanted:
            raise EvidenceError(
                f"{below.part.name} is not the disk that {path.path} was laid on (its identifier differs).",
                fix="Put the parent that belongs to it beside it.",
            )
        parent = open_vhd(below)
        if path.raw_head().startswith(b"vhdxfile"):
            if not isinstance(parent, VirtualDisk):
                raise EvidenceError(f"{path.path} is a VHDX laid on a VHD, unknown to this version.", fix=_FLATTEN)
            handle.set_parent(parent.handle)
            _laid_on(disk, parent)
            return disk
        disk.close()
        return VhdDifference(path.raw(), parent, disk.size)
    except EvidenceError:
        disk.close()
        raise
    except (OSError, ValueError, MemoryError) as error:
        disk.close()
        raise EvidenceError(f"{path.path} cannot be laid on its parent: {_short(error)}.", fix=_FLATTEN) from None


def _vhd_identifier(path: Place) -> str:
    import pyvhdi

    handle, stream = _opened(path, "VHD", pyvhdi.file())
    with closing(stream), closing(handle):
        return str(handle.identifier)


def open_any(path: Place) -> Evidence:
    """Whatever a file holds: a virtual disk, or else its bytes as they are.

    Raises:
        EvidenceError: it cannot be opened.
    """
    raw = path.raw()
    kind = virtual_kind(raw.read(0, 4096), raw.read(max(0, raw.size - 512), 512))
    if kind is None:
        return raw
    if path.inside is None:
        raw.close()
    return OPENERS[kind](path)


def open_dmg(path: Place) -> Evidence:
    """An Apple disk image (UDIF).

    Raises:
        EvidenceError: damaged or encrypted.
    """
    import pymodi

    handle, stream = _opened(path, "DMG", pymodi.handle())
    return _disk(path, "DMG", handle, stream, handle.get_media_size())


def open_vmdk(path: Place) -> VirtualDisk:
    """A VMDK image, a snapshot with its parents; pieces and parents are looked for beside it and nowhere else.

    Raises:
        EvidenceError: damaged, a snapshot whose parent is not beside it, or a piece is missing or named elsewhere.
    """
    import pyvmdk

    handle, stream = _opened(path, "VMDK", pyvmdk.handle())
    disk = _disk(path, "VMDK", handle, stream, 0)
    try:
        pieces: list[Place] = []
        for extent in handle.extent_descriptors:
            name = extent.filename
            if not name:
                raise EvidenceError(f"{path.path} describes a piece without a file.", fix=_FLATTEN)
            # The first piece of a single-file disk may carry the name the file had when it was made.
            alone = handle.number_of_extents == 1
            piece = path.beside(name) if "/" not in name and "\\" not in name else None
            if piece is None and not alone:
                raise EvidenceError(f"The piece {name!r} of {path.path} does not lie beside it.", fix=_BESIDE)
            pieces.append(piece or path)
        if len(pieces) == 1:
            disk.map = pieces[0], allocated.vmdk
        disk.files += [piece.open() for piece in pieces]
        handle.open_extent_data_files_as_file_objects(disk.files[1:])
        disk.size = handle.get_media_size()
        disk.parts = tuple(dict.fromkeys([path.part, *(p.part for p in pieces)]))
        disk.under += [p.inside for p in pieces if p.inside is not None and p.inside is not path.inside]
        if handle.parent_content_identifier not in (None, 0, 0xFFFFFFFF):
            parent = open_vmdk(_parent(path, handle.parent_filename))
            _laid_on(disk, parent)
            if parent.handle.content_identifier != handle.parent_content_identifier:
                raise EvidenceError(
                    f"{parent.parts[0].name} is not the disk that {path.path} was laid on (its identifier differs).",
                    fix="Put the parent that belongs to it beside it.",
                )
            handle.set_parent(parent.handle)
    except EvidenceError:
        disk.close()
        raise
    except (OSError, ValueError, MemoryError) as error:
        disk.close()
        raise EvidenceError(
            f"{path.path} begins like a VMDK image but cannot be opened: {_short(error)}.",
            fix="It is damaged, or its pieces do not belong to it; copy the image again.",
        ) from None
    return disk


OPENERS: dict[str, Callable[[Place], Evidence]] = {
    "QCOW2": open_qcow2,
    "VHD": open_vhd,
    "DMG": open_dmg,
    "VMDK": open_vmdk,
}
