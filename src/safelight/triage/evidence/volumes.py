"""Volumes of a device: MBR, GPT, APM and the others The Sleuth Kit knows, or a file system without a table."""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytsk3

from safelight.triage.evidence.base import Evidence
from safelight.triage.model import Problem, UnreadPart, Volume

_SCHEMES = {
    int(getattr(pytsk3, f"TSK_VS_TYPE_{key}")): name
    for key, name in (("DOS", "MBR"), ("GPT", "GPT"), ("MAC", "APM"), ("BSD", "BSD"), ("SUN", "Sun"))
}
_WINDOW = 1 << 20
#: The words for the one volume of an MBR that only keeps older programs off a GPT disk.
_PROTECTIVE = "GPT Safety Partition"


class TskImage(pytsk3.Img_Info):  # type: ignore[misc]
    """Our evidence as The Sleuth Kit's image: it can reach these bytes and nothing else."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def read(self, offset: int, size: int) -> bytes:
        """Called by the library."""
        if offset < 0 or size < 0:
            return b""
        return self._evidence.read(offset, size)

    def get_size(self) -> int:
        """Called by the library."""
        return self._evidence.size

    def close(self) -> None:
        """The evidence is closed by its owner."""


@dataclass(slots=True)
class VolumeTable:
    """The volumes of a device and what went wrong reading their table."""

    volumes: list[Volume]
    problems: list[Problem] = field(default_factory=list)
    unread: list[UnreadPart] = field(default_factory=list)


def read_volumes(evidence: Evidence, image: TskImage) -> VolumeTable:
    """The volumes and gaps of the media, in disk order."""
    whole = Volume(0, "none", "volume", "whole media", 0, evidence.size)
    if signature(evidence, 0, evidence.size):
        return VolumeTable([whole])
    problems: list[Problem] = []
    try:
        rows, block, scheme = _rows(image, pytsk3.TSK_VS_TYPE_DETECT)
    except OSError:
        return VolumeTable([whole])
    if scheme == "MBR" and any(_PROTECTIVE in words for _, _, _, words in rows):
        try:
            rows, block, scheme = _rows(image, pytsk3.TSK_VS_TYPE_GPT)
            problems.append(
                Problem("volume table", "The first GPT table is damaged; the second, at the end, was used.")
            )
        except OSError:
            problems.append(Problem("volume table", "The disk should have a GPT table, but neither copy can be read."))
    pieces: list[tuple[str, str, int, int]] = []
    for start, length, flags, words in rows:
        kind = "volume" if flags & 1 else "table" if flags & 4 else "gap"
        pieces.append((kind, words.strip(), start * block, length * block))
    if scheme == "GPT":
        pieces += _second_gpt(evidence, block)
    tables = sorted((offset, offset + size) for kind, _, offset, size in pieces if kind == "table")
    result = VolumeTable([], problems)
    for kind, words, offset, size in sorted(pieces, key=lambda p: (p[2], -p[3])):
        if kind == "gap":
            for left, right in _without(offset, offset + size, tables):
                result.volumes.append(Volume(len(result.volumes), scheme, kind, words, left, right - left))
            continue
        lost = max(0, offset + size - max(offset, evidence.size)) if kind == "volume" else 0
        if lost:
            result.unread.append(
                UnreadPart(
                    f"volume {len(result.volumes)}",
                    "the volume table says that the volume goes on behind the end of the image: "
                    "the image was cut short, or the table is damaged",
                    max(offset, evidence.size),
                    lost,
                )
            )
        result.volumes.append(Volume(len(result.volumes), scheme, kind, words, offset, size - lost))
    if not any(v.kind == "volume" for v in result.volumes):
        return VolumeTable([whole], result.problems)
    return result


def _rows(image: TskImage, kind: int) -> tuple[list[tuple[int, int, int, str]], int, str]:
    """The table as The Sleuth Kit has it: (start, length, flags, words) in blocks, the block's bytes, the scheme.

    Raises:
        OSError: there is no such table.
    """
    table = pytsk3.Volume_Info(image, type=kind)
    rows = [(p.start, p.len, int(p.flags), p.desc.decode("utf-8", "backslashreplace")) for p in table]
    return rows, int(table.info.block_size), _SCHEMES.get(int(table.info.vstype), "other")


def _without(start: int, end: int, holes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pieces of a range that no hole covers: The Sleuth Kit lists a gap over the tables that lie in it."""
    pieces = []
    for left, right in holes:
        if left > start:
            pieces.append((start, min(left, end)))
        start = max(start, right)
        if start >= end:
            break
    if start < end:
        pieces.append((start, end))
    return [(a, b) for a, b in pieces if a < b]


