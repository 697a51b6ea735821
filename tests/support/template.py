"""A migrated SQLite database, kept between test runs: applying every migration costs more than most test files.

The key is the text of all migrations and of this file; a change in any of them makes a new one. ``migrate`` still runs
over the copy, so that a forgotten migration is found. PostgreSQL is not concerned.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from pathlib import Path

import django

import safelight

ROOT = Path(safelight.__file__).parent


def template() -> Path:
    """Where the migrated database for these migrations is, or would be."""
    key = hashlib.sha256(f"{django.__version__} {sqlite3.sqlite_version} {os.geteuid()}".encode())
    for path in sorted([*ROOT.glob("casework/*/migrations/*.py"), *ROOT.glob("web/settings.py"), Path(__file__)]):
        key.update(path.name.encode() + path.read_bytes())
    return Path(tempfile.gettempdir()) / f"safelight-migrated-{key.hexdigest()[:24]}.sqlite3"


def take(target: Path) -> bool:
    """Copy the migrated database to ``target``. False when there is none yet."""
    source = template()
    if not source.is_file():
        return False
    _copy(source, target)
    return True


def keep(made: Path) -> None:
    """Keep ``made``, just migrated, for the next run."""
    place = template()
    if place.exists():
        return
    half = place.with_suffix(f".{os.getpid()}")
    _copy(made, half)
    half.replace(place)


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with sqlite3.connect(source) as here, sqlite3.connect(target) as there:
        here.backup(there)
    here.close()
    there.close()
