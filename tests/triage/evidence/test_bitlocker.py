"""BitLocker volumes written here, which cryptsetup and libbde open too: every bit with a key, a named part without."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

import pybde
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.triage.evidence import bitlocker_writer as writer
from tests.triage.evidence.reading import read_all

from safelight.triage.evidence import Device, bitlocker, open_evidence
from safelight.triage.evidence.keys import Key, read_keys
from safelight.triage.evidence.layers import open_bitlocker

BODY = bytes(range(256)) * 500
SIZE = 4 << 20


def xts(key: bytes, body: bytes, first: int) -> bytes:
    """AES-XTS, each sector with its number."""
    out = bytearray()
    for number, at in enumerate(range(0, len(body), 512)):
        tweak = (first + number).to_bytes(16, "little")
        out += Cipher(algorithms.AES(key), modes.XTS(tweak)).encryptor().update(body[at : at + 512])
    return bytes(out)


def cbc(key: bytes, body: bytes, first: int) -> bytes:
    """AES-CBC, the place of each sector in bytes encrypted with the key as its first block."""
    ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    out = bytearray()
    for number, at in enumerate(range(0, len(body), 512)):
        start = ecb.update(((first + number) * 512).to_bytes(16, "little"))
        out += Cipher(algorithms.AES(key), modes.CBC(start)).encryptor().update(body[at : at + 512])
    return bytes(out)


def _plain(folder: Path, kind: str) -> bytes:
    image = folder / f"{kind}.img"
    subprocess.run(["truncate", "-s", "3M", image], check=True)
    (folder / "a.bin").write_bytes(BODY)
    if kind == "NTFS":
        subprocess.run(["mkntfs", "-F", "-q", "-Q", image], check=True, capture_output=True)
        subprocess.run(["ntfscp", image, folder / "a.bin", "a.bin"], check=True, capture_output=True)
    else:
        subprocess.run(["mkfs.vfat", image], check=True, capture_output=True)
        subprocess.run(["mcopy", "-i", image, folder / "a.bin", "::a.bin"], check=True)
    return image.read_bytes()


@pytest.fixture(autouse=True)
def stretched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key is stretched once for all tests: it takes a second by design."""
    monkeypatch.setattr(bitlocker, "_stretched", _CACHED)


_CACHED = functools.cache(bitlocker._stretched)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, bytes]]:
    """A BitLocker volume with NTFS and one with FAT, and what is in them."""
    folder = tmp_path_factory.mktemp("bitlocker")
    made = {}
    for kind in ("NTFS", "FAT"):
        plain = _plain(folder, kind)
        path = folder / f"{kind}.bitlocker"
        path.write_bytes(writer.bitlocker(plain, xts, size=SIZE))
        made[kind] = (path, plain)
    (folder / "password").write_text(writer.PASSWORD)
    (folder / "recovery").write_text(f"not the password\n{writer.RECOVERY}\n")
    return made


