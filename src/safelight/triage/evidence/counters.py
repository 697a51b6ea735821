"""What a file system's own books say it holds, to be set beside what the listing met.

Where a file system keeps no counter, the entries of its folders are counted here by themselves (FAT, exFAT), or the
folders in its path table (ISO 9660), apart from the library that lists them.
"""

from __future__ import annotations

import struct

from safelight.triage.evidence.base import Evidence

_MOST = 64 << 20


def ext_inodes(evidence: Evidence, offset: int) -> tuple[int | None, str]:
    """Inodes in use, by the superblock of ext2, ext3 or ext4."""
    block = evidence.read(offset + 1024, 64)
    if len(block) < 64:
        return None, ""
    total, free = struct.unpack_from("<I", block)[0], struct.unpack_from("<I", block, 16)[0]
    return total - free, "inodes in use, by the superblock"


def hfs_files(evidence: Evidence, offset: int) -> tuple[int | None, str]:
    """Files and links, by the volume header of HFS+."""
    head = evidence.read(offset + 1024, 40)
    if len(head) < 40:
        return None, ""
    return struct.unpack_from(">I", head, 32)[0], "files and links, by the volume header"


def fat_entries(raw: bytes) -> int:
    """Live entries of one FAT folder: files and folders, without `.`, `..`, long names and the label."""
    count = 0
    for at in range(0, len(raw) - 31, 32):
        first, kind = raw[at], raw[at + 11]
        if first == 0:
            break
        count += first not in (0xE5, 0x2E) and kind & 0x08 == 0
    return count


def exfat_entries(raw: bytes) -> int:
    """Live entries of one exFAT folder: sets that begin with a file entry."""
    count = 0
    for at in range(0, len(raw) - 31, 32):
        if raw[at] == 0:
            break
        count += raw[at] == 0x85
    return count


def iso_folders(evidence: Evidence, offset: int) -> tuple[int | None, str]:
    """Folders, by the path table of the primary volume of ISO 9660 (ECMA-119 9.4)."""
    head = evidence.read(offset + 16 * 2048, 2048)
    if head[1:6] != b"CD001" or len(head) < 2048:
        return None, ""
    block = struct.unpack_from("<H", head, 128)[0]
    size, place = struct.unpack_from("<I4xI", head, 132)
    raw = evidence.read(offset + place * block, min(size, _MOST))
    count = at = 0
    while at + 8 <= len(raw) and raw[at]:
        count += 1
        at += 8 + raw[at] + (raw[at] & 1)
    return count, "folders, by the path table"
