"""One value: encrypted for its place, and the keyed marks by which it is found.

An encrypted value is ``v1.KEY.BODY``: the name of its key, and base64 of nonce (96 bits), ciphertext and tag of
AES-256-GCM (NIST SP 800-38D). The associated data are table, column and the random name of the row: moved anywhere else
it is refused. Marks are HMAC-SHA-256 under keys of their own. Lengths are not hidden, nor which marks are equal.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safelight.casework.ciphers.ring import Key, Ring
from safelight.errors import SafelightError

VERSION = "v1"
_NONCE, _TAG = 12, 16
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PAIRS = [one + other for one in _LETTERS for other in _LETTERS]
TOKEN = 10  # letters: 47 bits


class CipherError(SafelightError):
    """An encrypted value cannot be read, or was about to be written unencrypted."""


@lru_cache(maxsize=512)
def _aead(secret: bytes) -> AESGCM:
    return AESGCM(secret)


def _bound(table: str, column: str, row: str) -> bytes:
    return f"{table}\x00{column}\x00{row}".encode()


def encrypt(ring: Ring, table: str, column: str, row: str, text: str) -> str:
    """``text`` for this column of this row, under the newest key."""
    key, nonce = ring.newest, os.urandom(_NONCE)
    made = _aead(key.derived(f"encrypt {table} {column}")).encrypt(nonce, text.encode(), _bound(table, column, row))
    return f"{VERSION}.{key.id}.{base64.b64encode(nonce + made).decode()}"


def key_of(value: str) -> str:
    """The name of the key that a value was encrypted with; empty for what is none."""
    parts = value.split(".")
    return parts[1] if len(parts) == 3 and parts[0] == VERSION else ""


def decrypt(ring: Ring, table: str, column: str, row: str, value: str) -> str:
    """What was encrypted for this column of this row.

    Raises:
        CipherError: the key is not in the ring; or the value was changed, cut, or belongs elsewhere.
    """
    version, _, rest = value.partition(".")
    name, _, body = rest.partition(".")
    if version != VERSION or not body:
        raise CipherError("is no encrypted value of a version that is known", fix=TAMPERED)
    key = ring.key(name)
    if key is None:
        raise CipherError(
            f"was encrypted with the key {name[:8]}, which the key file does not hold",
            fix="Put that key back (safelight keys list; every backup has the key file of its time).",
        )
    try:
        raw = base64.b64decode(body, validate=True)
        if len(raw) < _NONCE + _TAG:
            raise CipherError("was cut short", fix=TAMPERED)
        plain = _aead(key.derived(f"encrypt {table} {column}")).decrypt(
            raw[:_NONCE], raw[_NONCE:], _bound(table, column, row)
        )
    except (InvalidTag, binascii.Error) as error:
        raise CipherError("was changed, or moved here from another row or column", fix=TAMPERED) from error
    return plain.decode()


TAMPERED = "Find out who wrote to the database past Safelight; take the row from a backup."


def mark(key: Key, table: str, column: str, text: str) -> str:
    """The mark of a whole value: 22 letters (128 bits), the same for the same value of this column."""
    made = hmac.digest(key.derived(f"index {table} {column}"), text.encode(), sha256)[:16]
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def token(key: Key, table: str, column: str, text: str) -> str:
    """The mark of a word in letters only, which both databases take for one word."""
    number = int.from_bytes(hmac.digest(key.derived(f"words {table} {column}"), text.encode(), sha256)[:8])
    made = ""
    for _ in range(TOKEN // 2):
        number, place = divmod(number, 676)
        made += _PAIRS[place]
    return made
