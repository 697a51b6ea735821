"""The key ring: a file of mode 0600 with the keys of encrypted fields, the newest last. It encrypts, all decrypt.

The file is looked at (not read) before each use, so that a process that runs on takes up a new key at once: a row that
it wrote under an old one after a rotation could be read by nobody.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from safelight.errors import SafelightError

FORMAT = "safelight-field-keys-1"
_ID = re.compile("[0-9a-f]{8}")


class KeyRingError(SafelightError):
    """The key ring is missing, damaged, or lacks a key."""


@dataclass(frozen=True)
class Key:
    """One key of 256 bits. ``id`` stands in every value that it encrypted."""

    id: str
    made_at: str
    secret: bytes

    def __repr__(self) -> str:
        return f"<Key {self.id}>"

    def derived(self, purpose: str) -> bytes:
        """A key of 256 bits for one purpose in one column (HKDF-SHA-256, RFC 5869)."""
        return _derived(self.secret, purpose)


@lru_cache(maxsize=512)
def _derived(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=FORMAT.encode(), info=purpose.encode()).derive(secret)


@dataclass(frozen=True)
class Ring:
    """The keys, oldest first; there is one at least."""

    keys: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        return self.keys[-1]

    def key(self, name: str) -> Key | None:
        return next((one for one in self.keys if one.id == name), None)


def new_key() -> Key:
    """A key from the system's source of randomness."""
    return Key(secrets.token_hex(4), datetime.now(UTC).isoformat(timespec="seconds"), secrets.token_bytes(32))


def read(path: Path) -> Ring:
    """The ring in a file.

    Raises:
        KeyRingError: it is missing, cannot be read, or is no key ring.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError("another format")
        keys = tuple(
            Key(str(one["id"]), str(one["made_at"]), base64.b64decode(one["key"], validate=True))
            for one in data["keys"]
        )
        if not keys or any(len(one.secret) != 32 or not _ID.fullmatch(one.id) for one in keys):
            raise ValueError("a key is missing or not whole")
        if len({one.id for one in keys}) != len(keys):
            raise ValueError("two keys have one name")
    except FileNotFoundError as error:
        raise KeyRingError(f"The key file of encrypted fields is missing: {path}.", fix=MISSING) from error
    except OSError as error:
        raise KeyRingError(
            f"The key file of encrypted fields cannot be read: {path} ({error.strerror}).",
            fix="Give it to the account that runs Safelight, with mode 0600.",
        ) from error
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise KeyRingError(f"{path} is not a whole key file of encrypted fields: {error}.", fix=MISSING) from error
    return Ring(keys)


MISSING = "Put the file back from a backup, or correct SAFELIGHT_FIELD_KEYS; without it contact details cannot be read."


def write(path: Path, ring: Ring) -> None:
    """Put ``ring`` in the place of what is in the file, at once and on the disk.

    Raises:
        KeyRingError: it cannot be written.
    """
    try:
        fresh = _beside(path, ring)
        os.replace(fresh, path)
        _keep(path.parent)
    except OSError as error:
        raise KeyRingError(f"The key file {path} cannot be written: {error.strerror}.", fix="Mend that.") from error


def make(path: Path) -> Ring:
    """The ring in the file; with one new key if there was none. Of several processes that make it, one does.

    Raises:
        KeyRingError: it cannot be written or read.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = _beside(path, Ring((new_key(),)))
        try:
            os.link(fresh, path)
            _keep(path.parent)
        except FileExistsError:
            pass  # another process was first
        finally:
            fresh.unlink()
    except OSError as error:
        raise KeyRingError(
            f"The key file of encrypted fields cannot be made: {path} ({error.strerror}).",
            fix="Mend the folder, or name another file in SAFELIGHT_FIELD_KEYS.",
        ) from error
    return read(path)


def _beside(path: Path, ring: Ring) -> Path:
    """A file of mode 0600 beside ``path`` with ``ring``."""
    said = [{"id": one.id, "made_at": one.made_at, "key": base64.b64encode(one.secret).decode()} for one in ring.keys]
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, "keys": said}, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _keep(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_cached: tuple[tuple[str, int, int, int], Ring] | None = None


def current(path: Path) -> Ring | None:
    """The ring in the file as it is now, from memory where the file did not change; None where there is no file.

    Raises:
        KeyRingError: it is there and cannot be used.
    """
    global _cached
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        return None
    except OSError:
        read(path)  # says what is wrong
        raise
    mark = (str(path), stat.st_mtime_ns, stat.st_ino, stat.st_size)
    held = _cached
    if held is None or held[0] != mark:
        held = _cached = (mark, read(path))
    return held[1]


@contextmanager
def rotating(path: Path) -> Iterator[None]:
    """One rotation at a time.

    Raises:
        KeyRingError: another is at work.
    """
    place = path.with_name(f".{path.name}.lock")
    with os.fdopen(os.open(place, os.O_RDWR | os.O_CREAT, 0o600), "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise KeyRingError("Another rotation of the keys is at work.", fix="Wait until it has ended.") from error
        yield
