"""A small database with the one table of the ledger that a backup looks at, and chains of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from safelight.backup import Aim, Chain
from safelight.backup.parts import new_key
from safelight.backup.sqlite_source import SQLiteSource


class Place:
    """A data folder with a database, a folder for backups and a key."""

    def __init__(self, top: Path) -> None:
        self.data, self.backups = top / "data", top / "backups"
        self.data.mkdir()
        self.file = self.data / "safelight.sqlite3"
        self.secret, self.public = new_key()
        self.database = self.connect()
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("CREATE TABLE ledger_ledgerseal (tree_size INTEGER, root TEXT)")
        self.database.execute("CREATE TABLE case_ (id INTEGER PRIMARY KEY, words BLOB)")
        self.aim = Aim(
            self.data,
            (self.file, Path(f"{self.file}-wal"), Path(f"{self.file}-shm")),
            self.backups,
            (self.public,),
            "test",
        )

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def write(self, words: bytes = b"words") -> None:
        self.database.execute("INSERT INTO case_ (words) VALUES (?)", [words])

    def seal(self, size: int) -> str:
        root = f"{size:064x}"
        self.database.execute("INSERT INTO ledger_ledgerseal VALUES (?, ?)", [size, root])
        return root

    def source(self) -> SQLiteSource:
        return SQLiteSource(self.file)

    def chain(self) -> Chain:
        return Chain(self.source(), self.aim)


def everything(path: Path) -> list[tuple[int, bytes]]:
    """All rows of the cases in a database file, and that the file is sound."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT id, words FROM case_ ORDER BY id").fetchall()
    finally:
        connection.close()
