"""Zip archives, honest and hostile."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest
from tests.triage.evidence.reading import read_device

BODY = random.Random(3).randbytes(3_000_000)
TEXT = b"the quick brown fox " * 50_000


def make(path: Path, method: int, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_method_gives_the_same_bytes(tmp_path: Path, method: int) -> None:
    """A picture packed in an unusual way would never be matched."""
    files = {"a/random.bin": BODY, "text.txt": TEXT, "empty": b"", "ünï.jpg": b"x"}
    found, unread = read_device(make(tmp_path / "x.zip", method, files))
    assert {p: s.body for p, s in found.items()} == files and not unread
    assert not any(s.holes for s in found.values())


def test_a_truncated_zip_is_read_by_its_members_own_headers(tmp_path: Path) -> None:
    """A phone extraction whose copy broke off would give nothing although nearly all of it is there."""
    whole = make(tmp_path / "w.zip", zipfile.ZIP_DEFLATED, {"one.txt": TEXT, "two.bin": BODY, "three.bin": BODY[::-1]})
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:5_000_000])
    found, unread = read_device(cut)
    assert found["one.txt"].body == TEXT and found["two.bin"].body == BODY
    assert "cut short" in found["three.bin"].entry.notes[0] and found["three.bin"].body is None
    assert any("directory is missing" in part.reason for part in unread)


def test_encrypted_members_are_named(tmp_path: Path) -> None:
    """An encrypted member would pass as read."""
    path = make(tmp_path / "e.zip", zipfile.ZIP_STORED, {"secret.jpg": b"s" * 100, "open.jpg": b"o" * 100})
    raw = bytearray(path.read_bytes())
    for at, flag in ((raw.index(b"PK\x03\x04"), 6), (raw.index(b"PK\x01\x02"), 8)):
        raw[at + flag] |= 1
    path.write_bytes(raw)
    found, _ = read_device(path)
    assert not found["secret.jpg"].entry.readable and "encrypted" in found["secret.jpg"].entry.notes[0]
    assert found["open.jpg"].body == b"o" * 100


def test_a_flipped_bit_is_told_by_the_checksum(tmp_path: Path) -> None:
    """Damaged bytes would be given out as the file's own."""
    path = make(tmp_path / "f.zip", zipfile.ZIP_DEFLATED, {"a.bin": BODY})
    raw = bytearray(path.read_bytes())
    raw[1_000_000] ^= 1
    path.write_bytes(raw)
    found, _ = read_device(path)
    (hole,) = found["a.bin"].holes
    assert "checksum" in hole[2] or "damaged" in hole[2]


def test_overlapping_members_are_not_unpacked(tmp_path: Path) -> None:
    """A bomb of overlapping members (42 kB that unpack to petabytes) would bring the run down."""
    path = make(tmp_path / "o.zip", zipfile.ZIP_DEFLATED, {"a.bin": TEXT, "b.bin": TEXT})
    raw = bytearray(path.read_bytes())
    first = raw.index(b"PK\x01\x02")
    second = raw.index(b"PK\x01\x02", first + 4)
    raw[second + 42 : second + 46] = raw[first + 42 : first + 46]
    path.write_bytes(raw)
    found, _ = read_device(path)
    assert found["a.bin"].body == TEXT
    assert "overlaps" in found["b.bin"].entry.notes[0]


def test_a_member_that_claims_gigabytes_is_a_bomb(tmp_path: Path) -> None:
    """A forged size would let one member unpack without end."""
    path = make(tmp_path / "b.zip", zipfile.ZIP_DEFLATED, {"a.bin": bytes(1 << 20)})
    raw = bytearray(path.read_bytes())
    struct.pack_into("<I", raw, raw.index(b"PK\x01\x02") + 24, 4_000_000_000)
    path.write_bytes(raw)
    found, _ = read_device(path)
    assert "bomb" in found["a.bin"].entry.notes[0] and found["a.bin"].body is None


def test_zips_own_tool_agrees(tmp_path: Path) -> None:
    """A streamed archive (sizes behind the data) would be misread."""
    body = io.BytesIO()

    class Unseekable(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            return body.write(data)

    with zipfile.ZipFile(Unseekable(), "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr("a.txt", TEXT)
    (tmp_path / "s.zip").write_bytes(body.getvalue())
    found, unread = read_device(tmp_path / "s.zip")
    assert found["a.txt"].body == TEXT and not unread
    assert (
        subprocess.run(["python3", "-m", "zipfile", "-t", str(tmp_path / "s.zip")], capture_output=True).returncode == 0
    )


@pytest.mark.parametrize("method", ["Deflate64", "BZip2", "LZMA", "Deflate"])
def test_what_seven_zip_packed_is_read_bit_for_bit(tmp_path: Path, method: str) -> None:
    """Windows packs large files with Deflate64; they would stay unread."""
    (tmp_path / "text.txt").write_bytes(TEXT)
    (tmp_path / "random.bin").write_bytes(BODY[:300_000])
    command = ["7zz", "a", "-tzip", f"-mm={method}", tmp_path / "x.zip", tmp_path / "text.txt", tmp_path / "random.bin"]
    subprocess.run(command, check=True, capture_output=True)
    found, unread = read_device(tmp_path / "x.zip")
    assert {p: s.body for p, s in found.items()} == {"text.txt": TEXT, "random.bin": BODY[:300_000]} and not unread


def test_zstandard_members_are_read_bit_for_bit(tmp_path: Path) -> None:
    """Newer programs pack with Zstandard."""
    from backports.zstd import zipfile as newer

    with newer.ZipFile(tmp_path / "x.zip", "w", newer.ZIP_ZSTANDARD) as archive:
        archive.writestr("text.txt", TEXT)
        archive.writestr("random.bin", BODY[:300_000])
    found, unread = read_device(tmp_path / "x.zip")
    assert {p: s.body for p, s in found.items()} == {"text.txt": TEXT, "random.bin": BODY[:300_000]} and not unread


@pytest.mark.parametrize(
    ("options", "words"),
    [(["-pdemo", "-mem=ZipCrypto"], "encrypted"), (["-pdemo", "-mem=AES256"], "encrypted"), (["-mm=PPMd"], "PPMd"),
     (["-mm=xz"], "xz")],
)  # fmt: skip
def test_what_seven_zip_encrypted_or_packed_oddly_is_named(tmp_path: Path, options: list[str], words: str) -> None:
    """A locked archive is a finding, never a silence."""
    (tmp_path / "secret.txt").write_bytes(TEXT)
    subprocess.run(
        ["7zz", "a", "-tzip", *options, tmp_path / "x.zip", tmp_path / "secret.txt"], check=True, capture_output=True
    )
    found, _ = read_device(tmp_path / "x.zip")
    entry = found["secret.txt"].entry
    assert not entry.readable and words in entry.notes[0], entry.notes
