"""Virtual disks: the same media from every container, and no way from a header to other files of this computer."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from safelight.errors import EvidenceError
from safelight.triage.evidence import open_evidence


def test_one_file_system_in_four_containers_is_the_same_media(images: Path) -> None:
    """A container would be read wrongly."""
    digests = {}
    for name in ("ext2.E01", "ext2.split.E01", "ext2.qcow2", "ext2.vmdk"):
        with open_evidence([images / name]) as evidence:
            digests[name] = hashlib.md5(evidence.read(0, evidence.size)).hexdigest()
            assert not evidence.unread()
    assert len(set(digests.values())) == 1, digests
    assert digests["ext2.E01"] == "196066add11fb71c4c49cf1bb50d6d24"


def test_a_qcow2_overlay_is_refused_and_its_parent_never_opened(images: Path, tmp_path: Path) -> None:
    """An image could make the tool read the workstation's own disk as evidence."""
    body = bytearray((images / "ext2.qcow2").read_bytes())
    secret = tmp_path / "secret.raw"
    secret.write_bytes(b"not evidence" * 1000)
    name = str(secret).encode()
    body[400 : 400 + len(name)] = name
    struct.pack_into(">QI", body, 8, 400, len(name))
    (tmp_path / "a.qcow2").write_bytes(body)
    with pytest.raises(EvidenceError, match="overlay|cannot be opened"):
        open_evidence([tmp_path / "a.qcow2"])


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside.bin", "/dev/sda"])
def test_a_vmdk_cannot_name_files_elsewhere(tmp_path: Path, name: str) -> None:
    """A descriptor could name any file of this computer as a piece of the exhibit."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    (tmp_path / "outside.bin").write_bytes(bytes(1 << 20))
    descriptor = (
        '# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="twoGbMaxExtentFlat"\n'
        f'# Extent description\nRW 1024 FLAT "{name}" 0\nRW 1024 FLAT "{name}" 0\n# The Disk Data Base\n#DDB\n'
    )
    (folder / "a.vmdk").write_text(descriptor)
    with pytest.raises(EvidenceError):
        open_evidence([folder / "a.vmdk"])


def test_a_cut_vhd_or_qcow2_reads_on_and_lists_the_rest(images: Path, tmp_path: Path) -> None:
    """A truncated virtual disk would give zeros as if they were real."""
    body = (images / "windows_volume.qcow2").read_bytes()
    (tmp_path / "a.qcow2").write_bytes(body[: len(body) // 2])
    with open_evidence([tmp_path / "a.qcow2"]) as evidence:
        evidence.read(0, evidence.size)
        assert evidence.unread()


def test_a_header_that_claims_an_impossible_size_is_refused(images: Path, tmp_path: Path) -> None:
    """A run would take years."""
    body = bytearray((images / "ext2.qcow2").read_bytes())
    struct.pack_into(">Q", body, 24, 1 << 60)
    (tmp_path / "a.qcow2").write_bytes(body)
    with pytest.raises(EvidenceError):
        open_evidence([tmp_path / "a.qcow2"])
