"""BitLocker volumes with AES-XTS or plain AES-CBC, opened with a password or recovery key, whatever lies in them.

libbde opens a volume only if NTFS is in it; USB sticks hold FAT or exFAT. Startup keys and the Elephant diffuser of
Windows Vista and 7 are left to libbde. Layout: libbde's documentation of the BitLocker Drive Encryption format.
"""

from __future__ import annotations

import bisect
import hashlib
import struct
from collections.abc import Iterator, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.keys import Key
from safelight.triage.evidence.sectors import CryptEvidence, sector_cipher

_MARK = b"-FVE-FS-"
_IDENTITY = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
_BOOKS = 64 << 10
_ROUNDS = 0x100000
_PASSWORD, _RECOVERY = 0x2000, 0x0800
_MASTER, _VOLUME_KEY, _HEADER = (2, 8), (3, 5), (15, 15)
_STRETCH, _SEALED = 3, 5
_CIPHERS = {
    0x8002: ("aes-cbc-eboiv", 16), 0x8003: ("aes-cbc-eboiv", 32),
    0x8004: ("aes-xts-plain64", 32), 0x8005: ("aes-xts-plain64", 64),
}  # fmt: skip


class BitLockerEvidence(Evidence):
    """The clear volume: its first sectors from where BitLocker keeps them, zeros where it keeps its own books."""

    format = "BitLocker"

    def __init__(self, parts: Sequence[tuple[int, Evidence | None, int]], outer: Evidence, size: int) -> None:
        super().__init__(outer.parts, size)
        self._parts = list(parts)  # (start, source, offset in it), in order; None: zeros.
        self._starts = [start for start, _, _ in parts]

    def _read(self, offset: int, length: int) -> bytes:
        pieces = []
        while length:
            number = bisect.bisect_right(self._starts, offset) - 1
            start, source, at = self._parts[number]
            end = self._starts[number + 1] if number + 1 < len(self._starts) else self.size
            take = min(length, end - offset)
            if source is None:
                pieces.append(bytes(take))
            else:
                place = at + offset - start
                data = source.read(place, take)
                if len(data) < take:
                    self.missing.add(offset + len(data), offset + take, "the BitLocker volume ends early")
                for left, right, why in source.missing.within(place, place + take):
                    self.missing.add(offset + left - place, offset + right - place, why)
                pieces.append(data.ljust(take, b"\0"))
            offset += take
            length -= take
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def open_own(evidence: Evidence, offset: int, size: int, keys: Sequence[Key]) -> BitLockerEvidence | None:
    """The clear volume; None where this reader does not know its kind, or no key that it knows fits."""
    try:
        return _open(evidence, offset, size, keys)
    except (struct.error, ValueError, EvidenceError):
        return None


def _open(evidence: Evidence, offset: int, size: int, keys: Sequence[Key]) -> BitLockerEvidence | None:
    boot = evidence.read(offset, 512)
    at = next((n for n in (160, 424) if boot[n : n + 16] == _IDENTITY), None)
    if at is None or struct.unpack_from("<H", boot, 11)[0] != 512:
        return None
    places = struct.unpack_from("<3Q", boot, at + 16)
    head, entries, master = b"", list[tuple[int, int, bytes]](), None
    for place in places:
        raw = evidence.read(offset + place, _BOOKS) if place + _BOOKS <= size else b""
        if raw[:8] != _MARK or struct.unpack_from("<H", raw, 10)[0] != 2 or evidence.missing.overlaps(
            offset + place, offset + place + _BOOKS
        ):  # fmt: skip
            continue
        head = raw
        entries = list(_entries(raw[64 + 48 : 64 + min(struct.unpack_from("<I", raw, 64)[0], _BOOKS - 64)]))
        break
    if not head:
        return None
    method = struct.unpack_from("<I", head, 64 + 36)[0] & 0xFFFF
    backup = next((struct.unpack_from("<QQ", body) for kind, value, body in entries if (kind, value) == _HEADER), None)
    if method not in _CIPHERS or backup is None:
        return None
    master = _master(entries, keys)
    sealed = next((body for kind, value, body in entries if (kind, value) == _VOLUME_KEY), b"")
    key = _unseal(master, sealed) if master is not None else None
    name, length = _CIPHERS[method]
    if key is None or len(key) < length:
        return None
    decrypt = sector_cipher(name, key[:length], 512)
    covered = min(struct.unpack_from("<Q", head, 16)[0] or size, size) // 512 * 512
    body = CryptEvidence("BitLocker", evidence, offset, covered, 512, decrypt, 0)
    first = CryptEvidence("BitLocker", evidence, offset + backup[0], backup[1], 512, decrypt, backup[0] // 512)
    holes = sorted([*((place, place + _BOOKS) for place in places), (backup[0], backup[0] + backup[1])])
    parts: list[tuple[int, Evidence | None, int]] = [(0, first, 0), (backup[1], body, backup[1])]
    for left, right in holes:
        if not parts[-1][0] <= left < right <= size:
            raise ValueError("its own blocks overlap")
        parts += [(left, None, 0), (right, body, right)]
    if covered < size:  # Encryption was interrupted: the rest is clear.
        parts = [row for row in parts if row[0] < covered] + [(covered, evidence, offset + covered)]
    return BitLockerEvidence(parts, evidence, size // 512 * 512)


def _entries(raw: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, value type, body) of the entries in a run of them."""
    at = 0
    while at + 8 <= len(raw):
        size, kind, value = struct.unpack_from("<HHH", raw, at)
        if size < 8 or at + size > len(raw):
            return
        yield kind, value, raw[at + 8 : at + size]
        at += size


def _master(entries: list[tuple[int, int, bytes]], keys: Sequence[Key]) -> bytes | None:
    for kind, value, body in entries:
        if (kind, value) != _MASTER:
            continue
        protection = struct.unpack_from("<H", body, 26)[0]
        inner = {v: b for _, v, b in _entries(body[28:])}
        if protection not in (_PASSWORD, _RECOVERY) or not {_STRETCH, _SEALED} <= inner.keys():
            continue
        for key in keys:
            secret = _secret(key, protection)
            if secret is not None:
                found = _unseal(_stretched(secret, inner[_STRETCH][4:20]), inner[_SEALED])
                if found is not None:
                    return found[:32]
    return None


def _secret(key: Key, protection: int) -> bytes | None:
    if key.text is None:
        return None
    if protection == _PASSWORD:
        return None if key.is_recovery else hashlib.sha256(key.text.encode("utf-16-le")).digest()
    groups = [int(group) for group in key.text.split("-")] if key.is_recovery else []
    if not groups or any(group % 11 or group // 11 > 0xFFFF for group in groups):
        return None
    return struct.pack("<8H", *(group // 11 for group in groups))


def _stretched(secret: bytes, salt: bytes) -> bytes:
    """SHA-256 a million times over, as BitLocker makes a key of a password."""
    first, last = hashlib.sha256(secret).digest(), bytes(32)
    rest = first + salt
    sha256 = hashlib.sha256
    for number in range(_ROUNDS):
        last = sha256(last + rest + number.to_bytes(8, "little")).digest()
    return last


def _unseal(key: bytes, sealed: bytes) -> bytes | None:
    """The key inside an entry that is encrypted with AES-CCM; None where `key` is not the right one."""
    if len(sealed) < 12 + 16 + 12:
        return None
    try:
        clear = AESCCM(key, tag_length=16).decrypt(sealed[:12], sealed[28:] + sealed[12:28], None)
    except InvalidTag:
        return None
    return clear[12:]
