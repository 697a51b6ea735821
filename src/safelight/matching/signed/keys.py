"""Keys of the people who sign lists: Ed25519, one file each, never shared."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from safelight.errors import MatchingError

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey

_SECRET_HEAD = b"-----BEGIN PRIVATE KEY-----"
_SEALED_HEAD = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


def make_key(path: Path, passphrase: str = "") -> Path:
    """Make a key: the secret half in `path`, readable by its owner only, and the public half beside it as `.pub`.

    Returns:
        The file of the public half, which goes to whoever sets up the publication.

    Raises:
        MatchingError: there is such a file already (a key is never overwritten), or it cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    sealing: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        sealing = serialization.BestAvailableEncryption(passphrase.encode())
    secret = Ed25519PrivateKey.generate()
    private = secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealing)
    public = secret.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    public_path = path.with_name(path.name + ".pub")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
        public_path.write_bytes(public)
    except FileExistsError as error:
        raise MatchingError(f"{path} exists: a key is never overwritten.", fix="Choose another name.") from error
    except OSError as error:
        raise MatchingError(f"{path} cannot be written: {error.strerror}.", fix="Choose another folder.") from error
    return public_path


def read_public(path: Path) -> SSlibKey:
    """The public half of a key.

    Raises:
        MatchingError: no such file, or not a public key.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    data = _read(path)
    if data.startswith((_SECRET_HEAD, _SEALED_HEAD)):
        raise MatchingError(f"{path} is a secret key.", fix=f"Give its public half, {path.name}.pub.")
    try:
        return SSlibKey.from_crypto(load_pem_public_key(data))
    except ValueError as error:
        raise MatchingError(f"{path} is not a public key.", fix="Give a file of `safelight hashset key`.") from error


def read_secret(path: Path, passphrase: str = "") -> CryptoSigner:
    """The secret half of a key, ready to sign.

    Raises:
        MatchingError: no such file, not a secret key, or the wrong passphrase.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    data = _read(path)
    try:
        key = load_pem_private_key(data, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError) as error:
        if data.startswith(_SEALED_HEAD):
            raise MatchingError(f"The passphrase does not open {path}.", fix="Give the right passphrase.") from error
        raise MatchingError(f"{path} is not a secret key without a passphrase.", fix="Give your own key.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise MatchingError(f"{path} is not an Ed25519 key.", fix="Give a key of `safelight hashset key`.")
    return CryptoSigner(key)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MatchingError(f"{path} cannot be read: {error.strerror}.", fix="Give the path of a key file.") from error
