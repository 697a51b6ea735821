"""7z archives: solid, encrypted, cut short."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import py7zr
import pytest
from tests.triage.evidence.reading import read_device

FILES = {
    "a.txt": b"text " * 100_000,
    "b/random.bin": random.Random(6).randbytes(2_000_000),
    "c/last.txt": b"the last of a solid folder",
    "empty": b"",
}
FILTERS = {
    "default": None,
    "lzma": [{"id": py7zr.FILTER_LZMA}],
    "zstd": [{"id": py7zr.FILTER_ZSTD}],
    "ppmd": [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 24}],
    "bzip2": [{"id": py7zr.FILTER_BZIP2}],
    "copy": [{"id": py7zr.FILTER_COPY}],
}


def make(path: Path, **options: object) -> Path:
    with py7zr.SevenZipFile(path, "w", **options) as archive:  # type: ignore[arg-type]
        for name, body in FILES.items():
            archive.writestr(body, name)
    return path


@pytest.mark.parametrize("packing", FILTERS)
def test_every_packing_gives_the_same_bytes(tmp_path: Path, packing: str) -> None:
    """A picture packed in an unusual way would never be matched."""
    found, unread = read_device(make(tmp_path / "x.7z", filters=FILTERS[packing]))
    assert {p: s.body for p, s in found.items()} == FILES and not unread
    assert not any(s.holes for s in found.values())


def test_encrypted_archives_are_named(tmp_path: Path) -> None:
    """An encrypted member would pass as read."""
    found, _ = read_device(make(tmp_path / "e.7z", password="demo"))
    assert all("encrypted" in s.entry.notes[0] for p, s in found.items() if s.entry.size)
    found, unread = read_device(make(tmp_path / "h.7z", password="demo", header_encryption=True))
    assert not found and "encrypted" in unread[0].reason


def test_a_cut_archive_and_a_flipped_bit_are_named(tmp_path: Path) -> None:
    """Damaged bytes would be given out as the file's own."""
    raw = bytearray(make(tmp_path / "x.7z").read_bytes())
    (tmp_path / "cut.7z").write_bytes(raw[: len(raw) // 2])
    found, unread = read_device(tmp_path / "cut.7z")
    assert not found and "cut short" in unread[0].reason
    raw[1_000_000] ^= 0x55
    (tmp_path / "bad.7z").write_bytes(raw)
    found, _ = read_device(tmp_path / "bad.7z")
    assert found["b/random.bin"].holes


def test_what_seven_zip_itself_encrypted_is_named(tmp_path: Path) -> None:
    """A locked archive is a finding, never a silence."""
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) * 4000)
    command = ["7zz", "a", "-t7z", "-pdemo", tmp_path / "x.7z", tmp_path / "a.bin"]
    subprocess.run(command, check=True, capture_output=True)
    found, _ = read_device(tmp_path / "x.7z")
    assert "encrypted" in found["a.bin"].entry.notes[0] and found["a.bin"].body is None
