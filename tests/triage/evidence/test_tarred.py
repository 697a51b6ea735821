"""Tar archives: written by GNU tar, cut short, damaged."""

from __future__ import annotations

import io
import os
import random
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.triage.evidence.reading import read_device

FILES = {
    "small.txt": b"hello",
    "large.bin": random.Random(5).randbytes(1_500_000),
    "deep/" * 40 + "leaf.bin": b"a path longer than a header holds",
    "ünï/x.bin": b"accents",
    "empty": b"",
}


def tree(root: Path) -> Path:
    for name, body in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(body)
    os.symlink("small.txt", root / "link")
    os.link(root / "small.txt", root / "zz-hard")
    return root


@pytest.mark.parametrize("flags", ["-c --format=gnu", "-c --format=pax", "-c --format=ustar", "-cz", "-cj", "-cJ"])
def test_what_gnu_tar_wrote_is_read_bit_for_bit(tmp_path: Path, flags: str) -> None:
    """A phone extraction as a tar would lose files with long names, or read them wrongly."""
    root = tree(tmp_path / "root")
    out = tmp_path / "x.tar"
    subprocess.run(["tar", *flags.split(), "-f", str(out), "-C", str(root), "--sort=name", "."], check=True)
    found, unread = read_device(out)
    assert {p: s.body for p, s in found.items()} == FILES and not unread


def test_a_tar_that_was_cut_names_the_member(tmp_path: Path) -> None:
    """Files behind the cut would be missing without a word."""
    root = tree(tmp_path / "root")
    out = tmp_path / "x.tar"
    subprocess.run(["tar", "-cf", str(out), "-C", str(root), "small.txt", "large.bin", "empty"], check=True)
    os.truncate(out, 1_000_000)
    found, _ = read_device(out)
    assert found["small.txt"].body == b"hello"
    assert "cut short" in found["large.bin"].entry.notes[0]


@pytest.mark.parametrize("ending", ["gz", "xz"])
def test_a_compressed_tar_that_was_cut_says_where(tmp_path: Path, ending: str) -> None:
    """Files behind the cut would be missing without a word."""
    root = tree(tmp_path / "root")
    out = tmp_path / f"x.tar.{ending}"
    subprocess.run(["tar", "-caf", str(out), "-C", str(root), "small.txt", "large.bin", "empty"], check=True)
    os.truncate(out, out.stat().st_size // 2)
    found, unread = read_device(out)
    assert found["small.txt"].body == b"hello"
    assert unread or any("cut short" in n for s in found.values() for n in s.entry.notes)


def test_a_damaged_header_and_bytes_behind_the_end_are_named(tmp_path: Path) -> None:
    """What lies behind a damaged header, or behind the end, would be passed over in silence."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name in ("a", "b", "c"):
            info = tarfile.TarInfo(name)
            info.size = 600
            archive.addfile(info, io.BytesIO(name.encode() * 600))
    raw = bytearray(body.getvalue())
    raw[1536 + 10] ^= 0xFF
    (tmp_path / "d.tar").write_bytes(raw)
    found, unread = read_device(tmp_path / "d.tar")
    assert list(found) == ["a"] and "damaged" in unread[0].reason
    (tmp_path / "t.tar").write_bytes(body.getvalue() + b"hidden" * 100)
    found, unread = read_device(tmp_path / "t.tar")
    assert list(found) == ["a", "b", "c"] and "behind the end" in unread[0].reason
