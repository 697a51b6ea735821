"""What an image is, by content; which files belong to it; and clear words for what is no image."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from safelight.errors import EvidenceError
from safelight.triage.evidence import Device, expand_parts, open_evidence


def test_a_text_file_called_e01_is_named_as_text(tmp_path: Path) -> None:
    """A wrong file would be triaged as an empty device."""
    path = tmp_path / "exhibit.E01"
    path.write_text("This is a note, not an image.\n" * 50)
    with open_evidence([path]) as evidence, pytest.raises(EvidenceError, match=r"not a forensic image.*\.E01.*text"):
        Device(evidence)


def test_bogus_001_is_not_an_image(images: Path) -> None:
    """A file of noise would pass as a device in which nothing was listed."""
    with open_evidence([images / "bogus.001"]) as evidence, pytest.raises(EvidenceError, match="not a forensic image"):
        Device(evidence)


def test_type_is_told_by_content_not_by_name(images: Path, tmp_path: Path) -> None:
    """A renamed image would not open, or open as the wrong thing."""
    for name, kind in (
        ("ext2.E01", "E01"),
        ("ext2.qcow2", "QCOW2"),
        ("hfsplus_zlib.dmg", "DMG"),
        ("image.vhd", "VHD or VHDX"),
    ):
        copy = tmp_path / f"{name}.bin"
        shutil.copyfile(images / name, copy)
        with open_evidence([copy]) as evidence:
            assert evidence.format == kind


def test_a_raw_image_under_a_containers_name_is_read_and_said(images: Path, tmp_path: Path) -> None:
    """An image with the wrong ending would be refused, or the wrong ending would stay unnoticed."""
    copy = tmp_path / "disk.E01"
    shutil.copyfile(images / "hfsplus.raw", copy)
    with open_evidence([copy]) as evidence:
        assert evidence.format == "raw"
        assert "does not hold that format" in evidence.problems[0].what


def test_a_later_part_asks_for_the_first(images: Path) -> None:
    """Half a device would be triaged as if it were all of it."""
    with pytest.raises(EvidenceError, match=r"part 2.*first part"):
        open_evidence([images / "ext2.split.E02"])


def test_brothers_of_a_first_part_are_found(images: Path, tmp_path: Path) -> None:
    """Every part would have to be typed, and a forgotten one would be lost."""
    assert [p.name for p in expand_parts(images / "ext2.split.E01")] == ["ext2.split.E01", "ext2.split.E02"]
    for n in (1, 2, 3):
        (tmp_path / f"disk.{n:03d}").write_bytes(bytes([n]) * 512)
    assert [p.name for p in expand_parts(tmp_path / "disk.001")] == ["disk.001", "disk.002", "disk.003"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"PK\x03\x04" + bytes(26) + b"container.description" + bytes(600), "AFF4"),
        (b"EVF2\x0d\x0a\x81\x00" + bytes(600), "Ex01"),
        (b"LVF\x09\x0d\x0a\xff\x00" + bytes(600), "L01"),
        (b"Rar!\x1a\x07" + bytes(600), "RAR"),
        (b"", "empty"),
    ],
)
def test_what_is_not_read_yet_is_named_with_a_way_out(tmp_path: Path, body: bytes, words: str) -> None:
    """A user would see a fault instead of what to do."""
    path = tmp_path / "x.bin"
    path.write_bytes(body)
    with pytest.raises(EvidenceError, match=words) as caught:
        open_evidence([path])
    assert caught.value.fix


def test_missing_file_and_device_node(tmp_path: Path) -> None:
    """A typing error, or the workstation's own disk, must be refused in words."""
    with pytest.raises(EvidenceError, match="no file"):
        open_evidence([tmp_path / "none.E01"])
    with pytest.raises(EvidenceError, match="not a regular file"):
        open_evidence([Path("/dev/null")])
