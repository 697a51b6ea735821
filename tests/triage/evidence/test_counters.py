"""What a file system says of itself is set beside the listing: a listing that came out short is seen."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

import pytest
from tests.triage.evidence.reading import read_all

from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.counters import exfat_entries, fat_entries


def fat(folder: Path, kind: str, count: int = 40) -> Path:
    """A FAT volume made by mkfs.vfat and mtools, with deleted files, long names and a label."""
    image = folder / f"{kind}.img"
    size = {"12": "2M", "16": "16M", "32": "48M"}[kind]
    subprocess.run(["truncate", "-s", size, image], check=True)
    subprocess.run(["mkfs.vfat", "-F", kind, "-n", "SYNTHETIC", image], check=True, capture_output=True)
    subprocess.run(["mmd", "-i", image, "::DCIM", "::DCIM/100 a long name"], check=True)
    (folder / "f").write_bytes(b"synthetic")
    for number in range(count):
        subprocess.run(["mcopy", "-i", image, folder / "f", f"::DCIM/a longer name {number}.jpg"], check=True)
    for number in range(0, count, 4):
        subprocess.run(["mdel", "-i", image, f"::DCIM/a longer name {number}.jpg"], check=True)
    return image


@pytest.mark.parametrize("kind", ["12", "16", "32"])
def test_fat_entries_counted_by_themselves_agree_with_the_listing(tmp_path: Path, kind: str) -> None:
    """FAT keeps no counter: a folder that is listed short would not be noticed."""
    with open_evidence([fat(tmp_path, kind, 12)]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        found = read_all(filesystem)
        record = filesystem.record()
        assert sum(s.entry.allocated for s in found.values()) == 9
        assert record.expected == record.found == 9 + 2 and "live entries of its folders" in record.expected_from


def test_a_folder_whose_entries_the_listing_misses_shows_in_the_numbers(tmp_path: Path) -> None:
    """A damaged folder is listed short, and the report would say 'everything was read'."""
    image = fat(tmp_path, "16", 8)
    body = bytearray(image.read_bytes())
    at = body.index(b"ALONGE~2JPG")
    body[at + 20 : at + 22], body[at + 26 : at + 28] = b"\0\0", struct.pack("<H", 0xFFF0)
    body[at + 28 : at + 32] = struct.pack("<I", 0xFFFFFFF0)
    image.write_bytes(body)
    with open_evidence([image]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        count = sum(1 for e in filesystem.entries() if e.allocated)
        record = filesystem.record()
        assert record.expected is not None and record.found is not None
        assert count == 6 or record.expected != record.found


def test_counting_stops_at_the_end_of_a_folder_and_leaves_out_what_is_no_file() -> None:
    """Stale entries behind the end would make every listing look short."""

    def row(first: int, kind: int) -> bytes:
        return bytes([first]) + b"ELLO   TXT" + bytes([kind]) + bytes(20)

    rows = row(0x41, 0x20) + row(0xE5, 0x20) + row(0x41, 0x0F) + row(0x41, 0x08) + row(0x2E, 0x10) + row(0x42, 0x10)
    assert fat_entries(rows + bytes(32) + row(0x41, 0x20)) == 2
    sets = b"".join(bytes([t]).ljust(32, b"\1") for t in (0x83, 0x81, 0x85, 0xC0, 0xC1, 0x05, 0x85))
    assert exfat_entries(sets + bytes(32) + b"\x85" * 32) == 2


def test_an_iso_says_how_many_folders_it_has(tmp_path: Path) -> None:
    """A disc whose folder is damaged would be listed short in silence."""
    source = tmp_path / "s"
    for name in ("a/b/c", "d", "e"):
        (source / name).mkdir(parents=True)
        (source / name / "f.bin").write_bytes(random.Random(name).randbytes(5000))
    image = tmp_path / "d.iso"
    subprocess.run(["genisoimage", "-quiet", "-J", "-R", "-o", image, source], check=True, capture_output=True)
    with open_evidence([image]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        found = read_all(filesystem)
        assert filesystem.expected == filesystem.found == 6 and "path table" in filesystem.expected_from
        assert {p: s.body for p, s in found.items() if s.entry.size} == {
            f"{name}/f.bin": (source / name / "f.bin").read_bytes() for name in ("a/b/c", "d", "e")
        }
