"""A SQLite database: a base by the online backup API, and steps made of the pages that the write-ahead log (WAL) holds.

A step is whole pages as of one commit, so that laying the steps over the base in order gives the database of that
commit, byte by byte. Readers that we keep open (*pins*) stop SQLite from beginning its WAL anew behind our back; when
it has grown we have it begun anew ourselves, under the lock of writers, after the last page was taken. Should another
program begin it anew all the same, its salt tells, and a new base is made: a step is never missing unnoticed.
(https://www.sqlite.org/walformat.html)
"""

from __future__ import annotations

import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from safelight.backup.errors import BackupError, NotRestored
from safelight.backup.manifest import LedgerState
from safelight.backup.parts import CHUNK

WAL_HEADER, FRAME_HEADER = 32, 24
STEP_HEADER = struct.Struct(">8sIIQ")  # magic, page size, pages of the database after this step, pages that follow
STEP_MAGIC = b"SLPAGES1"
PAGE_NUMBER = struct.Struct(">I")
WAIT = 30.0  # seconds that a lock may take
PATIENCE = 1.0  # seconds that writers wait at most, once in 64 MiB, for readers of an older state to end
BEGIN_TRIES = 50


@dataclass(frozen=True)
class Place:
    """How far the WAL is committed: its salt, frames (and those carried over into the database file), pages of the
    database, and the size of a page in bytes."""

    salt: tuple[int, int]
    frames: int
    carried: int
    pages: int
    page_size: int


class ChainBroken(BackupError):
    """The WAL was begun anew by somebody else: only a new base can go on from here."""


