"""The database and what it promises: nothing acknowledged is lost, nothing in the ledger is changed."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from safelight.casework.ciphers.keys import ring
from safelight.casework.ciphers.ring import KeyRingError
from safelight.web.production.finding import Finding, advice, unsafe

OLDEST_POSTGRES = 15
LEDGER_TABLES = ("ledger_ledgerentry", "ledger_ledgerleaf", "ledger_ledgerseal", "ledger_sealmark")
CLOCKS_APART = 2.0  # seconds between the database's clock and ours that are let pass
# setting: the values under which an acknowledged write may be lost or a page be torn, and what that means
POSTGRES_PROMISES = {
    "fsync": (("off",), "what was acknowledged is lost with the power, and the database with it"),
    "full_page_writes": (("off",), "a page that is written in half when the power goes cannot be repaired"),
    "synchronous_commit": (("off",), "the last acknowledged writes are lost with the power"),
    "zero_damaged_pages": (("on",), "damaged pages are silently emptied"),
    "ignore_checksum_failure": (("on",), "damaged pages are read as if they were whole"),
}


def promises() -> Iterator[Finding]:
    """What the engine does when the power goes."""
    yield from sqlite(connection) if connection.vendor == "sqlite" else postgresql(connection)


def _one(at: Any, question: str, *values: Any) -> Any:
    with at.cursor() as cursor:
        cursor.execute(question, values)
        row = cursor.fetchone()
    return row[0] if row else None


def sqlite(at: Any) -> Iterator[Finding]:
    """What SQLite promises on this connection."""
    file = str(at.settings_dict["NAME"])
    for name, wanted, meaning in (
        ("synchronous", (2, 3), "the last acknowledged writes are lost with the power; FULL is needed"),
        ("journal_mode", ("wal",), "pages wait for writers, and backups under load are not tried"),
        ("foreign_keys", (1,), "rows may point to nothing"),
    ):
        value = _one(at, f"PRAGMA {name}")
        if value not in wanted:
            yield unsafe(
                f"database.{name}", f"SQLite runs with {name} = {value}: {meaning}.", file,
                "Start Safelight with its own settings (safelight.web.settings); they set it on every connection.",
            )  # fmt: skip
    for path in (Path(file), Path(f"{file}-wal")):
        # Inside a folder that others may not enter, nobody gets as far as the file.
        if path.exists() and path.stat().st_mode & 0o077 and path.parent.stat().st_mode & 0o011:
            mode = stat.S_IMODE(path.stat().st_mode)
            yield unsafe(
                "database.mode", f"Others on this machine may read the database (mode {mode:04o}).", str(path),
                f"chmod 0600 {path}",
            )  # fmt: skip


def postgresql(at: Any) -> Iterator[Finding]:
    """What PostgreSQL promises on this connection."""
    where = f"PostgreSQL, database {at.settings_dict['NAME']}"
    version = int(_one(at, "SHOW server_version_num")) // 10_000
    if version < OLDEST_POSTGRES:
        yield unsafe(
            "database.version", f"PostgreSQL {version} is older than {OLDEST_POSTGRES}, on which Safelight is tried.",
            where, f"Move to PostgreSQL {OLDEST_POSTGRES} or later.",
        )  # fmt: skip
    for name, (bad, meaning) in POSTGRES_PROMISES.items():
        value = _one(at, "SELECT current_setting(%s, true)", name)
        if value in bad:
            yield unsafe(
                f"database.{name}", f"PostgreSQL runs with {name} = {value}: {meaning}.", where,
                f"Set {name} in postgresql.conf to {'off' if value == 'on' else 'on'}, and restart the server.",
            )  # fmt: skip
    if _one(at, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        yield unsafe(
            "database.superuser", "Safelight signs in to PostgreSQL as a superuser, who may do anything to the ledger.",
            where, "Give it a role of its own that owns only its database.",
        )  # fmt: skip
    if at.settings_dict.get("PASSWORD"):
        yield advice(
            "database.password", "Safelight signs in to PostgreSQL with a password that stays the same.", where,
            "On one machine use the socket (peer); across machines a client certificate (sslcert and sslkey in "
            "DATABASE_URL), renewed by the force's authority.",
        )  # fmt: skip
    host = at.settings_dict["HOST"]
    if host and not host.startswith("/") and host not in ("localhost", "127.0.0.1", "::1"):
        if not _one(at, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"):
            yield unsafe(
                "database.plain", "The connection to PostgreSQL on another machine is not encrypted.", where,
                "Add ?sslmode=verify-full to DATABASE_URL.",
            )  # fmt: skip
        elif at.settings_dict.get("OPTIONS", {}).get("sslmode") != "verify-full":
            yield unsafe(
                "database.unverified",
                "The connection to PostgreSQL is encrypted, but whom it leads to is not checked.", where,
                "Add ?sslmode=verify-full to DATABASE_URL, with sslrootcert= where the authority is the force's own.",
            )  # fmt: skip
        apart = abs((_one(at, "SELECT clock_timestamp()") - datetime.now(UTC)).total_seconds())
        if apart > CLOCKS_APART:
            yield unsafe(
                "database.clock", f"The database's clock and this machine's are {apart:.0f} s apart.", where,
                "Synchronise both with a time service.",
            )  # fmt: skip


def migrations() -> Iterator[Finding]:
    """A program that is newer than its tables fails in the middle of the work."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        first = plan[0][0]
        yield unsafe(
            "database.migrations", f"{len(plan)} changes of the tables are not made yet, first {first}; what "
            "lies in the tables was not looked at.",
            "the database",
            "python -m safelight.web.manage migrate",
        )  # fmt: skip


def ledger_guards() -> Iterator[Finding]:
    """The triggers that refuse to change or delete what is in the ledger."""
    if connection.vendor == "sqlite":
        wanted = {f"{table}_no_{event}" for table in LEDGER_TABLES for event in ("UPDATE", "DELETE")}
        question = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        wanted = {f"{table}_{what}" for table in LEDGER_TABLES for what in ("append_only", "no_truncate")}
        question = "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')"
    with connection.cursor() as cursor:
        cursor.execute(question)
        there = {row[0] for row in cursor.fetchall()}
    if missing := sorted(wanted - there):
        yield unsafe(
            "ledger.guards", f"The database no longer refuses changes of the ledger: {', '.join(missing)} gone or off.",
            "the ledger's tables",
            "Find out who removed them and why; run `safelight ledger verify`; restore the database from a backup.",
        )  # fmt: skip


def field_keys() -> Iterator[Finding]:
    """Without them contact details, addresses and what was reported cannot be read."""
    where = f"SAFELIGHT_FIELD_KEYS ({settings.FIELD_KEYS})"
    try:
        held = ring()
    except KeyRingError as error:
        yield unsafe("keys.fields", error.what, where, error.fix)
        return
    if len(held.keys) > 1:
        yield advice(
            "keys.rotation", "A rotation of the keys was begun and has not ended.", where, "safelight keys rotate"
        )
    if not Path(settings.FIELD_KEYS).is_relative_to(settings.DATA):
        yield advice(
            "keys.backup", "The key file of encrypted fields lies outside the data folder: backups are without it, and "
            "a restored database cannot be read.", where, "Keep a copy of it apart, after each rotation a new one.",
        )  # fmt: skip


LOOKS = (promises, migrations, ledger_guards, field_keys)
