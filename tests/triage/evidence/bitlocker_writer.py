"""A BitLocker volume of Windows 10 (AES-XTS of 128 bits), for tests: layout by libbde's documentation."""

from __future__ import annotations

import functools
import hashlib
import struct
import zlib
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

FVEK, MASTER = bytes(range(32)), bytes(range(100, 132))
PASSWORD, RECOVERY = "synthetic demo password", "-".join(f"{n:06d}" for n in (11, 22, 33, 44, 55, 66, 77, 110))
HEADER_SECTORS = 16
_IDENTITY = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")


@functools.cache
def stretch(secret: bytes, salt: bytes) -> bytes:
    """The key that a password or recovery key gives: SHA-256 a million times over."""
    first, last = hashlib.sha256(secret).digest(), bytes(32)
    for number in range(0x100000):
        last = hashlib.sha256(last + first + salt + number.to_bytes(8, "little")).digest()
    return last


def _entry(kind: int, value: int, body: bytes) -> bytes:
    return struct.pack("<HHHH", 8 + len(body), kind, value, 1) + body


def _sealed(kind: int, key: bytes, counter: int, method: int, secret: bytes) -> bytes:
    """A key, encrypted by another with AES-CCM."""
    nonce = struct.pack("<QI", 0x01D9_0000_0000_0000, counter)
    packed = AESCCM(key, tag_length=16).encrypt(nonce, _entry(0, 1, struct.pack("<I", method) + secret), None)
    return _entry(kind, 5, nonce + packed[-16:] + packed[:-16])


def bitlocker(plain: bytes, encrypt: Callable[[bytes, bytes, int], bytes], *, size: int, method: int = 0x8004) -> bytes:
    """A volume of `size` bytes that holds the file system `plain`.

    Args:
        plain: must end before the last 512 KiB, where BitLocker keeps its own blocks.
        encrypt: AES-XTS of whole sectors: (key, bytes, number of the first sector).
        size: bytes of the volume.
        method: 0x8004 for AES-XTS of 128 bits, 0x8003 for AES-CBC of 256 bits.
    """
    first = size - (512 << 10)
    places, backup = [first, first + (128 << 10), first + (256 << 10)], first + (400 << 10)
    assert len(plain) <= first
    disk = bytearray(encrypt(FVEK, plain.ljust(size, b"\0"), 0))
    head = plain[: HEADER_SECTORS * 512]
    disk[backup : backup + len(head)] = encrypt(FVEK, head, backup // 512)
    secrets = {
        0x2000: hashlib.sha256(PASSWORD.encode("utf-16-le")).digest(),
        0x0800: b"".join(struct.pack("<H", int(group) // 11) for group in RECOVERY.split("-")),
    }
    entries = _entry(7, 2, "SYNTHETIC\0".encode("utf-16-le"))
    for number, (kind, secret) in enumerate(secrets.items()):
        salt = bytes([number + 1]) * 16
        key = stretch(secret, salt)
        body = bytes([number + 7]) * 16 + struct.pack("<QHH", 0x01D9_0000_0000_0000, 0, kind)
        body += _entry(0, 3, struct.pack("<I", 0x1000) + salt + _sealed(0, key, 10 + number, 0x2002, bytes(32)))
        entries += _entry(2, 8, body + _sealed(0, key, 20 + number, 0x2003, MASTER))
    entries += _sealed(3, MASTER, 30, method, FVEK)
    entries += _entry(15, 15, struct.pack("<QQ", backup, len(head)))
    length = 48 + len(entries)
    block = struct.pack(
        "<8sHHHHQII4Q", b"-FVE-FS-", -(-(64 + length) // 16), 2, 4, 4, size, 0, HEADER_SECTORS, *places, backup
    )
    block += struct.pack("<IIII16sIIQ", length, 1, 48, length, bytes([9]) * 16, 40, method, 0x01D9_0000_0000_0000)
    block = (block + entries).ljust(-(-(64 + length) // 16) * 16, b"\0")
    block += struct.pack("<HHI", 8, 1, zlib.crc32(block))
    for place in places:
        disk[place : place + (64 << 10)] = block.ljust(64 << 10, b"\0")
    boot = bytearray(HEADER_SECTORS * 512)
    boot[:13] = b"\xeb\x58\x90-FVE-FS-" + struct.pack("<H", 512)
    boot[13] = 8
    boot[160:176] = _IDENTITY
    struct.pack_into("<3Q", boot, 176, *places)
    boot[510:512] = b"\x55\xaa"
    disk[:512] = boot[:512]
    return bytes(disk)
