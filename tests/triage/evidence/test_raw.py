"""Raw and split raw images: the same bytes whatever the parts, a lost part is listed, and nothing is ever written."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.triage.evidence import Device, open_evidence


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    folder = tmp_path_factory.mktemp("split")
    body = os.urandom(10_000)
    for n, at in enumerate(range(0, len(body), 3000), 1):
        (folder / f"disk.{n:03d}").write_bytes(body[at : at + 3000])
    return folder / "disk.001", body


@settings(max_examples=60)
@given(offset=st.integers(0, 11_000), length=st.integers(0, 11_000))
def test_split_parts_read_as_one(split: tuple[Path, bytes], offset: int, length: int) -> None:
    """Bytes at the seams of parts would be wrong."""
    first, body = split
    with open_evidence([first]) as evidence:
        assert evidence.size == len(body)
        assert evidence.read(offset, length) == body[offset : offset + length]


def test_a_missing_middle_part_is_listed_and_the_rest_is_read(tmp_path: Path) -> None:
    """A lost part would shift everything behind it, in silence."""
    for n in (1, 2, 4):
        (tmp_path / f"d.{n:03d}").write_bytes(bytes([n]) * 1000)
    with open_evidence([tmp_path / "d.001"]) as evidence:
        assert evidence.size == 4000
        assert evidence.read(3000, 5) == b"\x04" * 5
        assert [(p.offset, p.size) for p in evidence.unread()] == [(2000, 1000)]
        assert "d.003 is missing" in evidence.unread()[0].reason


def test_reading_changes_neither_bytes_nor_times(images: Path, tmp_path: Path) -> None:
    """Evidence that was changed by being looked at is no evidence."""
    before = {}
    for path in images.iterdir():
        info = path.stat()
        before[path] = (hashlib.sha256(path.read_bytes()).hexdigest(), info.st_mtime_ns, info.st_ctime_ns, info.st_size)
    for name in ("ext2.split.E01", "windows_volume.qcow2", "ext2.vmdk", "image.vhd", "hfsplus_zlib.dmg", "apfs.raw"):
        with open_evidence([images / name]) as evidence:
            for filesystem in Device(evidence).filesystems:
                for entry in filesystem.entries():
                    if entry.readable:
                        filesystem.content(entry.locator).read(0, 4096)
    for path, (digest, mtime, ctime, size) in before.items():
        info = path.stat()
        assert (info.st_mtime_ns, info.st_ctime_ns, info.st_size) == (mtime, ctime, size)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_a_write_protected_image_in_a_write_protected_folder_opens(tmp_path: Path) -> None:
    """An image on a read-only mount could not be triaged."""
    folder = tmp_path / "ro"
    folder.mkdir()
    (folder / "a.dd").write_bytes(bytes(2 << 20))
    (folder / "a.dd").chmod(0o400)
    folder.chmod(0o500)
    with open_evidence([folder / "a.dd"]) as evidence:
        assert evidence.read(0, 4) == bytes(4)
    folder.chmod(0o700)
