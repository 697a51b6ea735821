"""Volumes under a layer that a library opens: BitLocker and Core Storage, with a key that was given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence, MediaWindow
from safelight.triage.evidence.bitlocker import open_own
from safelight.triage.evidence.filesystem import Content, FileSystemReader, clean_name
from safelight.triage.evidence.keys import Key
from safelight.triage.model import FileEntry
from safelight.triage.placement import in_disk_order, mark_overwritten

_FAULTS = (OSError, ValueError, MemoryError, OverflowError)
_STEP = 64 << 10


class LayerEvidence(Evidence):
    """The bytes that a layer gives, as a medium of their own."""

    def __init__(self, kind: str, outer: Evidence, offset: int, size: int, handle: Any, keep: Any, media: int) -> None:
        super().__init__(outer.parts, media)
        self.format = kind
        self._outer = outer
        self._handle = handle
        self._keep = keep  # The library reads through it.
        self._offset = offset
        self._straight = kind == "BitLocker"

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
        base = self._offset
        # A sector is decrypted as one, so bytes beside a missing one are lost too.
        for left, right, why in self._outer.missing.within(base + offset, base + offset + length):
            self.missing.add((left - base) // 4096 * 4096, min(-(-(right - base) // 4096) * 4096, self.size), why)


class LayeredFiles(FileSystemReader):
    """A file system on a layer: its extents are no places on the device, so they are not given."""

    def __init__(self, inner: FileSystemReader, outer_offset: int, kind: str, evidence: Evidence, note: str) -> None:
        super().__init__(inner.index, inner.volume, outer_offset, inner.size, inner.block_size)
        self._inner = inner
        self._evidence = evidence
        self.main = inner.main
        self.type = f"{inner.type} in {kind}"
        self.unread = [replace(part, offset=None) for part in inner.unread]
        self.notes = [note, *inner.notes]

    def entries(self) -> Iterator[FileEntry]:
        """Every file, in the order of the layer."""
        inner = self._inner
        inner.alive = self.alive
        known = len(inner.unread)
        for entry in in_disk_order(mark_overwritten(list(inner.entries()))):
            if self._wanted(entry):
                yield replace(entry, extents=())
        self.unread += [replace(part, offset=None) for part in inner.unread[known:]]
        self.unread += [replace(part, offset=None) for part in self._evidence.unread()]
        self.directories, self.other, self.expected, self.found, self.expected_from = (
            inner.directories, inner.other, inner.expected, inner.found, inner.expected_from,
        )  # fmt: skip
        self.more_names, self.more_notes = inner.more_names, inner.more_notes

    def _wanted(self, entry: FileEntry) -> bool:
        """Whether the entry, with its places on the layer, is given out."""
        return True

    def find(self, path: str) -> str | None:
        """As the file system says."""
        return self._inner.find(path)

    def own_content(self, locator: str) -> Content:
        """The file, with what the layer lacks of it."""
        content = self._inner.own_content(locator)
        content.holes = content.under
        return content


def open_bitlocker(evidence: Evidence, offset: int, size: int, keys: Sequence[Key]) -> Evidence:
    """A BitLocker volume: by our own reader, by libbde where that does not know it.

    Raises:
        EvidenceError: no key, the wrong ones, or a damaged volume.
    """
    import pybde

    if not keys:
        raise EvidenceError("BitLocker encryption, no key was given")
    own = open_own(evidence, offset, size, keys)
    if own is not None:
        return own
    for key in keys:
        window, volume = MediaWindow(evidence, offset, size), pybde.volume()
        try:
            if key.file is not None:
                volume.read_startup_key(str(key.file))
            elif key.is_recovery:
                volume.set_recovery_password(key.text)
            else:
                volume.set_password(key.text)
            volume.open_file_object(window)
            if not volume.is_locked() or volume.unlock():
                return LayerEvidence("BitLocker", evidence, offset, size, volume, window, int(volume.get_size()))
        except _FAULTS:
            continue  # The wrong kind of key for this volume; the next may fit.
    raise EvidenceError("BitLocker encryption, and no key that was given opens it")


def open_core_storage(
    evidence: Evidence, offset: int, size: int, keys: Sequence[Key]
) -> list[tuple[str, LayerEvidence]]:
    """The logical volumes of Apple's Core Storage (FileVault 2), by name.

    Raises:
        EvidenceError: no key, the wrong ones, a damaged group, or one that needs other disks.
    """
    import pyfvde

    window, again, volume = MediaWindow(evidence, offset, size), MediaWindow(evidence, offset, size), pyfvde.volume()
    try:
        volume.open_file_object(window)
        volume.open_physical_volume_files_as_file_objects([again])
        group = volume.get_volume_group()
        if group.number_of_physical_volumes != 1:
            raise EvidenceError(f"Core Storage over {group.number_of_physical_volumes} disks, of which one was given")
        rows = [group.get_logical_volume(at) for at in range(group.number_of_logical_volumes)]
    except _FAULTS as error:
        raise EvidenceError(f"Core Storage (usually FileVault encryption), cannot be opened: {_words(error)}") from None
    found, keep = [], (volume, window, again)
    for row in rows:
        if not _unlocked(row, keys):
            said = "no key that was given opens it" if keys else "no key was given"
            raise EvidenceError(f"Core Storage (FileVault encryption), {said}")
        name = clean_name(row.name or "")
        found.append((name, LayerEvidence("Core Storage", evidence, offset, size, row, keep, int(row.size))))
    return found


def _unlocked(volume: Any, keys: Sequence[Key]) -> bool:
    if not volume.is_locked():
        return True
    for key in keys:
        for give in (volume.set_password, volume.set_recovery_password):
            if key.text is None:
                continue
            try:
                give(key.text)
                if volume.unlock():
                    return True
            except _FAULTS:
                continue  # The wrong kind of key for this volume; the next may fit.
    return False


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
