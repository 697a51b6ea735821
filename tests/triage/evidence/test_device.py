"""Volumes, gaps, encryption: everything on the media is either a file system that was listed or a named unread part."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

import pytest
from tests.triage.conftest import make_ext

from safelight.errors import EvidenceError
from safelight.triage.evidence import Device, open_evidence

SECTOR = 512


def mbr(path: Path, parts: list[tuple[int, bytes]], total: int) -> Path:
    """A disk with an MBR and these volumes at these sectors."""
    disk = bytearray(total)
    for slot, (start, body) in enumerate(parts):
        struct.pack_into("<B3xB3xII", disk, 446 + slot * 16, 0x80 if slot == 0 else 0, 0x83, start, len(body) // SECTOR)
        disk[start * SECTOR : start * SECTOR + len(body)] = body
    disk[510:512] = b"\x55\xaa"
    path.write_bytes(disk)
    return path


def test_volumes_gaps_and_encryption_are_all_accounted_for(tmp_path: Path) -> None:
    """A BitLocker volume, or data hidden between volumes, would be passed over in silence."""
    ext = make_ext(tmp_path / "e.img", {"a.txt": b"hello"}, kind="ext2", size="2M").read_bytes()
    locked = b"\xeb\x58\x90-FVE-FS-" + random.Random(1).randbytes((1 << 20) - 11)
    unknown = random.Random(2).randbytes(1 << 20)
    empty = bytes(1 << 20)
    disk = mbr(tmp_path / "d.dd", [(2048, ext), (8192, locked), (12288, unknown), (16384, empty)], 10 << 20)
    with disk.open("r+b") as f:
        f.seek(6144 * SECTOR)
        f.write(b"hidden in the gap")
    with open_evidence([disk]) as evidence:
        device = Device(evidence)
        assert [f.type for f in device.filesystems] == ["ext2"]
        assert [e.path for e in device.filesystems[0].entries() if e.size] == ["a.txt"]
        parts = {(p.offset, p.size): p.reason for p in device.unread_now()}
        assert "BitLocker" in parts[(8192 * SECTOR, 1 << 20)]
        assert "look random" in parts[(12288 * SECTOR, 1 << 20)]
        assert any("no volume" in r and o <= 6144 * SECTOR < o + n for (o, n), r in parts.items())
        assert any("Every byte of this volume is zero" in p.what for p in device.problems)
        assert len(parts) == 3, parts


def test_gaps_unlooked_at_are_unread(tmp_path: Path) -> None:
    """A setting that saves time must not hide what it skipped."""
    ext = make_ext(tmp_path / "e.img", {"a": b"x"}, kind="ext2", size="1M").read_bytes()
    with open_evidence([mbr(tmp_path / "d.dd", [(2048, ext)], 4 << 20)]) as evidence:
        assert all("by the settings" in p.reason for p in Device(evidence, check_gaps=False).unread)


def test_a_disk_cut_inside_a_volume_says_how_much_is_gone(tmp_path: Path) -> None:
    """A copy that ended early would look like a smaller device."""
    ext = make_ext(tmp_path / "e.img", {"a.txt": b"hello"}, kind="ext2", size="4M").read_bytes()
    disk = mbr(tmp_path / "d.dd", [(2048, ext)], 6 << 20)
    os.truncate(disk, 3 << 20)
    with open_evidence([disk]) as evidence:
        parts = [p for p in Device(evidence).unread_now() if p.offset == 3 << 20]
        assert parts and parts[0].size == 2 << 20


def test_a_whole_device_of_noise_is_an_unread_device_and_a_small_file_of_noise_is_a_wrong_file(tmp_path: Path) -> None:
    """An encrypted disk would be an error, or a wrong file would be a device."""
    (tmp_path / "disk.dd").write_bytes(random.Random(5).randbytes(2 << 20))
    with open_evidence([tmp_path / "disk.dd"]) as evidence:
        (part,) = Device(evidence).unread_now()
        assert part.size == 2 << 20 and "look random" in part.reason
    (tmp_path / "note.dd").write_bytes(random.Random(5).randbytes(2000))
    with open_evidence([tmp_path / "note.dd"]) as evidence, pytest.raises(EvidenceError, match="not a forensic image"):
        Device(evidence)


def test_a_luks_device_is_named(tmp_path: Path) -> None:
    """An encrypted volume is a finding, never a silence."""
    (tmp_path / "l.dd").write_bytes(b"LUKS\xba\xbe\x00\x02" + os.urandom(1 << 20))
    with open_evidence([tmp_path / "l.dd"]) as evidence:
        (part,) = Device(evidence).unread_now()
        assert part.reason.startswith("LUKS encryption") and part.offset == 0 and part.size == evidence.size


def test_unknown_images_never_list_the_hosts_own_disk(tmp_path: Path) -> None:
    """The workstation's own files would become evidence (a known trap of another scanner)."""
    (tmp_path / "z.dd").write_bytes(bytes(4 << 20))
    with open_evidence([tmp_path / "z.dd"]) as evidence:
        device = Device(evidence)
        assert device.filesystems == []
        assert any("zero" in p.what for p in device.problems)


def test_both_gpt_copies_are_tables_not_hidden_data(images: Path) -> None:
    """Every healthy GPT disk would be reported as having unread parts."""
    with open_evidence([images / "hfsplus_zlib.dmg"]) as evidence:
        device = Device(evidence)
        assert not device.unread_now()
        assert [v.kind for v in device.volumes].count("volume") == 1
