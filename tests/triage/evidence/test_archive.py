"""Archives as evidence: every member with its own bytes, and what is damaged, hidden or hostile named."""

from __future__ import annotations

import hashlib
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.triage.evidence.reading import read_device

from safelight.triage.evidence.archive import spell

SYSLOG = "1247"


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("absolute_paths.tar", {"folder/syslog": 1247, "folder/wtmp.1": 1537}),
        ("absolute_paths.zip", {"folder/syslog": 1247, "folder/wtmp.1": 1537}),
        ("mixed_paths.tar", {"folder/syslog": 1247, "folder/wtmp.1": 1537}),
        ("mixed_paths.zip", {"folder/syslog": 1247, "folder/wtmp.1": 1537}),
        ("with_directory.zip", {"folder/syslog": 1247, "folder/wtmp.1": 1537}),
        ("syslog.tgz", {"syslog": 1247}),
        ("syslog.xz", {"syslog": 1247}),
    ],
)
def test_public_archives_give_their_members(archives: Path, name: str, paths: dict[str, int]) -> None:
    """An archive that others made would be read wrongly or not at all."""
    found, unread = read_device(archives / name)
    assert {path: seen.entry.size for path, seen in found.items()} == paths
    assert not unread
    for path, seen in found.items():
        want = "8b32710e" if path.endswith("syslog") else "5ffe8423"
        assert seen.body is not None and not seen.holes
        assert hashlib.md5(seen.body).hexdigest().startswith(want)


def test_members_agree_with_the_systems_own_tools(archives: Path) -> None:
    """Our own tar and zip readers would differ from everyone else's."""
    for name, command in (
        ("mixed_paths.tar", ["tar", "-xOPf", str(archives / "mixed_paths.tar"), "/folder/syslog"]),
        ("syslog.tgz", ["tar", "-xzOf", str(archives / "syslog.tgz")]),
    ):
        found, _ = read_device(archives / name)
        theirs = subprocess.run(command, check=True, capture_output=True).stdout
        assert any(seen.body == theirs for seen in found.values())


def test_a_corrupt_gzip_gives_what_there_is_and_says_that_more_is_missing(archives: Path) -> None:
    """A damaged file would pass as whole, or what is left of it would be thrown away."""
    found, _ = read_device(archives / "corrupt1.gz")
    (seen,) = found.values()
    assert seen.body is not None and len(seen.body) == seen.entry.size > 2_000_000
    assert "end early" in seen.holes[0][2] and "could be unpacked" in seen.entry.notes[0]
    theirs = subprocess.run(["gzip", "-dc", str(archives / "corrupt1.gz")], capture_output=True).stdout
    assert theirs.startswith(seen.body[: len(theirs)]) or seen.body.startswith(theirs)


@pytest.mark.parametrize("name", ["/etc/passwd", "../../x", "C:\\x", "a/../../b"])
def test_names_that_climb_are_words_below_the_archive(name: str) -> None:
    """A report would show a file of the archive as one of the device."""
    path, notes = spell(name)
    assert not path.startswith("/") and ".." not in path.split("/") and notes


@given(st.text())
def test_any_name_becomes_a_path_that_prints(name: str) -> None:
    """One odd name would break the listing of a whole archive."""
    path, _ = spell(name)
    assert path and path.isprintable() and not path.startswith("/")


def test_bzip2_and_two_gzip_streams_in_a_row(tmp_path: Path) -> None:
    """The second half of a file that was packed in two goes would be lost."""
    import bz2
    import gzip

    one, two = random.Random(1).randbytes(300_000), random.Random(2).randbytes(300_000)
    (tmp_path / "a.bin.bz2").write_bytes(bz2.compress(one) + bz2.compress(two))
    (tmp_path / "b.bin.gz").write_bytes(gzip.compress(one) + gzip.compress(two))
    for name in ("a.bin.bz2", "b.bin.gz"):
        found, unread = read_device(tmp_path / name)
        assert found[name.rsplit(".", 1)[0]].body == one + two and not unread


def test_a_gzip_bomb_is_named_and_not_unpacked(tmp_path: Path) -> None:
    """A few kilobytes would keep the bench busy for hours."""
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    (tmp_path / "b.gz").write_bytes(b"".join(packer.compress(zeros) for _ in range(700)) + packer.flush())
    found, _ = read_device(tmp_path / "b.gz")
    (seen,) = found.values()
    assert not seen.entry.readable and "bomb" in seen.entry.notes[0]
