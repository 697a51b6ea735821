"""LUKS volumes of versions 1 and 2, opened with a key that is given.

Layouts: LUKS1 On-Disk Format Specification 1.2.3 and LUKS2 On-Disk Format Specification 1.1 (C. Fruhwirth, M. Broz).
Everything in a header comes from the evidence: costs of key derivation are bounded, and what is not known is named.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.keys import Key
from safelight.triage.evidence.sectors import CryptEvidence, sector_cipher

_MAGIC, _SECOND = b"LUKS\xba\xbe", b"SKUL\xba\xbe"
#: The sizes that a header of version 2 may have, and so the places of its second copy (specification, table 1).
_PLACES = tuple(0x4000 << n for n in range(9))
_MOST_ROUNDS = 1 << 28
_MOST_MEMORY = 4 << 20  # KiB, the most that cryptsetup itself allows.
_MOST_KEY_AREA = 8 << 20
_HASHES = {"sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"}


@dataclass(frozen=True, slots=True)
class _Slot:
    """One key slot: how a key becomes the volume key."""

    kdf: dict[str, Any]
    cipher: str
    area: int
    area_key: int
    key_size: int
    stripes: int
    hash: str


@dataclass(frozen=True, slots=True)
class _Header:
    version: int
    slots: list[_Slot]
    digests: list[dict[str, Any]]
    cipher: str
    sector: int
    offset: int
    size: int | None
    first: int


def open_luks(evidence: Evidence, offset: int, size: int, keys: Sequence[Key]) -> CryptEvidence:
    """The clear bytes of a LUKS volume.

    Raises:
        EvidenceError: no key, the wrong ones, a damaged header, or a layout that is not known.
    """
    if not keys:
        raise EvidenceError("LUKS encryption, no key was given")
    try:
        header = _read_header(evidence, offset)
    except (KeyError, TypeError, ValueError, struct.error, binascii.Error, AttributeError):
        raise EvidenceError("LUKS encryption, and its header is damaged") from None
    key, trouble = _volume_key(evidence, offset, header, keys)
    if key is None:
        raise EvidenceError(f"LUKS encryption, and no key that was given opens it{trouble}")
    decrypt = sector_cipher(header.cipher, key, header.sector)
    length = size - header.offset if header.size is None else min(header.size, size - header.offset)
    if length <= 0:
        raise EvidenceError("LUKS encryption, and the image ends before its data")
    return CryptEvidence("LUKS", evidence, offset + header.offset, length, header.sector, decrypt, header.first)


# -- headers ---------------------------------------------------------------------------------------------------------


def _read_header(evidence: Evidence, offset: int) -> _Header:
    if evidence.read(offset, 8) == _MAGIC + b"\0\1":
        return _version_1(evidence.read(offset, 592))
    best: tuple[int, dict[str, Any]] | None = None
    for at, magic in ((0, _MAGIC), *((place, _SECOND) for place in _PLACES)):
        found = _version_2(evidence, offset + at, magic)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    if best is None:
        raise EvidenceError("LUKS encryption, and neither copy of its header is whole")
    return _from_json(best[1])


def _word(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("ascii")


def _version_1(raw: bytes) -> _Header:
    name, mode, digest = _word(raw[8:40]), _word(raw[40:72]), _word(raw[72:104])
    payload, size = struct.unpack_from(">II", raw, 104)
    cipher = f"{name}-{mode}"
    slots = []
    for number in range(8):
        active, rounds, salt, area, stripes = struct.unpack_from(">II32sII", raw, 208 + number * 48)
        if active == 0x00AC71F3:
            kdf = {"type": "pbkdf2", "hash": digest, "iterations": rounds, "salt": salt}
            slots.append(_Slot(kdf, cipher, area * 512, size, size, stripes, digest))
    rounds = struct.unpack_from(">I", raw, 164)[0]
    check = {"hash": digest, "iterations": rounds, "salt": raw[132:164], "digest": raw[112:132]}
    return _Header(1, slots, [check], cipher, 512, payload * 512, None, 0)


def _version_2(evidence: Evidence, at: int, magic: bytes) -> tuple[int, dict[str, Any]] | None:
    head = evidence.read(at, 4096)
    if len(head) < 4096 or head[:8] != magic + b"\0\2":
        return None
    size, sequence = struct.unpack_from(">QQ", head, 8)
    if size not in _PLACES:
        return None
    whole = bytearray(evidence.read(at, size))
    said, name = bytes(whole[448:512]), _word(head[72:104])
    whole[448:512] = bytes(64)
    if name not in _HASHES or not hmac.compare_digest(hashlib.new(name, whole).digest().ljust(64, b"\0"), said):
        return None
    return sequence, json.loads(bytes(whole[4096:]).split(b"\0", 1)[0])


def _from_json(said: dict[str, Any]) -> _Header:
    needs = said["config"].get("requirements", {}).get("mandatory", [])
    if needs:
        raise EvidenceError(f"LUKS encryption that needs {', '.join(map(str, needs))[:80]}, unknown to this version")
    segments = said["segments"]
    if len(segments) != 1:
        raise EvidenceError("LUKS encryption whose re-encryption was interrupted, unknown to this version")
    ((number, segment),) = segments.items()
    if segment["type"] != "crypt" or "integrity" in segment:
        raise EvidenceError("LUKS encryption with a segment type that is unknown to this version")
    digests = [d for d in said["digests"].values() if d["type"] == "pbkdf2" and number in d["segments"]]
    wanted = {slot for digest in digests for slot in digest["keyslots"]}
    slots = [
        _Slot(
            {**row["kdf"], "salt": base64.b64decode(row["kdf"]["salt"])},
            row["area"]["encryption"],
            int(row["area"]["offset"]),
            int(row["area"]["key_size"]),
            int(row["key_size"]),
            int(row["af"]["stripes"]),
            row["af"]["hash"],
        )
        for name, row in sorted(said["keyslots"].items())
        if name in wanted and row["type"] == "luks2" and row["area"]["type"] == "raw" and row["af"]["type"] == "luks1"
    ]
    checks = [
        {**d, "salt": base64.b64decode(d["salt"]), "digest": base64.b64decode(d["digest"])} for d in digests
    ]  # fmt: skip
    size = None if segment["size"] == "dynamic" else int(segment["size"])
    return _Header(
        2, slots, checks, segment["encryption"], int(segment["sector_size"]), int(segment["offset"]), size,
        int(segment["iv_tweak"]),
    )  # fmt: skip


# -- keys ------------------------------------------------------------------------------------------------------------


def _volume_key(evidence: Evidence, offset: int, header: _Header, keys: Sequence[Key]) -> tuple[bytes | None, str]:
    trouble = "" if header.slots else " (its header has no key slot in use)"
    for secret in dict.fromkeys(key.secret() for key in keys):
        for slot in header.slots:
            try:
                key = _unlock(evidence, offset, slot, secret)
            except MemoryError:
                cost = int(slot.kdf.get("memory", 0)) >> 10
                trouble = f" (trying one takes {cost:,} MiB of memory, more than allowed)"
                continue
            except (EvidenceError, KeyError, TypeError, ValueError) as error:
                trouble = f" ({error.what})" if isinstance(error, EvidenceError) else " (a key slot is damaged)"
                continue
            if any(_fits(key, check) for check in header.digests):
                return key, ""
    return None, trouble


def _fits(key: bytes, check: dict[str, Any]) -> bool:
    said = check["digest"]
    return hmac.compare_digest(_pbkdf2(check, key, len(said)), said)


def _pbkdf2(said: dict[str, Any], secret: bytes, length: int) -> bytes:
    name, rounds = said["hash"], int(said["iterations"])
    if name not in _HASHES or name not in hashlib.algorithms_available or not 0 < rounds <= _MOST_ROUNDS:
        raise EvidenceError(f"its key derivation ({str(name)[:20]}, {rounds:,} rounds) is unknown to this version")
    return hashlib.pbkdf2_hmac(name, secret, said["salt"], rounds, length)


def _unlock(evidence: Evidence, offset: int, slot: _Slot, secret: bytes) -> bytes:
    """What the slot holds, if `secret` is its key; else noise."""
    length = slot.key_size * slot.stripes
    if not 0 < length <= _MOST_KEY_AREA or slot.hash not in _HASHES:
        raise EvidenceError("its key slot has an impossible size")
    derived = _derive(slot, secret)
    area = evidence.read(offset + slot.area, -(-length // 512) * 512)
    split = sector_cipher(slot.cipher, derived, 512)(area, 0)[:length]
    return _merge(split, slot.key_size, slot.stripes, slot.hash)


def _derive(slot: _Slot, secret: bytes) -> bytes:
    kind = slot.kdf["type"]
    if kind == "pbkdf2":
        return _pbkdf2(slot.kdf, secret, slot.area_key)
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    types = {"argon2i": Type.I, "argon2id": Type.ID}
    time, memory, lanes = int(slot.kdf["time"]), int(slot.kdf["memory"]), int(slot.kdf["cpus"])
    if kind not in types or not 0 < memory <= _MOST_MEMORY or not 0 < time * memory <= _MOST_ROUNDS:
        raise EvidenceError(f"its key derivation ({str(kind)[:20]}) is unknown to this version, or costs too much")
    try:
        return hash_secret_raw(secret, slot.kdf["salt"], time, memory, lanes, slot.area_key, types[kind])
    except HashingError:
        raise MemoryError from None


def _merge(split: bytes, size: int, stripes: int, name: str) -> bytes:
    """The anti-forensic splitter of LUKS1, specification 2.4, backwards."""
    block = bytes(size)
    for at in range(0, size * stripes, size):
        block = (int.from_bytes(block) ^ int.from_bytes(split[at : at + size])).to_bytes(size)
        if at < size * (stripes - 1):
            width = hashlib.new(name).digest_size
            block = b"".join(
                hashlib.new(name, struct.pack(">I", n) + block[i : i + width]).digest()[: size - i]
                for n, i in enumerate(range(0, size, width))
            )
    return block
