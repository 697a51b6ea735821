"""Old chains go, once enough newer ones were restored for a check."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from safelight.backup.errors import BackupError
from safelight.backup.state import VERIFIED

CHAIN = re.compile(r"\d{8}T\d{6}Z")
GOING = ".going-"


def prune(folder: Path, keep: int) -> list[str]:
    """Remove every chain that is older than the newest ``keep`` chains that were restored for a check.

    A chain that was never restored counts for nothing and protects nothing; as long as fewer than ``keep`` were, none
    goes. What is no chain is not touched.

    Returns:
        The names of the chains that are gone.

    Raises:
        BackupError: one cannot be removed: the store may keep what it was given, which is as it should be.
    """
    if keep < 1:
        return []
    for half in folder.glob(f"{GOING}*"):
        shutil.rmtree(half, ignore_errors=True)  # left by a process that ended in between
    chains = sorted(path for path in folder.iterdir() if path.is_dir() and CHAIN.fullmatch(path.name))
    proven = [path for path in chains if (path / VERIFIED).is_file()]
    if len(proven) <= keep:
        return []
    gone = []
    for path in chains:
        if path >= proven[-keep]:
            break
        try:
            # Under another name first: a chain that is half removed must not be taken for one.
            shutil.rmtree(path.rename(path.with_name(GOING + path.name)))
        except OSError as error:
            raise BackupError(
                f"The old backup {path} cannot be removed: {error.strerror}.",
                fix="Where the store may only be added to, leave --keep away and let the store remove them.",
            ) from error
        gone.append(path.name)
    return gone
