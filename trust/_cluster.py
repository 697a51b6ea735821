"""A PostgreSQL of the trial's own, durable, which may be killed: a copy of the cluster of DATABASE_URL, kept running by
a thread that does what systemd does with ``Restart=on-failure``: whenever the server ends, start it again.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trust import say
from trust._children import until

#: Seconds from an end to the next start.
RESTART_AFTER = 0.5


class Cluster:
    """Made from the cluster that Django talks to; ``with`` it, Django (and what is forked) talks to this one."""

    def __init__(self) -> None:
        from django.db import connection

        from safelight.backup.postgres_source import programs

        words = connection.settings_dict
        self.programs = programs()
        self.home = Path(tempfile.mkdtemp(prefix="safelight-cluster-"))
        self.data, self.log = self.home / "data", self.home / "log"
        self.port = free_port()
        self.identity: dict[str, Any] = {}
        self.starts = 0
        self._stopping = threading.Event()
        self._server: subprocess.Popen[bytes] | None = None
        environment = {
            **os.environ, "PGHOST": words["HOST"], "PGPORT": str(words["PORT"]), "PGUSER": words["USER"],
            "PGPASSWORD": words["PASSWORD"],
        }  # fmt: skip
        say("copying the database cluster")
        subprocess.run(
            [self.programs / "pg_basebackup", "-D", self.data, "-X", "stream", "-c", "fast", "--no-sync"],
            env=environment, check=True, capture_output=True,
        )  # fmt: skip
        if os.geteuid() == 0:  # the server refuses to run as root
            user = pwd.getpwnam("postgres")
            self.identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            self.log.touch()
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)

    def __enter__(self) -> Cluster:
        from django.db import connection

        self._watcher = threading.Thread(target=self._keep, daemon=True)
        self._watcher.start()
        self._before = (connection.settings_dict["HOST"], connection.settings_dict["PORT"])
        connection.close()
        connection.settings_dict.update(HOST="127.0.0.1", PORT=str(self.port))
        if not self.answers(60):
            raise RuntimeError(f"The copied cluster does not start: {self.log.read_text()[-1500:]}")
        return self

    def __exit__(self, *_: object) -> None:
        from django.db import connection

        connection.close()
        connection.settings_dict.update(HOST=self._before[0], PORT=self._before[1])
        self._stopping.set()
        self.kill()
        self._watcher.join()
        shutil.rmtree(self.home, ignore_errors=True)

    def _keep(self) -> None:
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.home, "fsync": "on",
            "synchronous_commit": "on", "full_page_writes": "on", "max_connections": "40", "shared_buffers": "64MB",
            "timezone": "UTC", "restart_after_crash": "on",
        }  # fmt: skip
        command = [self.programs / "postgres", "-D", self.data, *(f"--{name}={one}" for name, one in settings.items())]
        with self.log.open("ab") as out:
            while not self._stopping.is_set():
                self.starts += 1
                self._server = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", **self.identity
                )
                self._server.wait()
                self._stopping.wait(RESTART_AFTER)

    def kill(self) -> None:
        """SIGKILL for the postmaster and everything that it started."""
        server = self._server
        if server is None or server.poll() is not None:
            return
        for pid in (server.pid, *children_of(server.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def answers(self, seconds: float) -> bool:
        """Whether it takes connections, at most so long from now."""
        ready = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return until(lambda: not subprocess.run(ready, check=False).returncode, seconds, 0.1)

    def said(self, words: str) -> int:
        """How often its log says this."""
        return self.log.read_text(errors="replace").count(words)


@contextmanager
def away_from_sqlite() -> Iterator[Cluster | None]:
    """On PostgreSQL a cluster of the trial's own; on SQLite nothing."""
    from django.db import connection

    if connection.vendor == "sqlite":
        yield None
        return
    with Cluster() as cluster:
        yield cluster


def children_of(pid: int) -> list[int]:
    """Direct children: PostgreSQL's backends are all children of the postmaster."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(one) for one in found.read_text().split()]
    except FileNotFoundError:
        return []


def free_port() -> int:
    """A port of this machine that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
