"""Restoring a chain to a place where nothing is, and proving what came out."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pyrage

from safelight.backup import folders, manifest
from safelight.backup.errors import NotRestored
from safelight.backup.manifest import LedgerState, Manifest
from safelight.backup.parts import Part, check_part, read_part
from safelight.backup.postgres_source import make_ready, running
from safelight.backup.proof import Prove, prove_by_command
from safelight.backup.sqlite_source import PageWriter

DATABASE = "safelight.sqlite3"
CLUSTER, LOG = "postgres", "postgres-log"
SEAL = "SELECT root FROM ledger_ledgerseal WHERE tree_size = "
ROOT = "SELECT 1 FROM ledger_ledgerseal WHERE root = "


@dataclass(frozen=True)
class Restored:
    """What was restored: up to ``manifest``, with so many ledger entries that follow from its roots."""

    manifest: Manifest
    entries: int
    seconds: float


def restore(
    chain: Path,
    identity: pyrage.x25519.Identity,
    into: Path,
    *,
    until: datetime | None = None,
    root: str = "",
    prove: Prove = prove_by_command,
) -> Restored:
    """Restore a chain into an empty folder, and check the ledger against the root that the manifest names.

    Args:
        chain: the folder of a chain; or of several, of which the newest is taken.
        identity: the secret key of one of its recipients.
        into: the new data folder; must be empty or not exist. A PostgreSQL cluster comes to ``into/postgres``.
        until: the last moment that is wanted; default everything.
        root: a root of the ledger that a witness keeps; it must be one of the restored ledger's.
        prove: checks the ledger.

    Raises:
        NotRestored: with one sentence on what is wrong. What was written until then stays in ``into``.
    """
    began = time.monotonic()
    chains = manifest.chains_in(chain)
    folder = chains[-1] if chains else chain
    steps = manifest.chain_of(folder)
    if until is not None:
        steps = [step for step in steps if step.at <= until]
        if not steps:
            raise NotRestored(f"{folder} holds nothing from before {until.isoformat()}.", fix="Take an earlier chain.")
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise NotRestored(f"{into} is not empty, and nothing is written over.", fix="Name a new folder.")
    # Everything is looked at before anything is written: a missing step is told at once, not after an hour.
    for step in steps:
        for part in step.parts:
            check_part(folder, part)
    try:
        into.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise NotRestored(f"{into} cannot be made: {error.strerror}.", fix="Name another folder.") from error
    lite = steps[0].engine == "sqlite"
    for step in steps:
        if lite:
            _lay_pages(folder, step, identity, into / DATABASE)
        else:
            _unpack(folder, step.part("database"), identity, into / (CLUSTER if step.number == 0 else LOG))
        _unpack(folder, step.part("files"), identity, into)
    last = steps[-1]
    entries = _check_sqlite(into, last, root, prove) if lite else _check_postgres(into, last, root, prove)
    return Restored(last, entries, time.monotonic() - began)


def _unpack(folder: Path, part: Part | None, identity: pyrage.x25519.Identity, into: Path) -> None:
    if part is not None:
        into.mkdir(exist_ok=True, mode=0o700)
        with folders.unpacking(into) as sink:
            read_part(folder, part, identity, sink)


def _lay_pages(folder: Path, step: Manifest, identity: pyrage.x25519.Identity, database: Path) -> None:
    part = step.part("database")
    if part is None:
        return
    if step.number == 0:
        with database.open("xb") as file:
            read_part(folder, part, identity, file.write)
        database.chmod(0o600)
        return
    with closing(PageWriter(database)) as pages:
        read_part(folder, part, identity, pages)
        pages.finish()


def _check_sqlite(into: Path, step: Manifest, root: str, prove: Prove) -> int:
    """That SQLite finds the file sound and the ledger is the one of the manifest. Returns its entries."""
    try:
        with closing(sqlite3.connect(into / DATABASE)) as connection:
            # The conditions of the tables use functions that only Django defines.
            connection.execute("PRAGMA ignore_check_constraints = ON")
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                raise NotRestored(f"The restored database is not sound: {said}", fix="Take an earlier backup.")
            if step.ledger and step.ledger.tree_size:
                _same_root(step.ledger, connection.execute(SEAL + "?", [step.ledger.tree_size]).fetchone())
            if root:
                _had_root(root, connection.execute(ROOT + "?", [root]).fetchone())
    except sqlite3.DatabaseError as error:
        raise NotRestored(f"The restored database cannot be read: {error}.", fix="Take an earlier backup.") from error
    return prove(into, "") if step.ledger else 0


def _check_postgres(into: Path, step: Manifest, root: str, prove: Prove) -> int:
    """Start the restored server where nobody else sees it, let it recover, check the ledger. Returns its entries."""
    cluster, log = into / CLUSTER, into / LOG
    log.mkdir(exist_ok=True)
    make_ready(cluster, log)
    entries = 0
    with running(cluster, log, step.facts, int(step.engine_version)) as url:
        if step.ledger is not None:
            with psycopg.connect(url) as connection:
                if step.ledger.tree_size:
                    _same_root(step.ledger, connection.execute(SEAL + "%s", [step.ledger.tree_size]).fetchone())
                if root:
                    _had_root(root, connection.execute(ROOT + "%s", [root]).fetchone())
            entries = prove(into, url)
    shutil.rmtree(log)
    return entries


def _same_root(wanted: LedgerState, row: Sequence[Any] | None) -> None:
    if row is None or row[0] != wanted.root:
        raise NotRestored(
            f"The restored ledger has not the root that the manifest names over {wanted.tree_size} entries.",
            fix="Take another copy of this backup.",
        )


def _had_root(root: str, row: Sequence[Any] | None) -> None:
    if row is None:
        raise NotRestored(
            f"The restored ledger never had the root {root}.",
            fix="It is another ledger than the one whose root the witness keeps, or it ends before that.",
        )
