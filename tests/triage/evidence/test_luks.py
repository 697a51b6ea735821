"""LUKS made by cryptsetup: every bit as it was with the key, a named part without it, whatever its header claims."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pyluksde
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.triage.evidence.reading import read_all
from tests.triage.evidence.test_layers import FILES, luks, plain

from safelight.errors import EvidenceError
from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.keys import read_keys
from safelight.triage.evidence.luks import open_luks

__all__ = ["plain"]  # The fixture.


class Memory(Evidence):
    """Bytes as a medium."""

    def __init__(self, body: bytes) -> None:
        super().__init__((), len(body))
        self.body = body

    def _read(self, offset: int, length: int) -> bytes:
        return self.body[offset : offset + length]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("luks1", {}),
        ("luks1", {"cipher": "aes-cbc-essiv:sha256"}),
        ("luks2", {"sector": 4096, "pbkdf": "argon2id"}),
        ("luks2", {"pbkdf": "argon2i"}),
        ("luks2", {"secret": bytes(range(256))}),
    ],
)
def test_luks_is_read_bit_for_bit_with_its_key(tmp_path: Path, plain: bytes, kind: str, options: dict) -> None:
    """A device whose owner gave the password, or a key file of random bytes, would stay closed."""
    device = luks(tmp_path, kind, plain, **options)
    with open_evidence([device]) as evidence:
        opened = Device(evidence, keys=read_keys([str(tmp_path / "pw")]))
        assert not opened.unread_now()
        (filesystem,) = opened.filesystems
        found = read_all(filesystem)
        assert {p: s.body for p, s in found.items() if s.entry.size} == FILES
        assert filesystem.type == "ext4 in LUKS" and "key that was given" in opened.problems[0].what
        assert not any(s.entry.extents for s in found.values()), "places on the layer are none on the device"
        clear = open_luks(evidence, 0, evidence.size, read_keys([str(tmp_path / "pw")]))
        assert clear.read(0, clear.size) == plain
        assert clear.read(12_345, 70_000) == plain[12_345:82_345], "reads that begin and end inside sectors"
        if kind == "luks1":
            other = pyluksde.volume()
            other.open(str(device))
            other.set_password((tmp_path / "pw").read_text())
            assert other.unlock() and other.read_buffer_at_offset(len(plain), 0) == plain


def test_without_the_right_key_it_is_an_unread_part(tmp_path: Path, plain: bytes) -> None:
    """An encrypted volume is a finding, never a silence."""
    (tmp_path / "wrong").write_text("not the password\n")
    for kind in ("luks1", "luks2"):
        device = luks(tmp_path, kind, plain)
        for files, words in (([], "no key was given"), ([str(tmp_path / "wrong")], "no key that was given opens it")):
            with open_evidence([device]) as evidence:
                (part,) = Device(evidence, keys=read_keys(files)).unread_now()
                assert words in part.reason and part.size == evidence.size


def test_a_damaged_first_header_leaves_the_second(tmp_path: Path, plain: bytes) -> None:
    """One bad sector at the start of the disk would lose all of it."""
    device = luks(tmp_path, "luks2", plain)
    with device.open("r+b") as out:
        out.seek(4096)
        out.write(b"damage")
    with open_evidence([device]) as evidence:
        clear = open_luks(evidence, 0, evidence.size, read_keys([str(tmp_path / "pw")]))
        assert clear.read(0, clear.size) == plain
    with device.open("r+b") as out:
        out.seek(0x4000 + 4096)
        out.write(b"damage")
    with open_evidence([device]) as evidence, pytest.raises(EvidenceError, match="neither copy"):
        open_luks(evidence, 0, evidence.size, read_keys([str(tmp_path / "pw")]))


def _with_json(device: Path, change: dict) -> Memory:
    """The device with one value of its key slot changed, and a checksum that fits."""
    raw = bytearray(device.read_bytes())
    for at in (0, 0x4000):
        said = json.loads(raw[at + 4096 : at + 0x4000].split(b"\0")[0])
        said["keyslots"]["0"]["kdf"].update(change)
        raw[at + 4096 : at + 0x4000] = json.dumps(said).encode().ljust(0x4000 - 4096, b"\0")
        raw[at + 448 : at + 512] = bytes(64)
        raw[at + 448 : at + 480] = hashlib.sha256(raw[at : at + 0x4000]).digest()
    return Memory(bytes(raw))


def test_a_header_that_asks_for_endless_work_is_refused(tmp_path: Path, plain: bytes) -> None:
    """One exhibit could hold a workstation for years."""
    device = luks(tmp_path, "luks2", plain, pbkdf="argon2id")
    keys = read_keys([str(tmp_path / "pw")])
    for change in ({"time": 1 << 40}, {"memory": 1 << 40}, {"type": "scrypt"}):
        with pytest.raises(EvidenceError, match="costs too much"):
            open_luks(_with_json(device, change), 0, device.stat().st_size, keys)


def test_bad_sectors_under_encryption_are_not_read_as_bytes(tmp_path: Path, plain: bytes) -> None:
    """What decrypts from missing sectors is noise, and would be hashed as the file."""
    device = luks(tmp_path, "luks2", plain)
    with open_evidence([device]) as evidence:
        base = evidence.size - len(plain)
        at = plain.index(FILES["DCIM/a.bin"][:64])
        evidence.missing.add(base + at + 8192, base + at + 8704, "bad sector")
        (filesystem,) = Device(evidence, keys=read_keys([str(tmp_path / "pw")])).filesystems
        holes = read_all(filesystem)["DCIM/a.bin"].holes
        assert holes == [(8192, 9216, "bad sector")], "to the block of the file system"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 16_383), change=st.binary(min_size=1, max_size=40))
def test_no_header_brings_the_reader_down(tmp_path_factory: pytest.TempPathFactory, at: int, change: bytes) -> None:
    """A crafted header would end the run with a traceback."""
    body = bytearray(_SEED.setdefault("body", _seed(tmp_path_factory)))
    body[at : at + len(change)] = change[: 16_384 - at]
    if body[:8] == b"LUKS\xba\xbe\0\2":
        body[448:512] = bytes(64)
        body[448:480] = hashlib.sha256(body[:0x4000]).digest()
    try:
        open_luks(Memory(bytes(body)), 0, len(body), read_keys([str(_SEED["pw"])]))
    except EvidenceError as error:
        assert "LUKS" in error.what or "encrypted with" in error.what or "impossible" in error.what


_SEED: dict = {}


def _seed(factory: pytest.TempPathFactory) -> bytes:
    folder = factory.mktemp("luks")
    device = luks(folder, "luks2", bytes(4096))
    _SEED["pw"] = folder / "pw"
    return device.read_bytes()[:0x48000] + struct.pack("<Q", 0)
