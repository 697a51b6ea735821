"""A folder of the exchange as the case work publishes it, made by hand for tests of the engine alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from safelight.exchange.banks import CHANGES, MANIFEST, append_changes
from safelight.exchange.files import write_json
from safelight.exchange.keys import SCOPES, NewKey, new_key
from safelight.matching.entry import HashSetEntry
from safelight.matching.hashset import HashSet

SECRET = "ab" * 32


def real_codes(count: int, seed: int = 1) -> np.ndarray:
    """(count, 32) uint8: random codes with exactly 128 bits set, as real pictures have."""
    rng = np.random.default_rng(seed)
    bits = np.zeros((count, 256), np.uint8)
    bits[:, :128] = 1
    return np.packbits(rng.permuted(bits, axis=1), axis=1)


def flipped(code: bytes, rng: np.random.Generator, pairs: int) -> bytes:
    """A code with so many ones and as many zeros turned over: what a changed picture's code looks like."""
    bits = np.unpackbits(np.frombuffer(code, np.uint8))
    places = [rng.choice(np.flatnonzero(bits == value), pairs, replace=False) for value in (0, 1)]
    bits[np.concatenate(places)] ^= 1
    return np.packbits(bits).tobytes()


class Folder:
    """An exchange with one shared hash set, one own bank, and keys."""

    def __init__(self, path: Path, codes: np.ndarray | None = None) -> None:
        self.path = path
        self.keys: list[dict[str, Any]] = []
        self.version = 0
        self.codes = real_codes(50) if codes is None else codes
        entries = [
            HashSetEntry(
                md5=bytes([1]) + i.to_bytes(15),
                sha1=i.to_bytes(20),
                sha256=i.to_bytes(32),
                pdq=code.tobytes(),
                category="A",
            )
            for i, code in enumerate(self.codes)
        ]
        self.hash_set = HashSet.from_entries(entries, name="Synthetic list")
        self.hash_set.save(path / "sets" / self.hash_set.root)
        self.banks = [
            {"number": 1, "name": "NATIONAL", "kind": "hash_set", "root": self.hash_set.root,
             "folder": str(path / "sets" / self.hash_set.root)},
            {"number": 2, "name": "OWN", "kind": "own"},
        ]  # fmt: skip
        (path / CHANGES).touch()
        self.publish()

    def key(self, **fields: Any) -> NewKey:
        made = new_key()
        self.keys.append(
            {
                "number": len(self.keys) + 1, "public_id": made.public_id, "secret_sha256": made.secret_sha256,
                "platform": 1, "name": "Example Social (synthetic)", "scopes": list(SCOPES),
                "expires_at": time.time() + 3600, "per_minute": 100_000, "per_day": 1_000_000, "banks": None,
                "suspended": False, "revoked": False, "cleared_at": 0.0, **fields,
            }
        )  # fmt: skip
        self.publish()
        return made

    def publish(self) -> None:
        self.version += 1
        write_json(self.path / "keys.json", {"keys": self.keys, "fingerprint_secret": SECRET})
        write_json(self.path / MANIFEST, {"version": self.version, "banks": self.banks})

    def add(self, content: int, **signals: bytes) -> None:
        append_changes(
            self.path,
            [{"op": "add", "bank": 2, "content": content, "signals": {k: v.hex() for k, v in signals.items()}}],
        )

    def change(self, op: str, bank: int, content: int) -> None:
        append_changes(self.path, [{"op": op, "bank": bank, "content": content}])
