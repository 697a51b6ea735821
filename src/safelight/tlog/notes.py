"""Signed notes, checkpoints and cosignatures, in the formats of C2SP signed-note, tlog-checkpoint and tlog-cosignature.

A checkpoint is text: the log's name (its *origin*), the number of leaves, the root in base64, and perhaps further
lines. After an empty line come signatures, one a line: ``— NAME base64(key id || signature)``. The log signs the text
(Ed25519); a witness signs ``cosignature/v1``, the time and the text. A verifier key is written
``NAME+KEYID+base64(type || key)``.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from safelight.tlog.errors import WitnessError

ED25519, COSIGNATURE = 1, 4  # signature types of signed-note
_NAME = re.compile(r"[^\s+]{1,200}")
_SIGNATURE = re.compile(r"— ([^\s+]{1,200}) ([A-Za-z0-9+/]+={0,2})")


def _unbase64(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WitnessError(f"{what} is not base64: {text[:60]!r}.") from error


@dataclass(frozen=True)
class VerifierKey:
    """A public key with the name of who signs: a log (type 1) or a witness (type 4)."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> VerifierKey:
        """The key that ``NAME+KEYID+KEY`` says.

        Raises:
            WitnessError: the text is no such key.
        """
        parts = text.strip().split("+", 2)
        if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
            raise WitnessError(f"This is no verifier key: {text[:80]!r}.", fix="It looks like NAME+1a2b3c4d+BASE64.")
        raw = _unbase64(parts[2], "The key after the second +")
        key = cls(parts[0], raw[0] if raw else 0, raw[1:])
        if len(raw) != 33 or key.kind not in (ED25519, COSIGNATURE) or key.key_id.hex() != parts[1]:
            raise WitnessError(f"The verifier key of {parts[0]} is damaged.", fix="Copy it again, in one line.")
        return key

    def verify(self, signature: bytes, text: bytes) -> int | None:
        """None if ``signature`` is not this key's over ``text``; else the time it states (0 for a log's)."""
        stated, signed = 0, text
        if self.kind == COSIGNATURE:
            stated, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            signed = b"cosignature/v1\ntime %d\n" % stated + text
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except (InvalidSignature, ValueError):
            return None
        return stated


class Signer:
    """A private key with its name.

    Args:
        name: who signs, such as ``witness.example.police.uk``.
        kind: ED25519 for a log, COSIGNATURE for a witness.
        secret: the 32 bytes of the key.
    """

    def __init__(self, name: str, kind: int, secret: bytes) -> None:
        if not _NAME.fullmatch(name):
            raise WitnessError(f"{name!r} cannot be a signer's name.", fix="Use no blanks and no +.")
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.verifier = VerifierKey(name, kind, self._key.public_key().public_bytes_raw())

    def sign(self, text: bytes, *, at: int | None = None) -> str:
        """A signature line over ``text`` (with its newline at the end)."""
        if self.verifier.kind == COSIGNATURE:
            stated = int(time.time()) if at is None else at
            signed = self._key.sign(b"cosignature/v1\ntime %d\n" % stated + text)
            raw = stated.to_bytes(8, "big") + signed
        else:
            raw = self._key.sign(text)
        return f"— {self.verifier.name} {base64.b64encode(self.verifier.key_id + raw).decode()}\n"

    @classmethod
    def kept_at(cls, path: Path, name: str, kind: int) -> Signer:
        """The signer whose key is in the file ``path`` (32 bytes as hex); if missing, made for its owner alone.

        Raises:
            WitnessError: the file holds something else.
        """
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        except OSError as error:
            raise WitnessError(
                f"The key {path} cannot be made: {error.strerror}.", fix="Name a folder that exists."
            ) from error
        else:
            with os.fdopen(descriptor, "w", encoding="ascii") as handle:
                handle.write(os.urandom(32).hex() + "\n")
                handle.flush()
                os.fsync(handle.fileno())
        try:
            return cls(name, kind, bytes.fromhex(path.read_text(encoding="ascii")))
        except (OSError, ValueError) as error:
            raise WitnessError(
                f"The key {path} cannot be read or is damaged.", fix="Restore it from its backup."
            ) from error


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself at one moment. ``text`` is what is signed."""

    origin: str
    size: int
    root: bytes
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> bytes:
        body = [self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.lines]
        return ("\n".join(body) + "\n").encode()


@dataclass(frozen=True)
class Note:
    """A checkpoint and the signature lines under it."""

    checkpoint: Checkpoint
    signatures: tuple[tuple[str, bytes], ...] = field(default=())

    @classmethod
    def read(cls, text: str) -> Note:
        """Take a signed checkpoint apart.

        Raises:
            WitnessError: it is none.
        """
        body, parted, signed = text.partition("\n\n")
        lines = body.split("\n")
        if not parted or len(lines) < 3 or not all(lines) or not lines[1].isascii() or not lines[1].isdigit():
            raise WitnessError("This is no checkpoint: it needs an origin, a size, a root and signatures below.")
        root = _unbase64(lines[2], "The root of the checkpoint")
        if len(root) != 32 or (len(lines[1]) > 1 and lines[1][0] == "0") or len(lines[1]) > 18:
            raise WitnessError("The size or the root of the checkpoint is malformed.")
        signatures = []
        for line in signed.splitlines():
            found = _SIGNATURE.fullmatch(line)
            if found is None:
                raise WitnessError(f"A signature line of the checkpoint is malformed: {line[:60]!r}.")
            signatures.append((found[1], _unbase64(found[2], "A signature")))
        return cls(Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:])), tuple(signatures))

    def verified(self, key: VerifierKey) -> int | None:
        """None if ``key`` did not sign this; otherwise the time it states (0 for a log's signature)."""
        for name, raw in self.signatures:
            if name == key.name and raw[:4] == key.key_id:
                stated = key.verify(raw[4:], self.checkpoint.text)
                if stated is not None:
                    return stated
        return None


def read_all(text: str) -> list[Note]:
    """The notes of a witness's book: one after the other, parted by a line of ``=``.

    Raises:
        WitnessError: one of them is malformed.
    """
    return [Note.read(one.strip("\n") + "\n") for one in re.split(r"^=+\n", text, flags=re.MULTILINE) if one.strip()]
