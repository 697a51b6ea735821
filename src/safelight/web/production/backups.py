"""Is there a backup, how old is it, and was one ever restored?"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from safelight.backup import backup_state
from safelight.web.production.finding import Finding, advice, unsafe

FRESH = 60.0  # seconds: what may be lost at most when a backup runs all the time
STALE = 24 * 60 * 60.0  # seconds
START = "Run `safelight backup --every 10` as a service (deploy/systemd/safelight-backup.service)."


def backups() -> Iterator[Finding]:
    """What is not in a backup is lost with the disk."""
    if settings.BACKUP_FOLDER is None or not settings.BACKUP_RECIPIENTS:
        missing = "SAFELIGHT_BACKUP_FOLDER" if settings.BACKUP_FOLDER is None else "SAFELIGHT_BACKUP_RECIPIENTS"
        yield unsafe("backup.none", "No backup is set up.", missing, START)
        return
    where = str(settings.BACKUP_FOLDER)
    state = backup_state(settings.BACKUP_FOLDER)
    age = state.age(timezone.now())
    if age is None:
        yield unsafe("backup.none", state.problem, where, START)
        return
    if age > STALE:
        yield unsafe("backup.old", f"The newest backup is {age / 3600:,.0f} hours old.", where, START)
    elif age > FRESH:
        yield advice("backup.age", f"The newest backup is {age:,.0f} s old.", where, START)
    if state.problem:
        yield unsafe("backup.unproven", state.problem, where, "Run `safelight backup`, which restores what it wrote.")


LOOKS = (backups,)