class SQLiteSource:
    """The database file at ``path``; must be in WAL mode, as Safelight's is."""

    engine = "sqlite"
    large = 64 << 20  # bytes of the WAL from which on we have it begun anew

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise BackupError(f"There is no database at {path}.", fix="Check SAFELIGHT_DATA.")
        self.path = path
        self.writer = self._connect()
        self.other = self._connect()
        self.pin: sqlite3.Connection | None = None
        if self.writer.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            raise BackupError(f"{path} is not in WAL mode.", fix="Open it once with Safelight.")

    def version(self) -> str:
        return sqlite3.sqlite_version

    def facts(self) -> dict[str, int | str]:
        return {}

    def close(self) -> None:
        self._hold(None)
        self.writer.close()
        self.other.close()

    def begin(self) -> tuple[sqlite3.Connection, Place]:
        """Fix a moment: a connection that sees it, and the place from which :meth:`step` goes on.

        Raises:
            BackupError: the database was busy for too long.
        """
        for _ in range(BEGIN_TRIES):
            with self._writing():
                self._bump()  # so that a reader's place is in the WAL, and holds it
            with self._writing():  # nobody commits while we look how far the WAL is
                here = self._committed()
                seen, pin = self._pinned(), self._pinned()
                if self._committed().carried < here.frames:
                    self._hold(pin)
                    return seen, here
            seen.close()
            pin.close()
        raise BackupError("The database was too busy to fix a moment in it.", fix="Try again.")

    def base(self, seen: sqlite3.Connection, scratch: Path) -> Iterator[bytes]:
        """The database as ``seen`` sees it, by way of a file at ``scratch`` that is gone afterwards."""
        try:
            with closing(sqlite3.connect(scratch)) as copy:
                seen.backup(copy, pages=-1)
                copy.execute("PRAGMA journal_mode = DELETE")
            with scratch.open("rb") as file:
                while piece := file.read(CHUNK):
                    yield piece
        except sqlite3.Error as error:
            raise BackupError(
                f"The database cannot be copied to {scratch}: {error}.", fix="Make room there."
            ) from error
        finally:
            seen.close()
            scratch.unlink(missing_ok=True)

    def ledger(self, seen: sqlite3.Connection | None = None) -> LedgerState | None:
        """The newest seal, or None in a database without a ledger."""
        return ledger_state(seen or self.other)

    def step(self, at: Place) -> tuple[list[bytes] | None, Place]:
        """What was committed since ``at`` (pieces of a part, or None when nothing was), and how far that is.

        Raises:
            ChainBroken: pages are lost for the chain; make a new base.
        """
        here = self._committed()
        pieces = self._pages(at, here)
        new = self._pinned()
        if self._committed().carried < here.frames:
            self._hold(new)
        else:
            new.close()  # it would not hold the WAL; the one that we have does
        return pieces, here

    def begin_anew_if_large(self, at: Place) -> tuple[list[bytes] | None, Place]:
        """Have the WAL begun anew when it is large and no reader needs it: what was left in the old one, and the place
        to go on from. Not to be called while a base is being copied. Raises: as :meth:`step`.
        """
        if self._committed().frames * at.page_size < self.large:
            return None, at
        with self._writing():
            here = self._committed()
            pieces = self._pages(at, here)
            # Nobody writes now; without our own reader the WAL can be carried over whole.
            self._hold(None)
            patience = time.monotonic() + PATIENCE
            while not self._carried_over() and time.monotonic() < patience:
                time.sleep(0.01)
            # This reader lets nobody begin the WAL anew twice: it sits on the database file, which no checkpoint may
            # then write to, or, when the WAL was not carried over whole, in the WAL itself.
            guard = self._pinned()
        try:
            with self._writing():
                self._bump()
            after = self._committed()
            self._hold(self._pinned())
        finally:
            guard.close()
        if after.salt == here.salt:
            return pieces, here
        if after.salt[0] != (here.salt[0] + 1) & 0xFFFFFFFF:
            raise ChainBroken("The write-ahead log was begun anew by another program.", fix="A new base is made.")
        return pieces, Place(after.salt, 0, 0, here.pages, after.page_size)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        return connection

    def _pinned(self) -> sqlite3.Connection:
        """A new connection with an open reading transaction."""
        connection = self._connect()
        connection.execute("BEGIN")
        connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        return connection

    def _hold(self, pin: sqlite3.Connection | None) -> None:
        old, self.pin = self.pin, pin
        if old is not None:
            old.close()

    def _bump(self) -> None:
        """Write one page: the number is nobody else's (Django does not use it)."""
        number = self.writer.execute("PRAGMA user_version").fetchone()[0]
        self.writer.execute(f"PRAGMA user_version = {(number + 1) & 0x3FFFFFFF}")

    def _carried_over(self) -> bool:
        """Have SQLite carry the WAL over into the database file; False while a reader still needs an older state."""
        busy, frames, carried = self.other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not busy and frames == carried

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Under the lock of writers. Raises BackupError when somebody else holds it too long."""
        try:
            self.writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise BackupError(f"The database was locked for {WAIT:g} seconds: {error}.", fix="Try again.") from error
        try:
            yield
            self.writer.execute("COMMIT")
        finally:
            if self.writer.in_transaction:
                self.writer.execute("ROLLBACK")

    def _committed(self) -> Place:
        """Read from the index of the WAL, whose header stands there twice so that a torn one is seen."""
        with Path(f"{self.path}-shm").open("rb") as file:
            for _ in range(1_000):
                file.seek(0)
                both = file.read(100)
                if both[:48] == both[48:96] and both[12]:
                    break
            else:
                raise BackupError("The index of the write-ahead log cannot be read.", fix="Try again.")
        size, frames, pages = struct.unpack_from("=HII", both, 14)
        salt = struct.unpack_from(">II", both, 32)
        (carried,) = struct.unpack_from("=I", both, 96)
        return Place((salt[0], salt[1]), frames, carried, pages, 65536 if size == 1 else size)

    def _pages(self, since: Place, until: Place) -> list[bytes] | None:
        """The last state of each page written in between, in the order of the pages."""
        if until.salt != since.salt:
            raise ChainBroken("The write-ahead log was begun anew by another program.", fix="A new base is made.")
        if until.frames == since.frames:
            return None
        newest: dict[int, int] = {}
        width = FRAME_HEADER + until.page_size
        pieces = []
        with Path(f"{self.path}-wal").open("rb") as wal:
            for frame in range(since.frames, until.frames):
                wal.seek(WAL_HEADER + frame * width)
                page, _, *salt = struct.unpack(">IIII", wal.read(16))
                if tuple(salt) != until.salt:
                    raise ChainBroken("A frame of the write-ahead log is not of its time.", fix="A new base is made.")
                newest[page] = frame
            kept = {page: frame for page, frame in newest.items() if page <= until.pages}
            pieces.append(STEP_HEADER.pack(STEP_MAGIC, until.page_size, until.pages, len(kept)))
            for page, frame in sorted(kept.items()):
                wal.seek(WAL_HEADER + frame * width + FRAME_HEADER)
                pieces.append(PAGE_NUMBER.pack(page) + wal.read(until.page_size))
        return pieces


def ledger_state(connection: sqlite3.Connection) -> LedgerState | None:
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'ledger_ledgerseal'").fetchone():
        return None
    row = connection.execute("SELECT tree_size, root FROM ledger_ledgerseal ORDER BY tree_size DESC LIMIT 1").fetchone()
    return LedgerState(row[0], row[1]) if row else LedgerState(0, "")


class PageWriter:
    """Takes the bytes of a step as they come and lays its pages over the database file."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("r+b")
        self.waiting = bytearray()
        self.page_size = self.pages = self.left = 0

    def __call__(self, piece: bytes) -> None:
        self.waiting += piece
        if not self.page_size:
            if len(self.waiting) < STEP_HEADER.size:
                return
            magic, self.page_size, self.pages, self.left = STEP_HEADER.unpack_from(self.waiting)
            if magic != STEP_MAGIC or not self.page_size:
                raise NotRestored("A step of the backup holds no pages of a database.", fix="Take another copy.")
            del self.waiting[: STEP_HEADER.size]
        width = PAGE_NUMBER.size + self.page_size
        done = 0
        while self.left and len(self.waiting) - done >= width:
            (page,) = PAGE_NUMBER.unpack_from(self.waiting, done)
            self.file.seek((page - 1) * self.page_size)
            self.file.write(memoryview(self.waiting)[done + PAGE_NUMBER.size : done + width])
            done += width
            self.left -= 1
        del self.waiting[:done]

    def finish(self) -> None:
        """Bring the file to its size. Raises NotRestored when pages are missing."""
        if self.left or self.waiting or not self.page_size:
            raise NotRestored("A step of the backup ends before its last page.", fix="Take another copy.")
        self.file.truncate(self.pages * self.page_size)

    def close(self) -> None:
        self.file.close()
