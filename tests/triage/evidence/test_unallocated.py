"""Free space: exactly what the file system's own books call free, and the pictures in it."""

from __future__ import annotations

import hashlib
import random
import re
import subprocess
from pathlib import Path

import pytest
from tests.triage.conftest import make_ext
from tests.triage.evidence.test_carving import picture

from safelight.demo.diskimages import DiskImage
from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.tsk import TskFileSystem
from safelight.triage.evidence.unallocated import UnallocatedSpace, free_ranges

LOST = {kind: picture(kind, (120, 80)) for kind in ("JPEG", "PNG", "GIF", "WebP", "BMP")}


def opened(path: Path) -> tuple[Device, TskFileSystem, UnallocatedSpace]:
    device = Device(open_evidence([path]), carve=True)
    found, space = device.filesystems
    assert isinstance(found, TskFileSystem) and isinstance(space, UnallocatedSpace)
    return device, found, space


def make(folder: Path, kind: str, size: int = 24) -> Path:
    """A file system with live files."""
    path = folder / f"{kind}.img"
    if kind.startswith("ext"):
        return make_ext(path, {f"{n}.bin": random.Random(n).randbytes(30_000) for n in range(40)}, kind=kind,
                        size=f"{size}M")  # fmt: skip
    with path.open("wb") as out:
        out.truncate(size << 20)
    if kind == "NTFS":
        subprocess.run(["mkntfs", "-F", "-q", "-Q", str(path)], check=True, capture_output=True)
        return path
    subprocess.run(["mkfs.vfat", "-F", kind[3:], str(path)], check=True, capture_output=True)
    for n in range(20):
        (folder / "f.bin").write_bytes(random.Random(n).randbytes(30_000))
        subprocess.run(["mcopy", "-i", str(path), str(folder / "f.bin"), f"::F{n}.BIN"], check=True)
    return path


@pytest.mark.parametrize(
    ("kind", "size"), [("ext2", 24), ("ext4", 24), ("FAT12", 4), ("FAT16", 24), ("FAT32", 48), ("NTFS", 24)]
)
def test_free_space_is_what_the_sleuth_kit_calls_free_and_lost_pictures_in_it_are_carved(
    tmp_path: Path, kind: str, size: int
) -> None:
    """Pictures whose file records are gone would be lost, or bytes of live files would be taken for lost ones."""
    path = make(tmp_path, kind, size)
    device, filesystem, space = opened(path)
    ranges = list(free_ranges(filesystem, device.evidence))
    unused = subprocess.run(["blkls", "-A", str(path)], check=True, capture_output=True).stdout
    raw = path.read_bytes()
    ours = b"".join(raw[a : a + n] for a, n in ranges)
    assert abs(len(ours) - len(unused)) < 64 << 10, "they differ by slack and copies of the superblock at most"
    taken = [(x.offset, x.offset + x.size) for e in filesystem.entries() if e.allocated for x in e.extents]
    assert all(b <= a or a + n <= s for a, n in ranges for s, b in taken), "free space overlaps a live file"
    start, length = max(ranges, key=lambda r: r[1])
    with path.open("r+b") as out:
        at = start + 8192
        want = {}
        for body in LOST.values():
            out.seek(at)
            out.write(body)
            want[at] = hashlib.sha256(body).hexdigest()
            at += -(-len(body) // 4096) * 4096 + 4096
        out.seek(at)
        out.write(LOST["JPEG"][:-700] + bytes(2000))
        assert at < start + length
    device, filesystem, space = opened(path)
    list(filesystem.entries())
    found = list(space.entries())
    assert {
        e.extents[0].offset: hashlib.sha256(space.content(e.locator).read(0, e.size)).hexdigest() for e in found
    } == want
    assert all(not e.allocated and e.origin == "carved" and "carved" in e.notes[0] for e in found)
    assert all(re.fullmatch(r"\[unallocated\]/\d+\.(jpg|png|gif|webp|bmp)", e.path) for e in found)


def test_what_a_deleted_record_still_leads_to_is_not_listed_twice(demo_devices: dict[str, DiskImage]) -> None:
    """Every deleted picture would be two findings."""
    for image in demo_devices.values():
        device = Device(open_evidence([image.path]), carve=True)
        for filesystem, space in zip(device.filesystems[::2], device.filesystems[1::2], strict=True):
            places = {e.extents[0].offset for e in filesystem.entries() if len(e.extents) == 1 and not e.allocated}
            assert not places & {e.extents[0].offset for e in space.entries()}
