"""A folder of files: what is in it and nothing else of this computer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from safelight.errors import EvidenceError
from safelight.triage.evidence import Device, open_evidence


def test_links_are_not_followed_and_files_are_read_once(tmp_path: Path) -> None:
    """A link in an export could pull in the workstation's own files."""
    root = tmp_path / "export"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.txt").write_bytes(b"inside")
    os.link(root / "sub" / "a.txt", root / "b.txt")
    (root / "out").symlink_to("/etc")
    (root / "file").symlink_to("/etc/passwd")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe")
    with open_evidence([root]) as evidence:
        (files,) = Device(evidence).filesystems
        entries = list(files.entries())
        assert len(entries) == 1
        assert files.content(entries[0].locator).read(0, 100) == b"inside"
        assert files.other == 4
        with pytest.raises(EvidenceError):
            files.content(b"../secret".hex())
        with pytest.raises(EvidenceError):
            files.content(b"out/passwd".hex())


@pytest.mark.parametrize("name", ["/", "/proc", "/dev", "/sys/kernel"])
def test_the_computers_own_system_is_no_evidence(name: str) -> None:
    """A slip of the finger would triage the workstation."""
    with pytest.raises(EvidenceError, match="own system"):
        open_evidence([Path(name)])


def test_a_terabyte_of_nothing_is_not_read_and_not_lost(tmp_path: Path) -> None:
    """One hole made with one command would hold up a device for hours."""
    with (tmp_path / "hole.raw").open("wb") as stream:
        stream.truncate(1 << 40)
    with (tmp_path / "almost.raw").open("wb") as stream:
        stream.truncate(3 << 20)
        stream.seek(2 << 20)
        stream.write(b"here")
    with open_evidence([tmp_path]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        found = {e.path: e for e in filesystem.entries()}
        assert found["hole.raw"].sparse and found["hole.raw"].size == 1 << 40
        assert not found["almost.raw"].sparse
