"""APFS through libyal: live files with the bytes that the same files have in the HFS+ twin of the image."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from tests.triage.evidence.reading import read_all

from safelight.triage.evidence import Device, open_evidence


def test_apfs_files_are_read_and_the_lack_of_deleted_ones_is_said(images: Path) -> None:
    """A Mac's disk would be unread, or its deleted files silently left out."""
    with open_evidence([images / "apfs.raw"]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        found = {e.path: e for e in filesystem.entries()}
        assert set(found) >= {"passwords.txt", "a_directory/a_file", "a_directory/another_file"}
        entry = found["passwords.txt"]
        body = filesystem.content(entry.locator).read(0, entry.size)
        assert entry.size == len(body) == 116
        assert evidence.read(entry.extents[0].offset, 116) == body, "extents are offsets on the media"
    with open_evidence([images / "hfsplus.raw"]) as twin:
        (other,) = Device(twin).filesystems
        same = next(e for e in other.entries() if e.path == "passwords.txt")
        twin_body = other.content(same.locator).read(0, same.size)
    assert hashlib.sha256(body).digest() == hashlib.sha256(twin_body).digest()
    assert any("Deleted files" in note for note in filesystem.notes)


def test_apfs_is_what_seven_zip_reads(images: Path, tmp_path: Path) -> None:
    """A second program's listing, resource forks included, and the volume's own count: nothing is left out."""
    out = tmp_path / "out"
    subprocess.run(["7zz", "x", "-tapfs", f"-o{out}", images / "apfs.raw"], check=True, capture_output=True)
    truth = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file() and not p.is_symlink()}
    with open_evidence([images / "apfs.raw"]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        found = {p: s.body for p, s in read_all(filesystem).items()}
        fork = truth.pop("a_directory/a_resourcefork:com.apple.ResourceFork")
        assert found.pop("a_directory/a_resourcefork:rsrc") == fork == b"My resource fork\n"
        assert truth.pop("a_directory/a_file:myxattr") == b"My extended attribute"  # Not a stream of content.
        assert found == truth and len(truth) == 7
        assert filesystem.expected == filesystem.found == 10
        assert "volume superblock" in filesystem.expected_from


def test_snapshots_of_apfs_are_named_as_not_read(images: Path, tmp_path: Path) -> None:
    """Older states of a volume would be passed over in silence."""
    body = bytearray((images / "apfs.raw").read_bytes())
    for at in range(0, len(body) - 4095, 4096):
        if body[at + 32 : at + 36] == b"APSB":
            body[at + 216] = 2
            words = [int.from_bytes(body[at + n : at + n + 4], "little") for n in range(8, 4096, 4)]
            one = two = 0
            for word in words:
                one = (one + word) % 0xFFFFFFFF
                two = (two + one) % 0xFFFFFFFF
            low = 0xFFFFFFFF - (one + two) % 0xFFFFFFFF
            high = 0xFFFFFFFF - (one + low) % 0xFFFFFFFF
            body[at : at + 8] = low.to_bytes(4, "little") + high.to_bytes(4, "little")
    (tmp_path / "a.raw").write_bytes(body)
    with open_evidence([tmp_path / "a.raw"]) as evidence:
        (part,) = Device(evidence).unread_now()
        assert "snapshots" in part.what and "2 older states" in part.reason
