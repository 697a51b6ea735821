"""How old the newest backup is and whether it was ever restored: what a health check asks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from safelight.backup.errors import NotRestored
from safelight.backup.manifest import chains_in, newest_of

VERIFIED = "verified.json"


@dataclass(frozen=True)
class BackupState:
    """``newest``: the moment that the newest backup brings back; ``verified``: when one was last restored for a check.

    ``problem`` is a sentence when the folder holds nothing or cannot be read.
    """

    newest: datetime | None
    verified: datetime | None
    problem: str = ""

    def age(self, now: datetime) -> float | None:
        """Seconds since the newest backup, or None when there is none."""
        return (now - self.newest).total_seconds() if self.newest else None


def backup_state(folder: Path) -> BackupState:
    """The state of the backups in ``folder`` (SAFELIGHT_BACKUP_FOLDER). Reads a manifest per chain; raises nothing."""
    try:
        newest = newest_of(folder)
    except NotRestored as error:
        return BackupState(None, None, str(error))
    if newest is None:
        return BackupState(None, None, f"There is no finished backup in {folder}.")
    verified: datetime | None = None
    for chain in chains_in(folder):
        try:
            at = datetime.fromisoformat(json.loads((chain / VERIFIED).read_text(encoding="utf-8"))["at"])
        except (OSError, ValueError, KeyError):
            continue
        verified = max(verified, at) if verified else at
    problem = "" if verified else f"No backup in {folder} was restored for a check yet."
    return BackupState(newest.at, verified, problem)
