"""A PostgreSQL cluster: a base by pg_basebackup, and steps made of the write-ahead log that pg_receivewal takes live.

The account of the URL needs REPLICATION. What is restored is a data folder for a server of the same major version; it
is started on a socket that nobody else sees, recovers to the last step, is checked and stopped
(https://www.postgresql.org/docs/15/continuous-archiving.html).
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psycopg

from safelight.backup import folders
from safelight.backup.errors import BackupError, NotRestored
from safelight.backup.manifest import LedgerState
from safelight.backup.parts import CHUNK

NAME = "safelight_backup"
CATCH_UP = 20.0  # seconds that the log may take to reach us
START = 900.0  # seconds that a restored server may take to recover
PARTIAL = ".partial"


@dataclass(frozen=True)
class Place:
    """How far a chain has the write-ahead log: its position, and the files as they were packed."""

    position: str = ""
    files: folders.State = field(default_factory=dict)


def programs(major: int | None = None) -> Path:
    """The folder of PostgreSQL's programs of that major version, or the newest.

    Raises:
        BackupError: there is none.
    """
    found = {path.parent.parent.name: path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_basebackup")}
    if major is None and found:
        return found[max(found, key=lambda name: int(name) if name.isdigit() else 0)]
    if str(major) in found:
        return found[str(major)]
    on_path = shutil.which("pg_basebackup")
    if on_path is None:
        raise BackupError(
            f"The programs of PostgreSQL {major or 15} are not on this machine.", fix="Install the server's package."
        )
    return Path(on_path).resolve().parent


class PostgresSource:
    """The cluster that holds the database of ``settings`` (Django's: NAME, USER, PASSWORD, HOST, PORT).

    Args:
        spool: a folder for the log on its way; None: bases only.
    """

    engine = "postgres"

    def __init__(self, settings: Mapping[str, Any], spool: Path | None) -> None:
        self.database, self.user = str(settings["NAME"]), str(settings.get("USER") or "")
        words = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
        self.server = {name: str(settings[key]) for name, key in words.items() if settings.get(key)}
        try:
            self.connection = psycopg.connect(dbname=self.database, autocommit=True, **self.server)  # type: ignore[arg-type]
        except psycopg.Error as error:
            raise BackupError(f"The database does not answer: {error}.", fix="Check DATABASE_URL.") from error
        self.programs = programs(self.connection.info.server_version // 10_000)
        self.environment = {**os.environ, "PGAPPNAME": NAME}
        for name, value in self.server.items():
            self.environment[f"PG{name.upper()}"] = value
        self.spool = spool
        self.receiver: subprocess.Popen[bytes] | None = None

    def version(self) -> str:
        return str(self.connection.info.server_version // 10_000)

    def facts(self) -> dict[str, int | str]:
        return {"database": self.database, "user": self.user}

    def close(self) -> None:
        if self.receiver is not None and self.receiver.poll() is None:
            self.receiver.send_signal(signal.SIGINT)
            self.receiver.wait()
        self.connection.close()

    def begin(self) -> tuple[None, Place]:
        if self.spool is not None:
            self._receive()
        return None, Place()

    def base(self, seen: None, scratch: Path) -> Iterator[bytes]:
        command = [str(self.programs / "pg_basebackup"), "-D", "-", "-Ft", "-X", "fetch", "-c", "fast", "--no-manifest"]
        with tempfile.TemporaryFile() as said:
            run = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=said)  # noqa: S603
            assert run.stdout is not None
            with run.stdout:
                while piece := run.stdout.read(CHUNK):
                    yield piece
            if run.wait():
                raise BackupError(f"pg_basebackup failed: {_last_line(said)}", fix="The account needs REPLICATION.")

    def ledger(self, seen: None = None) -> LedgerState | None:
        return ledger_state(self.connection)

    def step(self, at: Place) -> tuple[Iterator[bytes] | None, Place]:
        """The files of the log that are new or have grown since ``at``.

        Raises:
            BackupError: the log does not reach us.
        """
        if self.spool is None:
            raise RuntimeError("Steps need a spool.")
        self._receive()
        if self._one("SELECT pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()"):
            # With synchronous_commit off, a commit that was acknowledged may not be in the flushed log yet: a message
            # whose own commit waits for the disk takes everything before it along.
            with self.connection.transaction():
                self.connection.execute("SET LOCAL synchronous_commit = local")
                self.connection.execute("SELECT pg_logical_emit_message(true, %s, '')", [NAME])
        position = self._one("SELECT pg_current_wal_flush_lsn()::text")
        if position == at.position:
            return None, at
        deadline = time.monotonic() + CATCH_UP
        query = "SELECT bool_or(flush_lsn >= %s::pg_lsn) FROM pg_stat_replication WHERE application_name = %s"
        while not self._one(query, position, NAME):
            if time.monotonic() > deadline:
                raise BackupError("The write-ahead log does not reach the backup.", fix="See the log of pg_receivewal.")
            time.sleep(0.05)
        now = folders.state_of(self.spool, leave_out=())
        changed = {name: state for name, state in now.items() if name.endswith(PARTIAL) or at.files.get(name) != state}
        pieces = list(folders.pieces_of(self.spool, changed, {}) or ())
        # Whole segments that were packed before are no longer needed here.
        for name in now:
            if not name.endswith((PARTIAL, ".history")) and at.files.get(name) == now[name]:
                (self.spool / name).unlink(missing_ok=True)
        return iter(pieces), Place(position, now)

    def begin_anew_if_large(self, at: Place) -> tuple[None, Place]:
        """Nothing to do: the server keeps house with its log itself, through the slot."""
        return None, at

    def _receive(self) -> None:
        """Have pg_receivewal run, from a slot, so that the server keeps what we have not taken yet."""
        if self.receiver is not None and self.receiver.poll() is None:
            return
        assert self.spool is not None
        self.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        receive = [str(self.programs / "pg_receivewal"), "-D", str(self.spool), "--slot", NAME]
        made = subprocess.run(  # noqa: S603
            [*receive, "--create-slot", "--if-not-exists"], env=self.environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if made.returncode:
            said = (made.stderr.strip() or "it said nothing").splitlines()[-1]
            raise BackupError(f"The slot for the log cannot be made: {said}", fix="The account needs REPLICATION.")
        self.receiver = subprocess.Popen(  # noqa: S603
            [*receive, "--synchronous"], env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def _one(self, query: str, *values: object) -> Any:
        row = self.connection.execute(query, values).fetchone()
        return row[0] if row else None


def forget_slot(settings: Mapping[str, Any]) -> None:
    """Let the server throw away log that no backup will ask for any more."""
    source = PostgresSource(settings, None)
    try:
        source.connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active",
            [NAME],
        )
    finally:
        source.close()


def ledger_state(connection: psycopg.Connection[Any]) -> LedgerState | None:
    if not (connection.execute("SELECT to_regclass('ledger_ledgerseal')").fetchone() or [None])[0]:
        return None
    row = connection.execute("SELECT tree_size, root FROM ledger_ledgerseal ORDER BY tree_size DESC LIMIT 1").fetchone()
    return LedgerState(row[0], row[1]) if row else LedgerState(0, "")


# --- restoring ----------------------------------------------------------------------------------------------------


def make_ready(cluster: Path, log: Path) -> None:
    """Tell the server in ``cluster`` to recover from the files in ``log``, to their end."""
    for path in log.glob(f"*{PARTIAL}"):
        whole = path.with_suffix("")
        path.unlink() if whole.exists() else path.rename(whole)
    (cluster / "recovery.signal").touch()
    for name in ("log", "pg_replslot"):
        shutil.rmtree(cluster / name, ignore_errors=True)
    (cluster / "pg_replslot").mkdir(mode=0o700)
    (cluster / "postmaster.pid").unlink(missing_ok=True)


@contextmanager
def running(cluster: Path, log: Path, facts: Mapping[str, int | str], major: int) -> Iterator[str]:
    """The restored server, on a socket of its own: the URL of the database.

    Raises:
        NotRestored: it does not start or does not finish recovery.
    """
    home = Path(tempfile.mkdtemp(prefix="safelight-restored-"))  # short: a socket's path is 107 bytes at most
    (home / "hba").write_text("local all all trust\n", encoding="utf-8")
    (home / "ident").touch()
    (home / "conf").touch()
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user = pwd.getpwnam("postgres")
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        for top in (cluster, log, home):
            for path in (top, *top.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
        cluster.parent.chmod(0o711)
        for path in cluster.parents[1:]:
            if not path.stat().st_mode & 0o001:
                raise NotRestored(
                    f"PostgreSQL's user 'postgres' cannot reach {cluster}: {path} is closed to it.",
                    fix="Restore to a folder that it can reach, or restore as that user.",
                )
    settings = {
        "config_file": home / "conf", "hba_file": home / "hba", "ident_file": home / "ident", "hot_standby": "off",
        "listen_addresses": "", "unix_socket_directories": home, "port": "5432",
        "restore_command": f'cp "{log}/%f" "%p"', "recovery_target_timeline": "current", "archive_mode": "off",
        "shared_preload_libraries": "", "max_connections": "20",
    }  # fmt: skip
    command = [
        str(programs(major) / "postgres"),
        "-D",
        str(cluster),
        *(f"--{name}={value}" for name, value in settings.items()),
    ]
    with (home / "log").open("w+b") as said:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", **identity)  # noqa: S603
        try:
            words = {"host": str(home), "dbname": str(facts["database"]), "user": str(facts["user"]) or None}
            _wait(server, words, said)
            yield f"postgres://{facts['user']}@/{facts['database']}?host={home}"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
            shutil.rmtree(home, ignore_errors=True)


def _wait(server: subprocess.Popen[bytes], words: Mapping[str, Any], said: IO[bytes]) -> None:
    deadline = time.monotonic() + START
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(**words).close()
        except psycopg.OperationalError:
            time.sleep(0.2)
        else:
            return
    raise NotRestored(f"The restored server does not start: {_last_line(said)}", fix="Take an earlier backup.")


def _last_line(file: IO[bytes]) -> str:
    file.seek(0)
    lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
