"""Put a file system into a device image behind a real partition table (MBR or GPT), without root."""

from __future__ import annotations

import os
import struct
import uuid
import zlib
from pathlib import Path

from safelight.errors import SafelightError

SECTOR = 512
FIRST_SECTOR = 2048
"""Where the partition starts: 1 MiB, as every current partitioning tool has it."""

_GPT_ENTRIES, _GPT_ENTRY_SIZE, _GPT_TABLE_SECTORS = 128, 128, 32
_BASIC_DATA = uuid.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
_LINUX_DATA = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
_MBR_TYPES = {"fat32": 0x0C, "ext4": 0x83, "ntfs": 0x07}
_GPT_TYPES = {"fat32": _BASIC_DATA, "ext4": _LINUX_DATA, "ntfs": _BASIC_DATA}
_COPY_BLOCK = 1 << 18


def write_device(image: Path, volume: Path, *, scheme: str, file_system: str, serial: uuid.UUID) -> int:
    """Write ``image``: a partition table and the volume as its only partition. Empty blocks stay holes.

    Args:
        image: the device image to write.
        volume: a file that holds the file system.
        scheme: 'mbr', 'gpt' or 'none' (the volume is the whole device).
        file_system: 'fat32', 'ext4' or 'ntfs'; decides the partition's type.
        serial: identifies the disk in its table.

    Returns:
        where the volume starts, in bytes.

    Raises:
        SafelightError: no such scheme or file system.
        OSError: the image cannot be written.
    """
    if scheme not in {"mbr", "gpt", "none"} or file_system not in _MBR_TYPES:
        raise SafelightError(f"No device with a {scheme!r} table and a {file_system!r} volume can be made.")
    size = volume.stat().st_size
    start = 0 if scheme == "none" else FIRST_SECTOR * SECTOR
    trailer = _COPY_BLOCK if scheme == "gpt" else 0
    zeros = bytes(_COPY_BLOCK)
    with image.open("wb") as out, volume.open("rb") as content:
        out.truncate(start + size + trailer)
        out.seek(start)
        while block := content.read(_COPY_BLOCK):
            if block != zeros[: len(block)]:
                out.write(block)
            else:
                out.seek(len(block), 1)
        sectors = (start + size + trailer) // SECTOR
        if scheme == "mbr":
            out.seek(0)
            out.write(_mbr(_MBR_TYPES[file_system], FIRST_SECTOR, size // SECTOR, serial))
        elif scheme == "gpt":
            _write_gpt(out.fileno(), sectors, _GPT_TYPES[file_system], size // SECTOR, serial)
    return start


def _mbr(kind: int, first: int, count: int, serial: uuid.UUID) -> bytes:
    """One sector: the disk's serial number and one partition, addressed by sector number only."""
    entry = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", first, count)
    return bytes(440) + serial.bytes[:4] + bytes(2) + entry + bytes(48) + b"\x55\xaa"


def _write_gpt(handle: int, sectors: int, kind: uuid.UUID, count: int, serial: uuid.UUID) -> None:
    """The table at the front, its copy at the end, and the MBR that protects both (UEFI specification, chapter 5)."""
    partition = uuid.uuid5(serial, "partition 1")
    entry = struct.pack(
        "<16s16sQQQ72s",
        kind.bytes_le,
        partition.bytes_le,
        FIRST_SECTOR,
        FIRST_SECTOR + count - 1,
        0,
        "Synthetic demo".encode("utf-16-le"),
    )
    table = entry + bytes((_GPT_ENTRIES - 1) * _GPT_ENTRY_SIZE)
    last = sectors - 1

    def header(here: int, other: int, table_at: int) -> bytes:
        def packed(checksum: int) -> bytes:
            return struct.pack(
                "<8sIIIIQQQQ16sQIII",
                b"EFI PART", 0x00010000, 92, checksum, 0, here, other, 2 + _GPT_TABLE_SECTORS,
                last - _GPT_TABLE_SECTORS - 1, serial.bytes_le, table_at, _GPT_ENTRIES, _GPT_ENTRY_SIZE,
                zlib.crc32(table),
            )  # fmt: skip

        return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")

    os.pwrite(handle, _mbr(0xEE, 1, min(last, 0xFFFFFFFF), uuid.UUID(int=0)) + header(1, last, 2) + table, 0)
    backup = last - _GPT_TABLE_SECTORS
    os.pwrite(handle, table + header(last, 1, backup), backup * SECTOR)
