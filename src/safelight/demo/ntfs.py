"""Two things that no unprivileged tool does to an NTFS volume: make a folder, and delete a file.

``mkntfs`` and ``ntfscp`` (Debian package ntfs-3g) format a volume and copy files into it without root and without a
mount, but they make no folders and delete nothing. :class:`NtfsVolume` edits the structures on the disk as a file
system driver does:

* a folder is an empty file's record with an empty ``$I30`` index instead of its data, and the folder flag set in the
  record, in its name and in its entry of the parent folder;
* a deleted file keeps its record and its name, but the record's in-use flag goes, its sequence number moves on, its
  bit in the ``$MFT`` bitmap and its clusters' bits in ``$Bitmap`` are cleared, and its entry leaves the parent's index.
  This is what Windows leaves behind, so that forensic tools find the file again.

The layouts are those of the Linux-NTFS project's documentation of records, attributes and indexes.
Only small volumes are handled: records of 1 KiB, ``$MFT`` and ``$Bitmap`` without attribute lists, folders whose index
is one level deep at the entry to be changed. Anything else raises :class:`~safelight.errors.SafelightError`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from safelight.errors import SafelightError

_SECTOR = 512
_MFT, _ROOT, _CLUSTER_BITMAP = 0, 5, 6
_FILE_NAME, _DATA, _INDEX_ROOT, _INDEX_ALLOCATION, _BITMAP, _END = 0x30, 0x80, 0x90, 0xA0, 0xB0, 0xFFFFFFFF
_IN_USE, _FOLDER = 0x01, 0x02
_FOLDER_NAME_FLAG = 0x10000000
_INDEX_NAME = "$I30".encode("utf-16-le")
_ENTRY_SUBNODE, _ENTRY_LAST = 0x01, 0x02


@dataclass(frozen=True)
class _Attribute:
    """One attribute of a record: where it starts, how long it is, and where its content is."""

    kind: int
    start: int
    length: int
    resident: bool
    content: int  # offset in the record of the content (resident) or of the run list (not resident)
    size: int  # bytes of content (resident) or of the stream's real size


@dataclass(frozen=True)
class _Entry:
    """One entry of a folder's index, and the block that holds it."""

    block_offset: int  # where the INDX block is in the volume, or -1: the entry is in the record itself
    start: int  # of the entry, in the block or record
    length: int
    header: int  # of the index header, in the block or record
    record: int
    flags: int
    name: str


