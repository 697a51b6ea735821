"""Virtual disks (QCOW2, VHD, VHDX, VMDK, DMG) through the libyal bindings, behind the one interface.

A virtual disk can name another file as its parent or as a piece of itself. Such a name comes from the evidence and is
not trusted: parents are refused (give the flattened disk), and pieces are opened only beside the image itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, cast

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence, MediaWindow
from safelight.triage.evidence.raw import part_of
from safelight.triage.model import EvidencePart, Problem
from safelight.triage.paths import resolve_inside

_STEP = 64 << 10
_FLATTEN = "Give the whole chain as one flattened image (for example with qemu-img convert)."


class VirtualDisk(Evidence):
    """A libyal handle with `read_buffer_at_offset`."""

    def __init__(
        self, name: str, parts: tuple[EvidencePart, ...], handle: Any, files: list[BinaryIO], size: int
    ) -> None:
        super().__init__(parts, size)
        self.format = name
        self.inside: Evidence | None = None
        self._handle = handle
        self._files = files

    def _read(self, offset: int, length: int) -> bytes:
        try:
            data = bytes(self._handle.read_buffer_at_offset(length, offset))
            if self.inside is not None and self.inside.missing:
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
        if self._handle is not None:
            try:
                self._handle.close()
            except OSError as error:
                self.problems.append(Problem(self.parts[0].name, f"The image could not be closed: {_short(error)}."))
            self._handle = None
        while self._files:
            self._files.pop().close()


def _short(error: BaseException) -> str:
    return str(error).split(". ")[0].strip().rstrip(".")[:160]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image lies: a file of the evidence store, or (`inside`) bytes inside another device."""

    path: Path
    inside: Evidence | None = None

    def open(self) -> BinaryIO:
        """A stream over it, for reading only."""
        if self.inside is not None:
            return cast("BinaryIO", MediaWindow(self.inside, 0, self.inside.size))
        return self.path.open("rb")

    @property
    def part(self) -> EvidencePart:
        """Its name and size."""
        return self.inside.parts[0] if self.inside is not None else part_of(self.path)


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
    disk.inside = path.inside
    return disk


def open_qcow2(path: Place) -> Evidence:
    """A QCOW2 image.

    Raises:
        EvidenceError: damaged, encrypted, or an overlay on another image.
    """
    import pyqcow

    handle, stream = _opened(path, "QCOW2", pyqcow.file())
    disk = _disk(path, "QCOW2", handle, stream, handle.get_media_size())
    parent = handle.get_backing_filename()
    if parent:
        disk.close()
        raise EvidenceError(f"{path.path} is an overlay on {parent!r}, which was not given.", fix=_FLATTEN)
    if handle.is_locked():
        disk.close()
        raise EvidenceError(f"{path.path} is an encrypted QCOW2 image.", fix="Decrypt it with its password first.")
    return disk


def open_vhd(path: Place) -> Evidence:
    """A VHD or VHDX image.

    Raises:
        EvidenceError: damaged, or a differencing disk.
    """
    import pyvhdi

    handle, stream = _opened(path, "VHD", pyvhdi.file())
    disk = _disk(path, "VHD or VHDX", handle, stream, handle.get_media_size())
    if handle.disk_type == pyvhdi.disk_types.DIFFERENTIAL:
        disk.close()
        raise EvidenceError(f"{path.path} is a differencing disk and needs its parent.", fix=_FLATTEN)
    return disk


def open_dmg(path: Place) -> Evidence:
    """An Apple disk image (UDIF).

    Raises:
        EvidenceError: damaged or encrypted.
    """
    import pymodi

    handle, stream = _opened(path, "DMG", pymodi.handle())
    return _disk(path, "DMG", handle, stream, handle.get_media_size())


def open_vmdk(path: Place) -> Evidence:
    """A VMDK image; its pieces are looked for beside it and nowhere else.

    Raises:
        EvidenceError: damaged, a snapshot that needs its parent, or a piece is missing or named elsewhere.
    """
    import pyvmdk

    handle, stream = _opened(path, "VMDK", pyvmdk.handle())
    disk = _disk(path, "VMDK", handle, stream, 0)
    try:
        if handle.parent_content_identifier not in (None, 0, 0xFFFFFFFF):
            raise EvidenceError(f"{path.path} is a snapshot and needs its parent.", fix=_FLATTEN)
        pieces: list[Place] = []
        for extent in handle.extent_descriptors:
            name = extent.filename
            if not name:
                raise EvidenceError(f"{path.path} describes a piece without a file.", fix=_FLATTEN)
            # The first piece of a single-file disk may carry the name the file had when it was made.
            alone = handle.number_of_extents == 1
            if alone and (path.inside is not None or not (path.path.parent / name).exists()):
                pieces.append(path)
            elif path.inside is not None:
                raise EvidenceError(f"{path.path} lies in several pieces inside the device.", fix=_FLATTEN)
            else:
                pieces.append(Place(resolve_inside(path.path.parent, name)))
        disk._files += [piece.open() for piece in pieces]
        handle.open_extent_data_files_as_file_objects(disk._files[1:])
        disk.size = handle.get_media_size()
        disk.parts = tuple(dict.fromkeys([path.part, *(p.part for p in pieces)]))
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
