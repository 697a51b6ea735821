"""Encrypted volumes: opened with the right key and bit for bit, named without it, the key never told."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from pathlib import Path

import pytest
from Cryptodome.Cipher import AES
from tests.triage.conftest import known_set, make_ext
from tests.triage.evidence.reading import read_all

from safelight.triage import TriageSettings, triage_device
from safelight.triage.codec import encode
from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.keys import read_keys
from safelight.triage.pipeline import Bench

BODY = random.Random(8).randbytes(400_000)
FILES = {"DCIM/a.bin": BODY, "b.txt": b"hello"}
PASSWORD = "synthetic demo password"


def xts(key: bytes, plain: bytes, sector: int) -> bytes:
    """AES-XTS with the sector's number as its tweak (`aes-xts-plain64`), by IEEE 1619."""
    data, tweaks = AES.new(key[:32], AES.MODE_ECB), AES.new(key[32:], AES.MODE_ECB)
    out = bytearray()
    for number, at in enumerate(range(0, len(plain), sector)):
        tweak = int.from_bytes(tweaks.encrypt((number * sector // 512).to_bytes(16, "little")), "little")
        masks = bytearray()
        for _ in range(sector // 16):
            masks += tweak.to_bytes(16, "little")
            tweak = (tweak << 1) ^ (0x87 | 1 << 128 if tweak >> 127 else 0)
        mask = int.from_bytes(masks, "little")
        block = (int.from_bytes(plain[at : at + sector], "little") ^ mask).to_bytes(sector, "little")
        out += (int.from_bytes(data.encrypt(block), "little") ^ mask).to_bytes(sector, "little")
    return bytes(out)


def cbc_essiv(key: bytes, plain: bytes) -> bytes:
    """AES-CBC of sectors of 512 bytes, numbered by `essiv:sha256`."""
    ivs = AES.new(hashlib.sha256(key).digest(), AES.MODE_ECB)
    return b"".join(
        AES.new(key, AES.MODE_CBC, ivs.encrypt((at // 512).to_bytes(16, "little"))).encrypt(plain[at : at + 512])
        for at in range(0, len(plain), 512)
    )


def luks(
    folder: Path, kind: str, plain: bytes, *, cipher: str = "aes-xts-plain64", sector: int = 512, pbkdf: str = "pbkdf2",
    secret: bytes = PASSWORD.encode(),
) -> Path:  # fmt: skip
    """A LUKS device made by cryptsetup, its content encrypted by the functions above."""
    size = 64 if "xts" in cipher else 32
    key = random.Random(9).randbytes(size)
    (folder / "vk").write_bytes(key)
    (folder / "pw").write_bytes(secret)
    device = folder / f"{kind}.dd"
    with device.open("wb") as out:
        out.truncate((18 << 20) + len(plain))
    options = ["--sector-size", str(sector)] if kind == "luks2" else []
    cost = ["--pbkdf-force-iterations", "1000" if pbkdf == "pbkdf2" else "4"]
    if pbkdf != "pbkdf2":
        cost += ["--pbkdf-memory", "1024", "--pbkdf-parallel", "2"]
    subprocess.run(
        ["cryptsetup", "luksFormat", "-q", "--type", kind, "--master-key-file", folder / "vk", "--key-size",
         str(size * 8), "-c", cipher, "--pbkdf", pbkdf, *cost, *options, device, folder / "pw"],
        check=True, capture_output=True,
    )  # fmt: skip
    dump = subprocess.run(["cryptsetup", "luksDump", device], check=True, capture_output=True, text=True).stdout
    if kind == "luks1":
        offset = 512 * int(dump.split("Payload offset:")[1].split()[0])
    else:
        offset = int(dump.split("offset:")[1].split()[0])
    hidden = xts(key, plain, sector) if "xts" in cipher else cbc_essiv(key, plain)
    with device.open("r+b") as out:
        out.seek(offset)
        out.write(hidden)
        out.truncate(offset + len(plain))
    return device


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file system to hide."""
    return make_ext(tmp_path_factory.mktemp("plain") / "e.img", FILES, size="2M").read_bytes()


def test_a_run_with_a_key_finds_what_is_inside_and_keeps_no_trace_of_the_key(tmp_path: Path, plain: bytes) -> None:
    """The password of a suspect's disk would stand in every report."""
    device = luks(tmp_path, "luks1", plain)
    settings = TriageSettings(keys=(str(tmp_path / "pw"),), picture_workers=1)
    known = known_set(md5=hashlib.md5(BODY).digest())
    with Bench(settings) as bench:
        result = triage_device([device], hash_sets=[known], operator="Demo Examiner", bench=bench)
    assert [f.path for f in result.findings] == ["DCIM/a.bin"]
    text = json.dumps(encode(result)) + repr(settings) + repr(read_keys(settings.keys))
    assert PASSWORD not in text and str(tmp_path / "pw") not in text
    assert "key that was given" in text


def test_bad_sectors_under_encryption_are_not_read_as_bytes(tmp_path: Path, plain: bytes) -> None:
    """What decrypts from missing sectors is noise, and would be hashed as the file."""
    device = luks(tmp_path, "luks1", plain)
    with open_evidence([device]) as evidence:
        base = evidence.size - len(plain)
        at = plain.index(BODY[:64])
        evidence.missing.add(base + at + 8192, base + at + 8704, "bad sector")
        (filesystem,) = Device(evidence, keys=read_keys([str(tmp_path / "pw")])).filesystems
        holes = read_all(filesystem)["DCIM/a.bin"].holes
        assert holes and holes[0][0] <= 8192 < holes[0][1] and "bad sector" in holes[0][2]


def test_bitlocker_without_a_fitting_key_is_named(tmp_path: Path) -> None:
    """A BitLocker volume is a finding, never a silence."""
    (tmp_path / "b.dd").write_bytes(b"\xeb\x58\x90-FVE-FS-" + random.Random(1).randbytes((1 << 20) - 11))
    (tmp_path / "keys").write_text("password\n" + "-".join(["123456"] * 8) + "\n")
    for files, words in (([], "no key was given"), ([str(tmp_path / "keys")], "no key that was given opens it")):
        with open_evidence([tmp_path / "b.dd"]) as evidence:
            (part,) = Device(evidence, keys=read_keys(files)).unread_now()
            assert words in part.reason
