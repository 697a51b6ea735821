"""Is the ledger of a restored database the one that was backed up? Asked of the `safelight` command itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from safelight.backup.errors import NotRestored

# (data folder, DATABASE_URL or "" for SQLite in that folder) -> entries checked.
Prove = Callable[[Path, str], int]
VERIFY = (sys.executable, "-m", "safelight.cli.main", "ledger", "verify", "--json")


def prove_by_command(data: Path, url: str) -> int:
    """Run `safelight ledger verify` on what was restored, in a process of its own.

    Returns:
        How many entries follow from the sealed roots.

    Raises:
        NotRestored: the ledger does not verify, or the command failed.
    """
    environment = {**os.environ, "SAFELIGHT_DATA": str(data), "DATABASE_URL": url}
    done = subprocess.run(VERIFY, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        said = json.loads(done.stdout)
    except json.JSONDecodeError:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise NotRestored(f"The ledger of the restored database could not be checked: {last}") from None
    if not said["proven"]:
        raise NotRestored(f"The restored ledger does not verify: {said['faults'][0]}", fix="Take an earlier backup.")
    return int(said["entries"])
