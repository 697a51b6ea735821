"""Encrypted backups that are read back, and their restoring. No Django here: whoever restores may have nothing else.

Start here::

    from safelight.backup import Chain, restore

A *chain* is a folder: a base (the whole database and data folder) and steps (what changed since), each with a manifest
that names the digest of every part, the root of the ledger at that moment and the manifest before it. Parts are age
files (https://age-encryption.org/v1) for the public keys of the *recipients*; the machine that writes them cannot read
them afterwards. See docs/decisions/0048.
"""

from __future__ import annotations

from safelight.backup.chain import Aim, Chain
from safelight.backup.errors import BackupError, NotRestored
from safelight.backup.manifest import Manifest, newest_of
from safelight.backup.restoring import Restored, restore
from safelight.backup.state import BackupState, backup_state

__all__ = [
    "Aim",
    "BackupError",
    "BackupState",
    "Chain",
    "Manifest",
    "NotRestored",
    "Restored",
    "backup_state",
    "newest_of",
    "restore",
]
