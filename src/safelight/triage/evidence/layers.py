"""Volumes under a layer: BitLocker and LUKS with a key that was given, logical volumes of LVM.

A key is used and forgotten: it is read from its file by the process that opens the device, and neither the record nor a
log ever holds it or its place; the record says only that the volume was opened with a key that was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence, MediaWindow
from safelight.triage.evidence.filesystem import Content, FileSystemReader
from safelight.triage.evidence.raw import open_read_only
from safelight.triage.model import FileEntry
from safelight.triage.placement import in_disk_order, mark_overwritten

_FAULTS = (OSError, ValueError, MemoryError, OverflowError)
_LARGEST_KEY = 1 << 20
_STEP = 64 << 10
_RECOVERY = re.compile(r"\d{6}(-\d{6}){7}")
OPENED = "Opened with a key that was given."


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A password, a recovery key or the content of a key file; never printed."""

    text: str | None = None
    file: Path | None = None


def read_keys(paths: Iterable[str]) -> list[Key]:
    """The keys in these files: each line of a text, and the file as it is (a BitLocker startup key, a LUKS key file).

    Raises:
        EvidenceError: a file cannot be read, or is too large to be a key.
    """
    keys: list[Key] = []
    for path in (Path(p) for p in paths):
        with open(open_read_only(path), "rb") as stream:
            raw = stream.read(_LARGEST_KEY + 1)
        if not raw or len(raw) > _LARGEST_KEY:
            raise EvidenceError("A key file is empty, or larger than 1 MiB.", fix="Give the right key file.")
        try:
            lines = [line.rstrip("\r") for line in raw.decode("utf-8").split("\n")]
        except UnicodeDecodeError:
            lines = []
        keys += [Key(text=line) for line in lines if line and line.isprintable()]
        keys.append(Key(file=path))
    return keys


