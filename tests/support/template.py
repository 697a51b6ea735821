"""A migrated database, made once and copied: applying every migration costs more than most test files.

The key is the text of all migrations and of this file; a change in any of them makes a new one. ``migrate`` still runs
over the copy, so that a forgotten migration is found. On SQLite it is kept between test runs, on PostgreSQL for as long
as that cluster lives. Of several processes the first makes it, and the others wait for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import django
from django.db import connection, connections

import safelight

ROOT = Path(safelight.__file__).parent


@cache
def key() -> str:
    made = hashlib.sha256(f"{django.__version__} {sqlite3.sqlite_version} {os.geteuid()}".encode())
    for path in sorted([*ROOT.glob("casework/*/migrations/*.py"), *ROOT.glob("web/settings.py"), Path(__file__)]):
        made.update(path.name.encode() + path.read_bytes())
    return made.hexdigest()[:24]


class Kept:
    """The database of this process's tests, copied from the kept one where there is one.

    Attributes:
        taken: whether it was copied. Otherwise Django makes it, :meth:`made` keeps it, and until then others wait.
    """

    def __init__(self) -> None:
        self._lite = connection.vendor == "sqlite"
        name: Any = connection.settings_dict["TEST"].get("NAME") if self._lite else _test_name()
        self.name = str(name)
        where = "" if self._lite else f"-{connection.settings_dict['HOST']}-{connection.settings_dict['PORT']}"
        self._lock = (Path(tempfile.gettempdir()) / f"safelight-migrated-{key()}{where}.lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.taken = take(Path(self.name)) if self._lite else _take_postgresql(self.name)
        if self.taken:
            self._lock.close()

    def made(self) -> None:
        """It is migrated now."""
        if self.taken:
            return
        if self._lite:
            keep(Path(self.name))
        else:
            _ask(f'CREATE DATABASE "{_kept_name()}" TEMPLATE "{self.name}"')
        self._lock.close()

    def remove(self) -> None:
        """The copy is no longer wanted; what Django made itself, it removes."""
        if not self.taken:
            return
        if self._lite:
            for suffix in ("", "-wal", "-shm"):
                Path(self.name + suffix).unlink(missing_ok=True)
        else:
            _ask(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


def template() -> Path:
    """Where the migrated SQLite database for these migrations is, or would be."""
    return Path(tempfile.gettempdir()) / f"safelight-migrated-{key()}.sqlite3"


def take(target: Path) -> bool:
    """Copy the migrated SQLite database to ``target``. False when there is none yet."""
    source = template()
    if not source.is_file():
        return False
    _copy(source, target)
    return True


def keep(made: Path) -> None:
    """Keep ``made``, a SQLite database just migrated, for the next."""
    half = template().with_suffix(f".{os.getpid()}")
    _copy(made, half)
    half.replace(template())


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with sqlite3.connect(source) as here, sqlite3.connect(target) as there:
        here.backup(there)
    here.close()
    there.close()


def _kept_name() -> str:
    return f"safelight_migrated_{key()}"


def _test_name() -> str:
    return connection.creation._get_test_db_name()


def _take_postgresql(target: str) -> bool:
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_kept_name()])
        there = cursor.fetchone() is not None
    if there:
        _ask(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
        _ask(f'CREATE DATABASE "{target}" TEMPLATE "{_kept_name()}"')
    return there


def _ask(statement: str) -> None:
    """Outside of the test database, to which nobody may be connected while it is copied."""
    connections.close_all()
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(statement)
