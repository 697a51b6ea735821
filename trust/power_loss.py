"""The power goes while SQLite writes (F3).

SQLite (WAL, synchronous FULL, as Safelight sets it) runs over a file system of our own that keeps apart what was
synchronised and what was only written. At a random write, truncation or synchronisation the power goes: what was
synchronised stays; of the rest each write is kept, lost or torn into sectors of 512 bytes by chance. Then the plain
SQLite opens what is left. Every acknowledged transaction must be there, no transaction in part, and the file sound.

The same with synchronous NORMAL loses transactions, which shows that the trial can find a loss; `safelight check` must
call that setting unsafe.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw

from trust import Progress, Result, Size

TITLE = "The power goes"
ORDER = 20

SIZES = {"small": 25, "full": 500}
SECTOR = 512
TRANSACTIONS = 40


class PowerGone(Exception):
    """No more input and output."""


class Disk:
    """What is on the platter, and what is only in the drive's and kernel's memory, of each file."""

    def __init__(self, rng: random.Random, operations: int) -> None:
        self.rng, self.left = rng, operations
        self.synced: dict[str, bytes] = {}
        self.pending: dict[str, list[tuple[int, bytes | None]]] = {}
        self.image: dict[str, bytes] | None = None

    def operation(self) -> None:
        """One step nearer to the end; at the end the platter is settled."""
        if self.image is not None:
            raise PowerGone
        self.left -= 1
        if self.left <= 0:
            self.image = {name: self._settle(name) for name in {*self.synced, *self.pending}}
            raise PowerGone

    def _settle(self, name: str) -> bytes:
        data = bytearray(self.synced.get(name, b""))
        for offset, piece in self.pending.get(name, []):
            luck = self.rng.random()
            if piece is None:
                if luck < 0.5:
                    del data[offset:]
            elif luck < 0.4:
                _put(data, offset, piece)
            elif luck < 0.8:  # torn: some of its sectors
                for start in range(0, len(piece), SECTOR):
                    if self.rng.random() < 0.5:
                        _put(data, offset + start, piece[start : start + SECTOR])
        return bytes(data)

    def sync(self, name: str) -> None:
        data = bytearray(self.synced.get(name, b""))
        for offset, piece in self.pending.pop(name, []):
            if piece is None:
                del data[offset:]
            else:
                _put(data, offset, piece)
        self.synced[name] = bytes(data)


def _put(data: bytearray, offset: int, piece: bytes) -> None:
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(piece)] = piece


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, filename: Any, flags: list[int]) -> None:
        self.disk = disk
        self.name = Path(filename.filename() if isinstance(filename, apsw.URIFilename) else filename).name
        super().__init__("", filename, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self.disk.operation()
        self.disk.pending.setdefault(self.name, []).append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        self.disk.operation()
        self.disk.pending.setdefault(self.name, []).append((size, None))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        self.disk.operation()
        self.disk.sync(self.name)


class _System(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self.disk = disk
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        return _File(self.disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.disk.operation()
        super().xDelete(filename, syncdir)
        self.disk.synced.pop(Path(filename).name, None)
        self.disk.pending.pop(Path(filename).name, None)


def run(size: Size) -> Result:
    """F3; needs no Django."""
    trials, result = SIZES[size], Result()
    lost = {"FULL": 0, "NORMAL": 0}
    broken = acknowledged = 0
    with Progress("power cuts", 2 * trials) as step:
        for mode in ("FULL", "NORMAL"):
            for number in range(trials):
                with tempfile.TemporaryDirectory() as folder:
                    said, missing, fault = _cut(Path(folder), number, mode)
                lost[mode] += missing
                if mode == "FULL":
                    acknowledged += said
                    if missing or fault:
                        broken += 1
                        result.fail(f"F3, cut {number}: {missing} of {said} acknowledged missing; {fault or 'sound'}")
                elif fault:
                    result.fail(f"F3, NORMAL, cut {number}: {fault}")
                step()
    result.add("F3 power cuts with synchronous FULL", trials, trials - broken, "sound, and no transaction in part")
    result.add("F3 acknowledged transactions", acknowledged, acknowledged - lost["FULL"], "still there")
    result.measured(
        "F3 transactions lost with synchronous NORMAL, in as many cuts", f"{lost['NORMAL']:,}", "more than 0",
        met=lost["NORMAL"] > 0,
    )  # fmt: skip
    refused = [one.code for one in _check_of("NORMAL")]
    sound = [one.code for one in _check_of("FULL")]
    fine = "database.synchronous" in refused and "database.synchronous" not in sound
    result.add("F3 synchronous NORMAL called unsafe by `safelight check`", 1, int(fine), ", ".join(refused))
    return result


def _cut(folder: Path, number: int, mode: str) -> tuple[int, int, str]:
    """One power cut: (transactions acknowledged, of them missing, what else is wrong)."""
    rng = random.Random(f"{mode} {number}")
    disk = Disk(rng, rng.randint(20, 260))
    name = f"losing-{mode}-{number}"
    system = _System(name, disk)
    work = folder / "work"
    work.mkdir()
    acknowledged: list[int] = []
    connection = None
    try:
        connection = apsw.Connection(str(work / "ledger.sqlite3"), vfs=name)
        for statement in ("journal_mode=WAL", f"synchronous={mode}", f"wal_autocheckpoint={rng.choice([4, 12, 1000])}"):
            connection.execute(f"PRAGMA {statement}")
        connection.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, turn, part, body)")
        for turn in range(TRANSACTIONS):
            connection.execute("BEGIN IMMEDIATE")
            for part in range(3):
                body = rng.randbytes(rng.randint(1, 3_000))
                connection.execute("INSERT INTO entry (turn, part, body) VALUES (?, ?, ?)", (turn, part, body))
            connection.execute("COMMIT")
            acknowledged.append(turn)
    except (PowerGone, apsw.Error):
        pass
    disk.left = 0
    image = disk.image
    if image is None:
        try:
            disk.operation()
        except PowerGone:
            image = disk.image
    if connection is not None:
        with suppress(PowerGone, apsw.Error):
            connection.close(True)
    system.unregister()
    after = folder / "after"
    after.mkdir()
    for file, data in (image or {}).items():
        if not file.endswith("-shm"):
            (after / file).write_bytes(data)
    plain = sqlite3.connect(after / "ledger.sqlite3")
    try:
        sound = plain.execute("PRAGMA integrity_check").fetchone()[0]
        there = plain.execute("SELECT turn, count(*) FROM entry GROUP BY turn").fetchall() if acknowledged else []
    except sqlite3.DatabaseError as error:
        # Without its table everything is lost, and the file may still be sound.
        gone = isinstance(error, sqlite3.OperationalError) and "no such table" in str(error)
        return len(acknowledged), len(acknowledged), "" if gone else f"{error}"
    finally:
        plain.close()
    torn = [turn for turn, parts in there if parts != 3]
    missing = len(set(acknowledged) - {turn for turn, _ in there})
    fault = "" if sound == "ok" and not torn else f"integrity: {sound}; in part: {torn}"
    return len(acknowledged), missing, fault


def _check_of(mode: str) -> list[Any]:
    """What `safelight check` says of a SQLite database under this setting."""
    from safelight.web.production.store import sqlite

    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "x.sqlite3")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA synchronous={mode}")
        try:
            return list(sqlite(_AsDjango(connection, folder)))
        finally:
            connection.close()


class _AsDjango:
    """A plain connection with what the check asks of Django's."""

    def __init__(self, connection: sqlite3.Connection, folder: str) -> None:
        self._connection = connection
        self.settings_dict = {"NAME": f"{folder}/x.sqlite3"}

    def cursor(self) -> Any:
        return _Cursor(self._connection)


class _Cursor:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._cursor = connection.cursor()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def execute(self, question: str, values: Any = ()) -> None:
        self._cursor.execute(question, values)

    def fetchone(self) -> Any:
        return self._cursor.fetchone()
