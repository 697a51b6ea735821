"""Backups under write load, restored on a new host (F9): nothing that was acknowledged before the newest step is
missing, and the restored ledger has the root that the manifest names.

While two writers go on writing entries of the ledger, a chain of backups grows. At random moments the host is taken to
be lost: what lies in the folder of the backups at that moment, and nothing else, is restored to an empty folder with
the secret key; `safelight ledger verify` re-reads the restored ledger. The data loss of a trial is the time from the
moment that the newest finished step brings back to the moment of the loss.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trust import Progress, Result, Size

TITLE = "Backups under load, restored"
DATABASES = ("sqlite", "postgresql")
TRIALS: dict[Size, int] = {"small": 1, "full": 50}
CHAINS = 5  # at full size: every so many trials in a chain of its own
EVERY = 1.0  # seconds between two steps
RPO, RTO = 60.0, 900.0  # seconds


@dataclass
class Writers:
    """Writes entries and seals until told to stop; ``acknowledged``: (when, identity) of each that was committed."""

    acknowledged: list[tuple[datetime, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._write, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        return threads

    def _write(self, number: int) -> None:
        from django.db import DatabaseError, connection, transaction

        from safelight.casework.ledger.models import Category
        from safelight.casework.ledger.services import record, seal

        try:
            count = 0
            while not self.stop.is_set():
                with transaction.atomic():
                    entry = record(None, "ledger.verified", category=Category.SYSTEM, payload={"writer": number})
                self.acknowledged.append((datetime.now(UTC), str(entry.uid)))
                count += 1
                if not number and not count % 10:
                    seal()
                self.stop.wait(0.005)
        except DatabaseError as error:
            self.faults.append(str(error))
        finally:
            connection.close()


def run(size: Size) -> Result:
    """F9 on the database that Django is set up for."""
    from safelight.backup.parts import new_key

    result = Result()
    secret, public = new_key()
    with tempfile.TemporaryDirectory(prefix="safelight-trust-") as name:
        work = Path(name)
        work.chmod(0o711)  # as root, the restored PostgreSQL runs as another user, who must reach it
        (work / "key").write_text(secret)
        _trials(result, TRIALS[size], work, public)
    return result


def _trials(result: Result, trials: int, work: Path, public: str) -> None:
    from django.conf import settings

    from safelight.backup import Chain
    from safelight.cli.backup import what_to_back_up

    settings.BACKUP_RECIPIENTS = [public]
    source, aim = what_to_back_up(work / "backups", follow=True)
    writers, chance = Writers(), random.Random(9)
    losses, times, right, rooted, entries = [], [], 0, 0, 0
    threads = writers.begin()
    chain: Any = None
    try:
        with Progress("restorings", trials) as step:
            for trial in range(trials):
                if chain is None or not trial % max(trials // CHAINS, 1):
                    chain = Chain(source, aim)
                wanted, began = chance.uniform(1.5, 4), time.monotonic()
                while time.monotonic() - began < wanted:
                    chain.step()
                    time.sleep(EVERY)
                lost = datetime.now(UTC)
                taken = work / "taken"
                shutil.copytree(chain.folder, taken)
                seen = _restore(taken, work, writers)
                losses.append((lost - seen.at).total_seconds())
                times.append(seen.seconds)
                right += not seen.missing
                rooted += seen.rooted
                entries = max(entries, seen.entries)
                if seen.missing:
                    result.fail(f"Trial {trial}: {seen.missing} acknowledged entries are missing.")
                if seen.fault:
                    result.fail(f"Trial {trial}: {seen.fault}")
                step()
    finally:
        writers.stop.set()
        for thread in threads:
            thread.join()
        source.close()
        if source.engine == "postgres":
            from safelight.backup.postgres_source import forget_slot

            forget_slot(settings.DATABASES["default"])
            shutil.rmtree(settings.DATA / "backup-spool", ignore_errors=True)
    for fault in writers.faults:
        result.fail(f"A writer stopped: {fault}")
    result.add("restored; every entry acknowledged before the newest step is there", trials, right)
    result.add("the restored ledger verifies and has the root of the manifest", trials, rooted)
    worst, slowest = max(losses), max(times)
    written = f"{len(writers.acknowledged):,} entries written meanwhile"
    result.measured(
        "data loss (RPO), worst", f"{worst:.1f} s, a step every {EVERY:g} s, {written}", "60 s", met=worst <= RPO
    )
    result.measured(
        "restored and proven (RTO), slowest", f"{slowest:.1f} s, {entries:,} entries", "900 s", met=slowest <= RTO
    )


@dataclass(frozen=True)
class Seen:
    """What one restoring brought."""

    at: datetime
    seconds: float
    entries: int
    missing: int
    rooted: bool
    fault: str = ""


def _restore(taken: Path, work: Path, writers: Writers) -> Seen:
    from safelight.backup import NotRestored, restore
    from safelight.backup.parts import read_identity
    from safelight.backup.proof import prove_by_command

    present: set[str] = set()

    def prove(data: Path, url: str) -> int:
        present.update(_identities(data, url))
        return prove_by_command(data, url)

    at = datetime.now(UTC)
    try:
        done = restore(taken, read_identity(work / "key"), work / "new", prove=prove)
    except NotRestored as error:
        return Seen(at, 0.0, 0, 0, False, str(error))
    finally:
        shutil.rmtree(work / "new", ignore_errors=True)
        shutil.rmtree(taken)
    # An acknowledgement is noted after the commit: what is noted before the step's moment was committed before it.
    due = [uid for when, uid in list(writers.acknowledged) if when < done.manifest.at]
    missing = sum(uid not in present for uid in due)
    return Seen(done.manifest.at, done.seconds, done.entries, missing, True)


def _identities(data: Path, url: str) -> set[str]:
    query = "SELECT uid FROM ledger_ledgerentry"
    if url:
        import psycopg

        with psycopg.connect(url) as postgres:
            return {str(row[0]) for row in postgres.execute(query)}
    import sqlite3
    import uuid

    with sqlite3.connect(data / "safelight.sqlite3") as lite:
        return {str(uuid.UUID(row[0])) for row in lite.execute(query)}
