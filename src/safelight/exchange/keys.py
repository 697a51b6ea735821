"""API keys: 256 random bits shown once and kept as their SHA-256.

A password is slow-hashed because people choose guessable ones; a key of 256 random bits cannot be guessed, so that one
SHA-256 keeps it as safe and costs a look-up nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safelight.exchange.errors import Refused
from safelight.exchange.files import Watched

PREFIX = "slx"
#: What a key may be for, with what people read.
SCOPES = {
    "lookup": "Look up hashes",
    "picture": "Look up pictures by their bytes (hashed in memory, never kept)",
    "distance": "See how near a likeness is (helps tuning, and probing: give it sparingly)",
    "report": "Report what was found and confirm removals",
    "curate": "Add to and withdraw from the force's own banks",
}
_NO_KEY = "This service answers nobody without a key."
_HOW = "Send the header 'Authorization: Bearer slx_...' with the key that the police exchange manager gave you."


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key at the only moment when its secret is known.

    Attributes:
        public_id: what the key is called, also in logs.
        token: the whole of what the platform sends; shown once.
        secret_sha256: hex, what is kept.
    """

    public_id: str
    token: str
    secret_sha256: str


def new_key() -> NewKey:
    """Make a key from the machine's own source of chance."""
    public_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return NewKey(public_id, f"{PREFIX}_{public_id}_{secret}", hashlib.sha256(secret.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Key:
    """One key as the serving process knows it.

    Attributes:
        number: its row in the case work; slots of quota and watch go by it.
        platform: row of the platform; name: what it is called.
        scopes: names of `SCOPES`. banks: numbers of the banks it may ask, None for all.
        expires_at: seconds since 1970. suspended, revoked: it answers nothing.
        cleared_at: when a person last lifted a suspension, seconds since 1970.
        per_minute, per_day: look-ups the platform may make, over all its keys.
    """

    number: int
    public_id: str
    secret_sha256: str
    platform: int
    name: str
    scopes: frozenset[str]
    expires_at: float
    per_minute: int
    per_day: int
    banks: frozenset[int] | None = None
    suspended: bool = False
    revoked: bool = False
    cleared_at: float = 0.0


@dataclass
class KeyRing:
    """The keys in a file that the case work writes; read again when it changes."""

    path: Path
    _keys: dict[str, Key] = field(default_factory=dict)
    fingerprint_secret: bytes = b""

    def __post_init__(self) -> None:
        self._watched = Watched(self.path)

    def refresh(self) -> bool:
        """Read the file again if it changed.

        Raises:
            ExchangeError: it is no key file.
        """
        value = self._watched.changed()
        if value is None:
            return False
        keys = [_key(row) for row in value["keys"]]
        self._keys = {key.public_id: key for key in keys}
        self.fingerprint_secret = bytes.fromhex(value["fingerprint_secret"])
        return True

    def numbers(self) -> set[int]:
        return {key.number for key in self._keys.values()}

    def authenticate(self, token: str, *scopes: str, now: float | None = None) -> Key:
        """The key that a token is, if it may do what `scopes` name.

        Raises:
            Refused: no token, unknown, revoked, expired, suspended (401), or not for this (403).
        """
        if not token:
            raise Refused(_NO_KEY, fix=_HOW, code="no_key", status=401)
        prefix, _, rest = token.partition("_")
        public_id, _, secret = rest.partition("_")
        key = self._keys.get(public_id)
        digest = hashlib.sha256(secret.encode()).hexdigest()
        # Compared even where there is no such key, so that the time tells nobody which keys exist.
        right = hmac.compare_digest(digest, key.secret_sha256 if key else "0" * 64)
        if prefix != PREFIX or key is None or not right:
            raise Refused("This key is not known.", fix=_HOW, code="unknown_key", status=401)
        if key.revoked:
            raise Refused(f"Key {public_id} is revoked.", fix="Ask for a new one.", code="revoked_key", status=401)
        if key.expires_at <= (time.time() if now is None else now):
            raise Refused(f"Key {public_id} has expired.", fix="Ask for a new one.", code="expired_key", status=401)
        if key.suspended:
            raise suspended(key)
        for scope in scopes:
            if scope not in key.scopes:
                raise Refused(
                    f"Key {public_id} is not for this ({SCOPES.get(scope, scope).lower()}).",
                    fix="Ask the police exchange manager to widen it.",
                    code="out_of_scope",
                )
        return key


def suspended(key: Key) -> Refused:
    """What a suspended key is told: never why, which would teach a prober."""
    return Refused(
        f"Key {key.public_id} is suspended.",
        fix="Speak to the police exchange manager; a person has been told.",
        code="suspended_key",
    )


def _key(row: dict[str, Any]) -> Key:
    banks = row["banks"]
    return Key(
        number=int(row["number"]),
        public_id=row["public_id"],
        secret_sha256=row["secret_sha256"],
        platform=int(row["platform"]),
        name=row["name"],
        scopes=frozenset(row["scopes"]),
        expires_at=float(row["expires_at"]),
        per_minute=int(row["per_minute"]),
        per_day=int(row["per_day"]),
        banks=None if banks is None else frozenset(map(int, banks)),
        suspended=bool(row["suspended"]),
        revoked=bool(row["revoked"]),
        cleared_at=float(row["cleared_at"]),
    )