def test_cryptsetup_opens_what_the_tests_write(volumes: dict[str, tuple[Path, bytes]]) -> None:
    """The reader would be held against a layout that only the tests know."""
    path, _ = volumes["NTFS"]
    done = subprocess.run(
        ["cryptsetup", "bitlkDump", "-q", "--dump-volume-key", "--key-file", path.parent / "password", path],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert bytes.fromhex("".join(done.stdout.split("MK dump:")[1].split())) == writer.FVEK


@pytest.mark.parametrize(("kind", "key"), [("NTFS", "password"), ("NTFS", "recovery"), ("FAT", "recovery")])
def test_a_volume_is_read_bit_for_bit_with_its_key(volumes: dict[str, tuple[Path, bytes]], kind: str, key: str) -> None:
    """The computer or stick of a suspect who gave the password would stay closed."""
    path, plain = volumes[kind]
    with open_evidence([path]) as evidence:
        device = Device(evidence, keys=read_keys([str(path.parent / key)]))
        (filesystem,) = device.filesystems
        found = {p: s.body for p, s in read_all(filesystem).items() if not p.startswith("$")}
        assert found == {"a.bin": BODY} and not device.unread_now()
        assert filesystem.type.endswith(" in BitLocker") and "key that was given" in device.problems[0].what


def test_every_byte_is_as_it_was_and_as_libbde_reads_it(volumes: dict[str, tuple[Path, bytes]]) -> None:
    """The first sectors, which BitLocker keeps elsewhere, would be taken for encrypted ones."""
    path, plain = volumes["NTFS"]
    with open_evidence([path]) as evidence:
        clear = bitlocker.open_own(evidence, 0, evidence.size, [Key(text=writer.PASSWORD)])
        assert clear is not None and clear.read(0, len(plain)) == plain
        assert clear.read(8000, 70_000) == plain[8000:78_000]
        assert not clear.read(SIZE - (512 << 10), 64 << 10).strip(b"\0"), "its own books are no content"
        evidence.missing.add(4096 + (1 << 20), 4096 + (1 << 20) + 512, "bad sector")
        clear.read(0, clear.size)
        assert list(clear.missing) == [(4096 + (1 << 20), 4096 + (1 << 20) + 512, "bad sector")]
    other = pybde.volume()
    other.set_password(writer.PASSWORD)
    other.open(str(path))
    assert other.read_buffer_at_offset(len(plain), 0) == plain


def test_the_cbc_of_older_windows_is_read_as_libbde_reads_it(
    volumes: dict[str, tuple[Path, bytes]], tmp_path: Path
) -> None:
    """Sticks that were encrypted in compatible mode would stay closed."""
    plain = volumes["NTFS"][1]
    path = tmp_path / "cbc"
    path.write_bytes(writer.bitlocker(plain, cbc, size=SIZE, method=0x8003))
    other = pybde.volume()
    other.set_password(writer.PASSWORD)
    other.open(str(path))
    assert other.read_buffer_at_offset(len(plain), 0) == plain
    with open_evidence([path]) as evidence:
        clear = bitlocker.open_own(evidence, 0, evidence.size, [Key(text=writer.PASSWORD)])
        assert clear is not None and clear.read(0, len(plain)) == plain


def test_libbde_is_asked_where_our_reader_does_not_know_the_kind(
    volumes: dict[str, tuple[Path, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Volumes of Windows 7 would stay closed."""
    path, plain = volumes["NTFS"]
    monkeypatch.setattr(bitlocker, "_CIPHERS", {})
    with open_evidence([path]) as evidence:
        clear = open_bitlocker(evidence, 0, evidence.size, [Key(text=writer.RECOVERY)])
        assert clear.read(0, len(plain)) == plain


def test_a_damaged_first_copy_of_the_books_leaves_the_others(
    volumes: dict[str, tuple[Path, bytes]], tmp_path: Path
) -> None:
    """One bad sector would lose the volume."""
    path, plain = volumes["FAT"]
    body = bytearray(path.read_bytes())
    body[SIZE - (512 << 10) : SIZE - (512 << 10) + 512] = bytes(512)
    (tmp_path / "b").write_bytes(body)
    with open_evidence([tmp_path / "b"]) as evidence:
        clear = bitlocker.open_own(evidence, 0, evidence.size, [Key(text=writer.PASSWORD)])
        assert clear is not None and clear.read(0, len(plain)) == plain


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 700), change=st.binary(min_size=1, max_size=8))
def test_no_books_bring_the_reader_down(
    volumes: dict[str, tuple[Path, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, change: bytes
) -> None:
    """A crafted stick would end the run with a traceback."""
    monkeypatch.setattr(bitlocker, "_stretched", lambda secret, salt: bytes(32))
    body = bytearray(volumes["FAT"][0].read_bytes())
    for number in range(3):
        place = SIZE - (512 << 10) + number * (128 << 10) + at
        body[place : place + len(change)] = change
    (tmp_path / "b").write_bytes(body)
    with open_evidence([tmp_path / "b"]) as evidence:
        assert bitlocker.open_own(evidence, 0, evidence.size, [Key(text=writer.PASSWORD)]) is None