class LayerEvidence(Evidence):
    """The bytes that a layer gives, as a medium of their own."""

    def __init__(self, kind: str, outer: Evidence, offset: int, size: int, handle: Any, keep: Any, media: int) -> None:
        super().__init__(outer.parts, media)
        self.format = kind
        self._outer = outer
        self._handle = handle
        self._keep = keep  # The library reads through it.
        self._offset = offset
        self._shift = size - media if kind == "LUKS" else 0
        self._straight = kind != "LVM"

    def _read(self, offset: int, length: int) -> bytes:
        try:
            data = bytes(self._handle.read_buffer_at_offset(length, offset))
            problem = f"the {self.format} volume ends early"
        except _FAULTS as error:
            if length > _STEP:
                return b"".join(self._read(offset + at, min(_STEP, length - at)) for at in range(0, length, _STEP))
            data, problem = b"", f"the {self.format} volume is damaged ({_words(error)})"
        if len(data) < length:
            self.missing.add(offset + len(data), offset + length, problem)
            data = data.ljust(length, b"\0")
        if self._outer.missing:
            self._inherit(offset, length)
        return data

    def _inherit(self, offset: int, length: int) -> None:
        """What the medium below lacks is lacking here; where the place is not known, all that is read is doubted."""
        if not self._straight:
            self.missing.add(offset, offset + length, "the medium below could not be read whole")
            return
        base = self._offset + self._shift
        # A sector is decrypted as one, so bytes beside a missing one are lost too.
        for left, right, why in self._outer.missing.within(base + offset, base + offset + length):
            self.missing.add((left - base) // 4096 * 4096, min(-(-(right - base) // 4096) * 4096, self.size), why)


class LayeredFiles(FileSystemReader):
    """A file system on a layer: its extents are no places on the device, so they are not given."""

    def __init__(self, inner: FileSystemReader, outer_offset: int, kind: str, evidence: Evidence, note: str) -> None:
        super().__init__(inner.index, inner.volume, outer_offset, inner.size, inner.block_size)
        self._inner = inner
        self._evidence = evidence
        self.type = f"{inner.type} in {kind}"
        self.unread = [replace(part, offset=None) for part in inner.unread]
        self.notes = [note, *inner.notes]

    def entries(self) -> Iterator[FileEntry]:
        """Every file, in the order of the layer."""
        inner = self._inner
        inner.alive = self.alive
        known = len(inner.unread)
        for entry in in_disk_order(mark_overwritten(list(inner.entries()))):
            yield replace(entry, extents=())
        self.unread += [replace(part, offset=None) for part in inner.unread[known:]]
        self.unread += [replace(part, offset=None) for part in self._evidence.unread()]
        self.directories, self.other, self.expected, self.found, self.expected_from = (
            inner.directories, inner.other, inner.expected, inner.found, inner.expected_from,
        )  # fmt: skip
        self.more_names, self.more_notes = inner.more_names, inner.more_notes

    def own_content(self, locator: str) -> Content:
        """The file, with what the layer lacks of it."""
        content = self._inner.own_content(locator)
        content.holes = content.under
        return content


def open_bitlocker(evidence: Evidence, offset: int, size: int, keys: Sequence[Key]) -> LayerEvidence:
    """A BitLocker volume.

    Raises:
        EvidenceError: no key, the wrong ones, or a damaged volume.
    """
    import pybde

    if not keys:
        raise EvidenceError("BitLocker encryption, no key was given")
    for key in keys:
        window, volume = MediaWindow(evidence, offset, size), pybde.volume()
        try:
            if key.file is not None:
                volume.read_startup_key(str(key.file))
            elif _RECOVERY.fullmatch(key.text or ""):
                volume.set_recovery_password(key.text)
            else:
                volume.set_password(key.text)
            volume.open_file_object(window)
            if not volume.is_locked() or volume.unlock():
                return LayerEvidence("BitLocker", evidence, offset, size, volume, window, int(volume.get_size()))
        except _FAULTS:
            continue  # The wrong kind of key for this volume; the next may fit.
    raise EvidenceError("BitLocker encryption, and no key that was given opens it")


def open_luks(evidence: Evidence, offset: int, size: int, keys: Sequence[Key]) -> LayerEvidence:
    """A LUKS volume of version 1.

    Raises:
        EvidenceError: no key, the wrong ones, or a damaged volume.
    """
    import pyluksde

    if not keys:
        raise EvidenceError("LUKS encryption, no key was given")
    if evidence.read(offset + 6, 2) == b"\0\2":
        raise EvidenceError("LUKS encryption of version 2, which this version does not open even with a key")
    fault = ""
    for key in keys:
        text = key.text
        if key.file is not None:
            try:
                text = key.file.read_bytes().decode("utf-8")
            except (UnicodeDecodeError, OSError):
                continue  # The library takes text only.
        window, volume = MediaWindow(evidence, offset, size), pyluksde.volume()
        try:
            volume.open_file_object(window)
            volume.set_password(text)
            if volume.unlock():
                return LayerEvidence("LUKS", evidence, offset, size, volume, window, int(volume.get_size()))
        except _FAULTS as error:
            fault = f" ({_words(error)})"
    raise EvidenceError(f"LUKS encryption, and no key that was given opens it{fault}")


def open_lvm(evidence: Evidence, offset: int, size: int) -> list[tuple[str, LayerEvidence]]:
    """The logical volumes of a volume group that lies on one physical volume, by name.

    Raises:
        EvidenceError: the group is damaged, or needs other disks.
    """
    import pyvslvm

    window, again, handle = MediaWindow(evidence, offset, size), MediaWindow(evidence, offset, size), pyvslvm.handle()
    try:
        handle.open_file_object(window)
        handle.open_physical_volume_files_as_file_objects([again])
        group = handle.get_volume_group()
        if group.number_of_physical_volumes != 1:
            raise EvidenceError(
                f"its LVM volume group needs {group.number_of_physical_volumes} disks, of which one was given"
            )
        rows = [group.get_logical_volume(at) for at in range(group.number_of_logical_volumes)]
        keep = (handle, window, again)
        return [(str(row.name), LayerEvidence("LVM", evidence, offset, size, row, keep, int(row.size))) for row in rows]
    except _FAULTS as error:
        raise EvidenceError(f"its LVM volume group cannot be opened: {_words(error)}") from None


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