class NtfsVolume:
    """An NTFS volume in a file, opened to make folders and delete files. Use it as a context manager.

    Raises:
        SafelightError: the file is not an NTFS volume of the shape that mkntfs gives a small volume.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("r+b")
        boot = self._file.read(_SECTOR)
        if boot[3:11] != b"NTFS    ":
            self._file.close()
            raise SafelightError(f"{path} does not hold an NTFS volume.", fix="Format it with mkntfs first.")
        (sector,) = struct.unpack_from("<H", boot, 11)
        self._cluster = sector * boot[13]
        (mft_cluster,) = struct.unpack_from("<Q", boot, 48)
        record_size, index_size = struct.unpack_from("<bxxxb", boot, 64)
        self._record_size = record_size * self._cluster if record_size > 0 else 1 << -record_size
        self._index_size = index_size * self._cluster if index_size > 0 else 1 << -index_size
        self._mft_runs = [(mft_cluster, 1 << 30)]  # enough to read the first record, which knows the rest
        self._mft_runs = self._runs(self._read_record(_MFT), _DATA)

    def __enter__(self) -> NtfsVolume:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def make_folder(self, path: str) -> None:
        """Turn the empty file at ``path`` (``/`` between names) into an empty folder."""
        parent, number, entry = self._find(path)
        record = self._read_record(number)
        attributes = list(self._attributes(record))
        data = next((a for a in attributes if a.kind == _DATA), None)
        if data is None or not data.resident or data.size:
            raise SafelightError(f"{path} in {self.path} is not an empty file, so it cannot become a folder.")
        (identity,) = struct.unpack_from("<H", record, data.start + 14)
        index = self._empty_index(identity)
        used = struct.unpack_from("<I", record, 24)[0]
        rest = bytes(record[data.start + data.length : used])
        record[data.start : used] = b""
        record[data.start : data.start] = index + rest
        del record[self._record_size :]
        new_used = used - data.length + len(index)
        record.extend(bytes(self._record_size - len(record)))
        struct.pack_into("<I", record, 24, new_used)
        struct.pack_into("<H", record, 22, _IN_USE | _FOLDER)
        for attribute in self._attributes(record):
            if attribute.kind == _FILE_NAME:
                self._add_flag(record, attribute.content + 56)
        self._write_record(number, record)
        block = self._read_block(parent, entry)
        self._add_flag(block, entry.start + 16 + 56)
        self._write_block(parent, entry, block)

    def delete(self, path: str) -> None:
        """Delete the file at ``path`` and leave its record behind, as Windows does."""
        parent, number, entry = self._find(path)
        if entry.flags & _ENTRY_SUBNODE:
            raise SafelightError(
                f"{path} is at an inner node of its folder's index in {self.path}; only leaves can be edited.",
                fix="Put fewer files into the folder.",
            )
        block = self._read_block(parent, entry)
        used = struct.unpack_from("<I", block, entry.header + 4)[0]
        end = entry.header + used
        tail = bytes(block[entry.start + entry.length : end])
        if entry.block_offset < 0:
            self._shrink_index_root(block, entry, tail)
        else:
            block[entry.start : end] = tail + bytes(entry.length)
            struct.pack_into("<I", block, entry.header + 4, used - entry.length)
        self._write_block(parent, entry, block)

        record = self._read_record(number)
        for attribute in self._attributes(record):
            if not attribute.resident:
                for cluster, count in self._run_list(record, attribute):
                    self._clear_bits(_CLUSTER_BITMAP, _DATA, range(cluster, cluster + count))
        (sequence, flags) = struct.unpack_from("<H4xH", record, 16)
        struct.pack_into("<H", record, 16, sequence % 0xFFFF + 1)
        struct.pack_into("<H", record, 22, flags & ~_IN_USE)
        self._write_record(number, record)
        self._clear_bits(_MFT, _BITMAP, [number])

    # records ---------------------------------------------------------------------------------------------------------

    def _read_record(self, number: int) -> bytearray:
        return self._fixed(self._read_at(self._record_offset(number), self._record_size), b"FILE")

    def _write_record(self, number: int, record: bytearray) -> None:
        self._write_fixed(self._record_offset(number), record)

    def _record_offset(self, number: int) -> int:
        return self._offset_in(self._mft_runs, number * self._record_size)

    def _offset_in(self, runs: list[tuple[int, int]], position: int) -> int:
        for cluster, count in runs:
            if position < count * self._cluster:
                return int(cluster * self._cluster + position)
            position -= count * self._cluster
        raise SafelightError(f"{self.path} ends before a structure that it names: the volume is damaged.")

    def _read_at(self, offset: int, size: int) -> bytearray:
        self._file.seek(offset)
        return bytearray(self._file.read(size))

    def _fixed(self, raw: bytearray, magic: bytes) -> bytearray:
        """Undo the update sequence: the last two bytes of each sector are kept in an array near the start."""
        if raw[:4] != magic:
            raise SafelightError(f"{self.path} has no {magic.decode()} structure where one belongs.")
        offset, count = struct.unpack_from("<HH", raw, 4)
        for index in range(1, count):
            raw[index * _SECTOR - 2 : index * _SECTOR] = raw[offset + 2 * index : offset + 2 * index + 2]
        return raw

    def _write_fixed(self, position: int, fixed: bytearray) -> None:
        raw = bytearray(fixed)
        offset, count = struct.unpack_from("<HH", raw, 4)
        (number,) = struct.unpack_from("<H", raw, offset)
        stamp = struct.pack("<H", number % 0xFFFF + 1)
        raw[offset : offset + 2] = stamp
        for index in range(1, count):
            raw[offset + 2 * index : offset + 2 * index + 2] = raw[index * _SECTOR - 2 : index * _SECTOR]
            raw[index * _SECTOR - 2 : index * _SECTOR] = stamp
        self._file.seek(position)
        self._file.write(raw)

    # attributes ------------------------------------------------------------------------------------------------------

    def _attributes(self, record: bytearray) -> Iterator[_Attribute]:
        (position,) = struct.unpack_from("<H", record, 20)
        while (kind := struct.unpack_from("<I", record, position)[0]) != _END:
            length, not_resident = struct.unpack_from("<IB", record, position + 4)
            if not_resident:
                (content,) = struct.unpack_from("<H", record, position + 32)
                (size,) = struct.unpack_from("<Q", record, position + 48)
            else:
                size, content = struct.unpack_from("<IH", record, position + 16)
            yield _Attribute(kind, position, length, not not_resident, position + content, size)
            position += length

    def _run_list(self, record: bytearray, attribute: _Attribute) -> list[tuple[int, int]]:
        """The (first cluster, clusters) of a stream, in order; a sparse run has none and is left out."""
        runs, position, cluster = [], attribute.content, 0
        while head := record[position]:
            size, jump = head & 0x0F, head >> 4
            count = int.from_bytes(record[position + 1 : position + 1 + size], "little")
            step = int.from_bytes(record[position + 1 + size : position + 1 + size + jump], "little", signed=True)
            cluster += step
            if jump:
                runs.append((cluster, count))
            position += 1 + size + jump
        return runs

    def _runs(self, record: bytearray, kind: int) -> list[tuple[int, int]]:
        for attribute in self._attributes(record):
            if attribute.kind == kind and not attribute.resident:
                return self._run_list(record, attribute)
        return []

    def _clear_bits(self, record_number: int, kind: int, bits: range | list[int]) -> None:
        record = self._read_record(record_number)
        runs = self._runs(record, kind)
        for bit in bits:
            position = self._offset_in(runs, bit // 8)
            value = self._read_at(position, 1)[0] & ~(1 << bit % 8)
            self._file.seek(position)
            self._file.write(bytes([value]))

    # folders ---------------------------------------------------------------------------------------------------------

    def _find(self, path: str) -> tuple[int, int, _Entry]:
        """The parent's record number, the file's record number and its entry in the parent's index."""
        parent, number = _ROOT, _ROOT
        entry: _Entry | None = None
        for name in path.strip("/").split("/"):
            parent = number
            entry = next((e for e in self._entries(parent) if e.name == name), None)
            if entry is None:
                raise SafelightError(f"{self.path} has no {name!r} on the way to {path!r}.")
            number = entry.record
        assert entry is not None
        return parent, number, entry

    def _entries(self, folder: int) -> Iterator[_Entry]:
        record = self._read_record(folder)
        for attribute in self._attributes(record):
            if attribute.kind == _INDEX_ROOT:
                yield from self._entries_of(record, attribute.content + 16, -1)
            if attribute.kind == _INDEX_ALLOCATION:
                runs = self._run_list(record, attribute)
                for position in range(0, attribute.size, self._index_size):
                    offset = self._offset_in(runs, position)
                    raw = self._read_at(offset, self._index_size)
                    if raw[:4] == b"INDX":
                        yield from self._entries_of(self._fixed(raw, b"INDX"), 24, offset)

    def _entries_of(self, block: bytearray, header: int, offset: int) -> Iterator[_Entry]:
        position = header + struct.unpack_from("<I", block, header)[0]
        while True:
            reference, length, _key, flags = struct.unpack_from("<QHHH", block, position)
            if flags & _ENTRY_LAST:
                return
            letters = block[position + 16 + 64]
            name = bytes(block[position + 16 + 66 : position + 16 + 66 + 2 * letters]).decode("utf-16-le", "replace")
            yield _Entry(offset, position, length, header, reference & 0xFFFFFFFFFFFF, flags, name)
            position += length

    def _read_block(self, parent: int, entry: _Entry) -> bytearray:
        if entry.block_offset < 0:
            return self._read_record(parent)
        return self._fixed(self._read_at(entry.block_offset, self._index_size), b"INDX")

    def _write_block(self, parent: int, entry: _Entry, block: bytearray) -> None:
        if entry.block_offset < 0:
            self._write_record(parent, block)
        else:
            self._write_fixed(entry.block_offset, block)

    def _shrink_index_root(self, record: bytearray, entry: _Entry, tail: bytes) -> None:
        """Take an entry out of an index that lies in the record: everything behind it moves down."""
        root = next(a for a in self._attributes(record) if a.kind == _INDEX_ROOT)
        used = struct.unpack_from("<I", record, 24)[0]
        behind = bytes(record[root.start + root.length : used])
        content = bytes(record[root.content : entry.start]) + tail
        length = (root.content - root.start + len(content) + 7) // 8 * 8
        block = bytes(record[root.start : root.content]) + content
        block += bytes(length - len(block)) + behind
        record[root.start : used] = block + bytes(used - root.start - len(block))
        struct.pack_into("<I", record, 24, root.start + len(block))
        struct.pack_into("<I", record, root.start + 4, length)
        struct.pack_into("<I", record, root.start + 16, len(content))
        size = len(content) - 16
        struct.pack_into("<II", record, root.content + 20, size, size)

    def _empty_index(self, identity: int) -> bytes:
        """A resident ``$INDEX_ROOT`` attribute named ``$I30``, sorted by file name, with no entries."""
        blocks = self._index_size // self._cluster or self._index_size // _SECTOR
        last = struct.pack("<QHHHH", 0, 16, 0, _ENTRY_LAST, 0)
        header = struct.pack("<IIIBxxx", 16, 16 + len(last), 16 + len(last), 0)
        content = struct.pack("<IIIBxxx", _FILE_NAME, 1, self._index_size, blocks) + header + last
        name_offset, content_offset = 24, 32
        length = content_offset + len(content)
        head = struct.pack(
            "<IIBBHHHIHBB",
            _INDEX_ROOT, length, 0, len(_INDEX_NAME) // 2, name_offset, 0, identity, len(content), content_offset, 0, 0,
        )  # fmt: skip
        return head + _INDEX_NAME + content

    @staticmethod
    def _add_flag(block: bytearray, position: int) -> None:
        (flags,) = struct.unpack_from("<I", block, position)
        # An ordinary file has the archive flag; a folder does not.
        struct.pack_into("<I", block, position, (flags & ~0x20) | _FOLDER_NAME_FLAG)