def _second_gpt(evidence: Evidence, block: int) -> list[tuple[str, str, int, int]]:
    """The copy of the table that GPT keeps at the end of the disk."""
    at = evidence.size // block * block - block
    head = evidence.read(at, 92) if at > 0 else b""
    if head[:8] != b"EFI PART":
        return []
    first, count, each = struct.unpack_from("<QII", head, 72)
    size = min(count * each, 1 << 20)
    if not 0 < first * block < at:
        return []
    length = -(-size // block) * block
    return [("table", "Second GPT table", first * block, length), ("table", "Second GPT header", at, block)]


# Where a signature stands, what it is, and what The Sleuth Kit or libyal can do with it.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (3, b"NTFS    ", "NTFS"),
    (3, b"EXFAT   ", "exFAT"),
    (3, b"-FVE-FS-", "BitLocker"),
    (3, b"MSWIN4.1-FVE", "BitLocker"),
    (3, b"ReFS\0\0\0\0", "ReFS"),
    (54, b"FAT12   ", "FAT12"),
    (54, b"FAT16   ", "FAT16"),
    (54, b"FAT     ", "FAT"),
    (82, b"FAT32   ", "FAT32"),
    (0, b"LUKS\xba\xbe", "LUKS"),
    (0, b"XFSB", "XFS"),
    (32, b"NXSB", "APFS"),
    (88, b"CS", "Core Storage (FileVault)"),
    (512, b"LABELONE", "LVM"),
    (1024, b"H+\0\x04", "HFS+"),
    (1024, b"HX\0\x05", "HFS+"),
    (1024, b"BD", "HFS"),
    (1024, b"\x10\x20\xf5\xf2", "F2FS"),
    (1080, b"\x53\xef", "ext"),
    (4086, b"SWAPSPACE2", "Linux swap"),
    (4086, b"SWAP-SPACE", "Linux swap"),
    (4096, b"\xfc\x4e\x2b\xa9", "Linux RAID"),
    (65600, b"_BHRfS_M", "btrfs"),
)

#: Kinds that are recognised but not opened, and why.
UNREADABLE = {
    "ReFS": "the ReFS file system is not read by this version",
    "F2FS": "the F2FS file system is not read by this version",
    "Linux swap": "swap space, holds no files; it was not searched",
    "Linux RAID": "member of a Linux RAID, not read by this version",
    "btrfs": "the btrfs file system is not read by this version",
    "HFS": "the old HFS file system is not read by this version",
}


def signature(evidence: Evidence, offset: int, size: int) -> str | None:
    """What a volume says it is, from its first 64 KiB; None where it says nothing that is known."""
    head = evidence.read(offset, min(size, 65664))
    for at, mark, name in _SIGNATURES:
        if head[at : at + len(mark)] == mark:
            if name == "Core Storage (FileVault)" and not any(head[512:600]) and head[510:512] == b"\x55\xaa":
                continue  # Two letters in boot code prove nothing.
            return name
    # The recognition sequence of ECMA-167: structures of 2 KiB (4 KiB on discs with sectors of 4 KiB) from 32 KiB on.
    if any(head[at : at + 5] in (b"NSR02", b"NSR03") for at in range(32769, len(head) - 5, 2048)):
        return "UDF"
    return None


def is_zero(evidence: Evidence, offset: int, size: int, tick: Callable[[int], None] | None = None) -> bool:
    """Whether every byte of the range was read and is zero."""
    end = min(offset + size, evidence.size)
    for left, right in evidence.stored():
        left, right = max(left, offset), min(right, end)
        while left < right:
            piece = evidence.read(left, min(_WINDOW, right - left))
            if piece.count(0) != len(piece):
                return False
            left += len(piece)
            if tick:
                tick(len(piece))
    return not evidence.missing.overlaps(offset, end)


def looks_random(evidence: Evidence, offset: int, size: int) -> bool:
    """Whether samples of the range are as even as encrypted or compressed bytes (Shannon entropy above 7.9 bits)."""
    if size < 65536:
        return False
    counts: Counter[int] = Counter()
    for index in range(16):
        counts.update(evidence.read(offset + index * (size // 16), 16384))
    total = sum(counts.values())
    return -sum(n / total * math.log2(n / total) for n in counts.values()) > 7.9
