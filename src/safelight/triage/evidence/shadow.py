"""Shadow copies of an NTFS volume (VSS): what was different then, through libvshadow.

A shadow copy is the whole volume as it was. Listing it whole would count every file of the device once more for each
copy; so of each copy only the files are given whose record or content has changed since, up to the next newer state.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence, MediaWindow
from safelight.triage.evidence.layers import LayeredFiles, LayerEvidence
from safelight.triage.evidence.ntfs import NtfsFileSystem
from safelight.triage.evidence.volumes import TskImage
from safelight.triage.model import FileEntry, UnreadPart

_FAULTS = (OSError, ValueError, MemoryError, OverflowError)
_MARK = bytes.fromhex("6b87083876c1484eb7ae04046e6cc752")
_HEADER = 0x1E00
_BLOCK = 16 << 10
_MOST_BLOCKS = 1 << 24
_MOST_COPIES = 512
_ATTRIBUTE_LIST = 32
_OWN_BOOKS = 16


class ShadowEvidence(LayerEvidence):
    """The volume as it was at one time; `kept` says where on the media the blocks that have changed since lie."""

    def __init__(self, outer: Evidence, offset: int, size: int, store: Any, keep: Any, kept: dict[int, int]) -> None:
        super().__init__("shadow copy", outer, offset, size, store, keep, int(store.volume_size))
        self._kept = kept

    def _inherit(self, offset: int, length: int) -> None:
        for block in range(offset // _BLOCK, -(-(offset + length) // _BLOCK)):
            start = block * _BLOCK
            place = self._offset + self._kept.get(block, start)
            for left, right, why in self._outer.missing.within(place, place + _BLOCK):
                self.missing.add(start + left - place, min(start + right - place, self.size), why)


class ShadowFiles(LayeredFiles):
    """What was different in one shadow copy."""

    def __init__(
        self, inner: NtfsFileSystem, outer_offset: int, evidence: Evidence, when: datetime, changed: frozenset[int]
    ) -> None:
        shown = when.strftime("%Y-%m-%d %H:%M:%S UTC")
        note = f"Shadow copy of {shown}: only files that have changed since, up to the next newer state."
        super().__init__(inner, outer_offset, "a shadow copy", evidence, note)
        self.main = False
        self._ntfs, self._changed = inner, changed
        self._table: tuple[list[tuple[int, int]], int, int] | None = None
        self._same = 0

    def entries(self) -> Iterator[FileEntry]:
        """Every file and stream whose record or content lies in a block that has changed since."""
        self._table = self._ntfs._table_place()
        self._same = 0
        yield from super().entries()
        self.notes.append(
            f"{self._same:,} files were the same as in the next newer state, or are the volume's own books ($MFT and "
            "the like), and are not given again."
        )

    def _wanted(self, entry: FileEntry) -> bool:
        wanted = self._differs(entry)
        self._same += not wanted
        return wanted

    def _differs(self, entry: FileEntry) -> bool:
        if entry.address is None or entry.address < _OWN_BOOKS:
            return False
        if self._table is None:
            return True
        runs, size, _ = self._table
        at = entry.address * size
        for start, length in runs:
            if at < length:
                if self._touched(start + at, size):
                    return True
                break
            at -= length
        else:
            return True
        # The place of a file in many pieces may be told by another record than its own.
        return any(self._touched(x.offset, x.size) for x in entry.extents) or (
            len(entry.extents) > 1 and self._has_attribute_list(entry.address)
        )

    def _has_attribute_list(self, address: int) -> bool:
        try:
            return any(int(row.info.type) == _ATTRIBUTE_LIST for row in self._ntfs._fs.open_meta(address))
        except OSError:
            return True

    def _touched(self, offset: int, size: int) -> bool:
        return any(n in self._changed for n in range(offset // _BLOCK, (offset + max(size, 1) - 1) // _BLOCK + 1))


def open_shadows(
    index: int, volume: int, evidence: Evidence, offset: int, size: int
) -> tuple[list[ShadowFiles], list[UnreadPart]]:
    """The shadow copies of the NTFS volume at `offset`, newest first, and those that cannot be opened."""
    if evidence.read(offset + _HEADER, 16) != _MARK:
        return [], []
    import pyvshadow

    window, handle = MediaWindow(evidence, offset, size), pyvshadow.volume()
    where = f"volume {volume}, shadow copies"
    try:
        handle.open_file_object(window)
        stores = [handle.get_store(number) for number in range(min(handle.number_of_stores, _MOST_COPIES))]
    except _FAULTS as error:
        return [], [UnreadPart(where, f"they cannot be opened: {_words(error)}", offset)]
    readers: list[ShadowFiles] = []
    unread: list[UnreadPart] = []
    newer: dict[int, int] = {}
    for number in range(len(stores) - 1, -1, -1):
        store = stores[number]
        try:
            if not store.has_in_volume_data():
                unread.append(UnreadPart(f"{where} ({number + 1})", "its data lies on another volume", offset))
                continue
            count = min(store.number_of_blocks, _MOST_BLOCKS)
            rows = [store.get_block(n) for n in range(count)]
            changed = {int(row.original_offset) // _BLOCK: int(row.offset) for row in rows}
            # A block that only a newer copy keeps is the same in this one.
            newer = {**newer, **changed}
            when = store.creation_time.replace(tzinfo=UTC)
            layer = ShadowEvidence(evidence, offset, size, store, (handle, window), dict(newer))
            inner = NtfsFileSystem(index + len(readers), volume, layer, TskImage(layer), 0, layer.size)
            readers.append(ShadowFiles(inner, offset, layer, when, frozenset(changed)))
        except _FAULTS as error:
            unread.append(UnreadPart(f"{where} ({number + 1})", f"it cannot be read: {_words(error)}", offset))
        except EvidenceError as error:
            unread.append(UnreadPart(f"{where} ({number + 1})", f"its NTFS cannot be opened: {error.what}", offset))
    return readers, unread


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
