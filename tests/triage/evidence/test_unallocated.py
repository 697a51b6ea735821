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

LOST = {kind: picture(kind, (120, 80)) for kind in ("JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF", "HEIC")}


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
    assert all(re.fullmatch(r"\[unallocated\]/\d+\.(jpg|png|gif|webp|bmp|tif|heic)", e.path) for e in found)


def _plant(image: Path, start: int) -> dict[int, str]:
    """Pictures in a free range; their places and digests."""
    want = {}
    with image.open("r+b") as out:
        for body in LOST.values():
            out.seek(start)
            out.write(body)
            want[start] = hashlib.sha256(body).hexdigest()
            start += -(-len(body) // 4096) * 4096 + 4096
    return want


def _free(image: Path) -> tuple[list[tuple[int, int]], int]:
    with open_evidence([image]) as evidence:
        filesystem, space = Device(evidence, carve=True).filesystems
        assert isinstance(space, UnallocatedSpace)
        return list(free_ranges(space._filesystem, evidence)), filesystem.block_size


def _carved(image: Path) -> dict[int, str]:
    with open_evidence([image]) as evidence:
        *_, space = Device(evidence, carve=True).filesystems
        return {
            e.extents[0].offset: hashlib.sha256(space.content(e.locator).read(0, e.size)).hexdigest()
            for e in space.entries()
        }


def test_free_space_of_xfs_is_what_its_own_program_calls_free(tmp_path: Path) -> None:
    """Lost pictures on a network store would not be looked for."""
    image = tmp_path / "x.img"
    subprocess.run(["mkfs.xfs", "-q", "-d", f"file,name={image},size=320m"], check=True, capture_output=True)
    dump = subprocess.run(["xfs_db", "-f", "-r", "-c", "freesp -d", image], check=True, capture_output=True, text=True)
    said = sorted(tuple(map(int, line.split())) for line in dump.stdout.splitlines() if re.fullmatch(r"[\s\d]+", line))
    ranges, _ = _free(image)
    with image.open("rb") as stream:
        per = int.from_bytes(stream.read(88)[84:], "big")
    found = sorted((at // 4096 // per, at // 4096 % per, size // 4096) for at, size in ranges)
    joined = [row for row in said if row[2] > 4]  # The rest is kept for the trees themselves.
    assert joined and set(joined) <= set(found)
    start, _ = max(ranges, key=lambda r: r[1])
    want = _plant(image, start + 8192)
    assert _carved(image) == want


def test_free_space_of_hfs_is_what_the_sleuth_kit_calls_free(images: Path, tmp_path: Path) -> None:
    """Lost pictures on an older Mac would not be looked for."""
    image = tmp_path / "h.raw"
    image.write_bytes((images / "hfsplus.raw").read_bytes())
    ranges, _ = _free(image)
    raw = image.read_bytes()
    unused = subprocess.run(["blkls", "-A", image], check=True, capture_output=True).stdout
    assert b"".join(raw[a : a + n] for a, n in ranges) == unused
    start, _ = max(ranges, key=lambda r: r[1])
    want = _plant(image, start + 4096)
    assert _carved(image) == want


def test_free_space_of_apfs_is_what_its_space_manager_says(images: Path, tmp_path: Path) -> None:
    """Lost pictures on a Mac would not be looked for."""
    image = tmp_path / "a.raw"
    image.write_bytes((images / "apfs.raw").read_bytes())
    ranges, _ = _free(image)
    raw = image.read_bytes()
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        base = next(v.offset for v in device.volumes if v.kind == "volume")
        taken = [(x.offset, x.offset + x.size) for e in device.filesystems[0].entries() for x in e.extents]
    manager = max(
        (raw[at : at + 4096] for at in range(base, len(raw) - 4095, 4096) if raw[at + 24 : at + 26] == b"\x05\0"),
        key=lambda block: int.from_bytes(block[16:24], "little"),
    )
    total, said = (int.from_bytes(manager[at : at + 8], "little") for at in (48, 72))
    assert sum(size for _, size in ranges) == said * 4096 and said < total
    assert taken and all(b <= a or a + n <= s for a, n in ranges for s, b in taken), "it overlaps a live file"
    start, _ = max(ranges, key=lambda r: r[1])
    want = _plant(image, start + 65536)
    assert _carved(image) == want
    fresh = tmp_path / "m.img"
    subprocess.run(["truncate", "-s", "300M", fresh], check=True)
    subprocess.run(["mkapfs", fresh], check=True, capture_output=True)
    ranges, _ = _free(fresh)
    assert 250 << 20 < sum(size for _, size in ranges) < 300 << 20, "several chunks of bitmaps"


def test_free_space_of_udf_is_what_its_own_program_calls_free(tmp_path: Path) -> None:
    """Lost pictures on a rewritable disc would not be looked for."""
    image = tmp_path / "u.img"
    subprocess.run(["truncate", "-s", "24M", image], check=True)
    subprocess.run(["mkudffs", "-b", "2048", image], check=True, capture_output=True)
    said = subprocess.run(["udfinfo", image], check=True, capture_output=True, text=True).stdout
    ranges, block = _free(image)
    assert sum(size for _, size in ranges) == int(re.search(r"freeblocks=(\d+)", said)[1]) * block
    start, _ = max(ranges, key=lambda r: r[1])
    want = _plant(image, start + 4096)
    assert _carved(image) == want


def test_books_that_are_damaged_are_named(images: Path, tmp_path: Path) -> None:
    """Free space would be passed over in silence."""
    image = tmp_path / "a.raw"
    body = bytearray((images / "apfs.raw").read_bytes())
    for at in range(0, len(body) - 4095, 4096):
        if body[at + 24 : at + 26] == b"\x05\0" and body[at + 26 : at + 28] == b"\0\x80":
            body[at + 2000] ^= 1
    image.write_bytes(body)
    with open_evidence([image]) as evidence:
        *_, space = Device(evidence, carve=True).filesystems
        assert not list(space.entries())
        assert "space manager" in space.unread[0].reason


def test_what_a_deleted_record_still_leads_to_is_not_listed_twice(demo_devices: dict[str, DiskImage]) -> None:
    """Every deleted picture would be two findings."""
    for image in demo_devices.values():
        device = Device(open_evidence([image.path]), carve=True)
        for filesystem, space in zip(device.filesystems[::2], device.filesystems[1::2], strict=True):
            places = {e.extents[0].offset for e in filesystem.entries() if len(e.extents) == 1 and not e.allocated}
            assert not places & {e.extents[0].offset for e in space.entries()}
