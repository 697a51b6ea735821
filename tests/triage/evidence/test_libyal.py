"""APFS through libyal: live files with the bytes that the same files have in the HFS+ twin of the image."""

from __future__ import annotations

import hashlib
from pathlib import Path

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
