"""One part of a backup: bytes, compressed (zlib, level 1), then encrypted with age for several public keys."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyrage

from safelight.backup.errors import BackupError, NotRestored

CHUNK = 1 << 20


@dataclass(frozen=True)
class Part:
    """A file of a backup.

    ``bytes`` and ``sha256`` are of the encrypted file, ``plain_bytes`` and ``plain_sha256`` of what is in it.
    """

    name: str
    bytes: int
    sha256: str
    plain_bytes: int
    plain_sha256: str


def new_key() -> tuple[str, str]:
    """A secret key (AGE-SECRET-KEY-1...) and the public key (age1...) that belongs to it."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def recipients_of(words: Iterable[str]) -> list[str]:
    """Public keys, checked and in order.

    Raises:
        BackupError: there is none, or one is not an age public key.
    """
    keys = [word.strip() for word in words if word.strip()]
    if not keys:
        raise BackupError(
            "No public key is named that the backup is encrypted for.",
            fix="Make one with `safelight backup-key FILE` on a machine apart, and set SAFELIGHT_BACKUP_RECIPIENTS.",
        )
    for key in keys:
        try:
            pyrage.x25519.Recipient.from_str(key)
        except pyrage.RecipientError as error:
            raise BackupError(
                f"{key[:16]!r} is not the public key of a backup.", fix="It begins with age1 (`safelight backup-key`)."
            ) from error
    return keys


def read_identity(path: Path) -> pyrage.x25519.Identity:
    """The secret key in a file; lines with # are notes.

    Raises:
        NotRestored: the file cannot be read or holds no secret key.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NotRestored(f"The key file {path} cannot be read.", fix="Check the path and the rights.") from error
    for line in lines:
        if line.strip() and not line.startswith("#"):
            try:
                return pyrage.x25519.Identity.from_str(line.strip())
            except pyrage.IdentityError as error:
                raise NotRestored(
                    f"{path} holds no secret key.", fix="It begins with AGE-SECRET-KEY-1 (`safelight backup-key`)."
                ) from error
    raise NotRestored(f"{path} holds no secret key.", fix="It begins with AGE-SECRET-KEY-1 (`safelight backup-key`).")


class _Packing:
    """A reader that hands out its pieces compressed, and counts and digests what went in."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces: Iterator[bytes] = iter(pieces)
        self.digest, self.size = hashlib.sha256(), 0
        self.squeeze = zlib.compressobj(1)
        self.ready = bytearray()
        self.ended = False

    def read(self, wanted: int = -1) -> bytes:
        while not self.ended and (wanted < 0 or len(self.ready) < wanted):
            piece = next(self.pieces, None)
            if piece is None:
                self.ready += self.squeeze.flush()
                self.ended = True
            else:
                self.digest.update(piece)
                self.size += len(piece)
                self.ready += self.squeeze.compress(piece)
        given = bytes(self.ready if wanted < 0 else self.ready[:wanted])
        del self.ready[: len(given)]
        return given


class _Unpacking:
    """A writer that unpacks what it is given, and counts and digests what comes out."""

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        self.sink, self.digest, self.size = sink, hashlib.sha256(), 0
        self.unsqueeze = zlib.decompressobj()

    def write(self, data: bytes) -> int:
        left = data
        while left:
            self._out(self.unsqueeze.decompress(left, CHUNK))
            left = self.unsqueeze.unconsumed_tail
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self._out(self.unsqueeze.flush())

    def _out(self, piece: bytes) -> None:
        if piece:
            self.digest.update(piece)
            self.size += len(piece)
            self.sink(piece)


class _Digesting:
    """A writer to a file that digests what goes there."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()


def write_part(path: Path, pieces: Iterable[bytes], keys: Sequence[str]) -> Part:
    """Write ``pieces`` compressed and encrypted to ``path`` and have the disk keep it.

    Raises:
        BackupError: the file cannot be written (no room, no rights).
    """
    packing = _Packing(pieces)
    try:
        with path.open("wb") as file:
            out = _Digesting(file)
            pyrage.encrypt_io(packing, out, [pyrage.x25519.Recipient.from_str(key) for key in keys])
            file.flush()
            os.fsync(file.fileno())
    except (OSError, pyrage.EncryptError) as error:
        path.unlink(missing_ok=True)
        raise BackupError(
            f"The backup cannot be written to {path}: {error}.", fix="Make room or mend the folder."
        ) from error
    return Part(path.name, out.size, out.digest.hexdigest(), packing.size, packing.digest.hexdigest())


def check_part(folder: Path, part: Part) -> None:
    """That the encrypted file is there, whole and unchanged.

    Raises:
        NotRestored: it is missing, shorter, longer or altered.
    """
    path = folder / part.name
    elsewhere = "Take another copy of this backup, or an earlier one."
    try:
        size = path.stat().st_size
        if size != part.bytes:
            what = "was cut short" if size < part.bytes else "is too long"
            raise NotRestored(f"{path} {what}: {size:,} bytes instead of {part.bytes:,}.", fix=elsewhere)
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise NotRestored(f"{path} is missing.", fix=elsewhere) from error
    except OSError as error:
        raise NotRestored(f"{path} cannot be read: {error.strerror}.", fix=elsewhere) from error
    if found != part.sha256:
        raise NotRestored(f"{path} was altered: its digest is not the one of the manifest.", fix=elsewhere)


def read_part(folder: Path, part: Part, identity: pyrage.x25519.Identity, sink: Callable[[bytes], object]) -> None:
    """Check, decrypt and unpack one part; ``sink`` is given the bytes.

    Raises:
        NotRestored: the file is not what the manifest names, the key is another, or the target cannot be written.
    """
    check_part(folder, part)
    path = folder / part.name
    out = _Unpacking(sink)
    try:
        with path.open("rb") as file:
            pyrage.decrypt_io(file, out, [identity])
        out.close()
    except pyrage.DecryptError as error:
        raise NotRestored(
            f"{path} cannot be decrypted with this key: {error}.",
            fix="Use the secret key of one of the public keys that the manifest names.",
        ) from error
    except zlib.error as error:
        raise NotRestored(f"{path} decrypts to something that is no backup.", fix="Take another copy.") from error
    except OSError as error:
        raise NotRestored(f"What is in {path} cannot be written: {error}.", fix="Make room in the target.") from error
    if (out.size, out.digest.hexdigest()) != (part.plain_bytes, part.plain_sha256):
        raise NotRestored(f"What is in {path} is not what was put there.", fix="Take another copy, or an earlier one.")
