"""Sectors that are encrypted one by one with AES, many at a time: XTS (IEEE 1619) and CBC, as dm-crypt numbers them.

The tweaks of all sectors are made in one go and laid over the data with numpy, so that a large read costs two passes of
plain AES instead of one cipher set-up for each sector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence

_IV = 512  # dm-crypt counts in these, whatever the sector's size.
_MOST = 1 << 20
#: Decrypts whole sectors: (bytes, number of the first one in units of 512 bytes) to bytes.
Decrypt = Callable[[bytes, int], bytes]


def sector_cipher(name: str, key: bytes, sector: int) -> Decrypt:
    """How sectors are decrypted.

    Args:
        name: as cryptsetup spells it: `aes-xts-plain64`, `aes-xts-plain`, `aes-cbc-plain64`, `aes-cbc-plain`,
            `aes-cbc-essiv:sha256`, `aes-cbc-eboiv` (BitLocker's).
        key: for XTS both keys one after the other.
        sector: bytes of a sector, a multiple of 512.

    Raises:
        EvidenceError: a cipher that is not known, or a key of the wrong length.
    """
    cipher, _, rest = name.partition("-")
    mode, _, iv = rest.partition("-")
    halves = 2 if mode == "xts" else 1
    if cipher != "aes" or (mode, iv) not in _KNOWN:
        raise EvidenceError(f"encrypted with {name[:40]!r}, a cipher that this version does not know")
    if len(key) // halves not in (16, 24, 32) or sector % _IV or not _IV <= sector <= 4096:
        raise EvidenceError("its header gives a key or sector of impossible length")
    narrow = iv == "plain"

    def numbers(first: int, count: int) -> bytes:
        rows = np.zeros((count, 2), "<u8")
        rows[:, 0] = np.arange(count, dtype=np.uint64) * np.uint64(sector // _IV) + np.uint64(first & (1 << 64) - 1)
        if narrow:
            rows[:, 0] &= np.uint64(0xFFFFFFFF)
        return rows.tobytes()

    if mode == "xts":
        half = len(key) // 2
        data, tweak = _ecb(key[:half]), _ecb(key[half:])

        def xts(raw: bytes, first: int) -> bytes:
            mask = _xts_masks(tweak.encryptor().update(numbers(first, len(raw) // sector)), sector // 16)
            block = np.frombuffer(raw, np.uint64) ^ mask
            return (np.frombuffer(data.decryptor().update(block.tobytes()), np.uint64) ^ mask).tobytes()

        return xts
    plain, hidden = _ecb(key), _ecb(hashlib.sha256(key).digest())

    def cbc(raw: bytes, first: int) -> bytes:
        count = len(raw) // sector
        ivs = numbers(first, count)
        if iv.startswith("essiv"):
            ivs = hidden.encryptor().update(ivs)
        elif iv == "eboiv":  # The place in bytes, encrypted with the key itself.
            ivs = plain.encryptor().update((np.frombuffer(ivs, "<u8") * np.uint64(_IV)).tobytes())
        before = np.empty((count, sector // 8), np.uint64)
        before[:, :2] = np.frombuffer(ivs, np.uint64).reshape(-1, 2)
        before[:, 2:] = np.frombuffer(raw, np.uint64).reshape(count, -1)[:, :-2]
        clear = np.frombuffer(plain.decryptor().update(raw), np.uint64).reshape(count, -1)
        return (clear ^ before).tobytes()

    return cbc


_KNOWN = {
    ("xts", "plain64"),
    ("xts", "plain"),
    ("cbc", "plain64"),
    ("cbc", "plain"),
    ("cbc", "essiv:sha256"),
    ("cbc", "eboiv"),
}


def _ecb(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - a building block of XTS and CBC, see above


def _xts_masks(tweaks: bytes, blocks: int) -> npt.NDArray[np.uint64]:
    """The mask of each 16-byte block: the sector's tweak, doubled in GF(2^128) from block to block."""
    now = np.frombuffer(tweaks, "<u8").reshape(-1, 2).copy()
    low, high = now[:, 0], now[:, 1]
    masks = np.empty((len(now), blocks, 2), np.uint64)
    one, top = np.uint64(1), np.uint64(63)
    for at in range(blocks):
        masks[:, at, 0], masks[:, at, 1] = low, high
        carry = high >> top
        high = high << one | low >> top
        low = low << one ^ carry * np.uint64(0x87)
    return masks.reshape(-1)


class CryptEvidence(Evidence):
    """The clear bytes of an encrypted run of sectors.

    Args:
        kind: the encryption in words.
        outer: the medium below.
        offset: where the encrypted run begins on it.
        size: bytes of the run; a rest that is no whole sector is left out.
        sector: bytes that are encrypted as one.
        decrypt: see `sector_cipher`.
        first: the number of the first sector, in units of 512 bytes.
    """

    def __init__(
        self, kind: str, outer: Evidence, offset: int, size: int, sector: int, decrypt: Decrypt, first: int
    ) -> None:
        super().__init__(outer.parts, size // sector * sector)
        self.format = kind
        self._outer, self._offset, self._sector, self._decrypt, self._first = outer, offset, sector, decrypt, first

    def _read(self, offset: int, length: int) -> bytes:
        if length > _MOST:
            return b"".join(self._read(offset + a, min(_MOST, length - a)) for a in range(0, length, _MOST))
        sector = self._sector
        start = offset // sector * sector
        end = min(-(-(offset + length) // sector) * sector, self.size)
        raw = self._outer.read(self._offset + start, end - start)
        if len(raw) < end - start:
            self.missing.add(start + len(raw) // sector * sector, end, f"the {self.format} volume ends early")
            raw = raw.ljust(end - start, b"\0")
        clear = self._decrypt(raw, self._first + start // _IV)
        # A sector is decrypted as one, so bytes beside a missing one are lost with it.
        lost = self._outer.missing.within(self._offset + start, self._offset + end)
        for left, right, why in list(lost):
            a = (left - self._offset) // sector * sector
            b = min(-(-(right - self._offset) // sector) * sector, self.size)
            self.missing.add(a, b, why)
            clear = clear[: max(0, a - start)] + bytes(min(b, end) - max(a, start)) + clear[min(b, end) - start :]
        return clear[offset - start : offset - start + length]
