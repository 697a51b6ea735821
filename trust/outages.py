"""What intake needs and what it does not (F10): workers, mail, witness and database go away, and come back.

Two processes send reports, as a platform or a desk does: each again and again until it is told that it is recorded. In
the first kind of outage no worker runs, and proxies between Safelight and its mail server and its witness cut every
connection in the middle and take no new one. Intake must go on; jobs, letters and seals wait; and when all are back,
the backlog drains: every report was matched by one job, every letter arrived, the witness has seen the newest seal. In
the second kind it is the database: a proxy cuts the connections to PostgreSQL wherever they are (before, in or after a
commit); on SQLite another process holds the lock. Reports are refused, sent again when it is back, and none may be
there twice, or with two jobs, or be missing. Outages are compressed: seconds for minutes, and the waits between two
tries of a letter or a witness (30 s and more) are passed over when everything is back.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

from trust import Progress, Result, Size
from trust._children import Child, check_whole, database_url, referral, until
from trust._cluster import free_port

TITLE = "Outages"
DATABASES = ("sqlite", "postgresql")
ORDER = 35

#: Rounds (each an outage of both kinds); seconds of an outage.
SIZES = {"small": (1, 0.7), "full": (10, 6.0)}
SENDERS = 2


class Proxy:
    """Between the program and something that it talks to over TCP. While ``away``, every connection is cut."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.away = False
        self.cuts = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(10)

    def _run(self, ready: threading.Event) -> None:
        async def begin() -> None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
            ready.set()

        self._loop.run_until_complete(begin())
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.away:
            self.cuts += 1
            writer.transport.abort()
            return
        try:
            there, to_there = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, to_there}
        await asyncio.gather(self._pass_on(reader, to_there), self._pass_on(there, writer))
        self._open -= {writer, to_there}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def goes(self) -> None:
        """From now on it is away; what is open is cut as it stands."""
        self.away = True

        def cut() -> None:
            for one in list(self._open):
                self.cuts += 1
                one.transport.abort()

        self._loop.call_soon_threadsafe(cut)

    def comes_back(self) -> None:
        self.away = False

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


class Postbox:
    """A mail server's memory: the Message-ID of everything that it took."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken[str(message_from_bytes(envelope.content)["Message-ID"])] += 1
        return "250 Message accepted for delivery"


def run(size: Size) -> Result:
    """F10 on the database that Django is set up for; outside a transaction, because other processes write."""
    from django.db import connections
    from tests.casework.factories import make_user

    rounds, seconds = SIZES[size]
    result = Result()
    seen = _Seen()
    with tempfile.TemporaryDirectory() as folder, _surroundings(Path(folder)) as around:
        desk = make_user("referral_desk")
        desk.email = "desk@force.example"
        desk.save()
        with Progress("rounds of outages", rounds) as step:
            for turn in range(rounds):
                _outside(result, seen, around, desk, f"F10-{turn}-outside", seconds)
                _database(result, seen, around, desk, f"F10-{turn}-database", seconds)
                _drain(result, seen, around, f"F10-{turn}-")
                step()
        connections.close_all()
        result.add("F10 outages of workers, mail and witness in which intake went on", rounds, seen.went_on,
                   f"{seen.meanwhile:,} reports recorded meanwhile; {seconds:g} s each")  # fmt: skip
        result.add("F10 outages of the database after which every report that was sent was there", rounds, seen.whole,
                   f"{seen.refused:,} times a report was refused and sent again")  # fmt: skip
        result.add("F10 rounds of both after which the backlog drained", rounds, seen.drained, f"{seen.jobs:,} jobs, "
                   f"{sum(around.postbox.taken.values()):,} letters; {around.mail.cuts + around.watch.cuts} "
                   "connections cut or refused")  # fmt: skip
        result.add("F10 reports with exactly one record and one job", len(seen.sent), len(seen.sent) - seen.wrong)
        again = sum(count - 1 for count in around.postbox.taken.values())
        result.measured("F10 letters that arrived twice, with the same Message-ID", f"{again}")
        check_whole(result, "F10", seen.sent, f"{2 * rounds} outages")
        connections.close_all()
    return result


class _Seen:
    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.went_on = self.meanwhile = self.refused = self.whole = self.drained = self.jobs = self.wrong = 0


class _Around:
    postbox: Postbox
    mail: Proxy
    watch: Proxy
    witness: Any


@contextmanager
def _surroundings(folder: Path) -> Iterator[_Around]:
    """A mail server and a witness, each behind a proxy, and the settings that name them."""
    from aiosmtpd.controller import Controller
    from django.test import override_settings

    from safelight.casework.ledger import outside, witnessing
    from safelight.tlog.serving import server
    from safelight.tlog.witness import Witness

    around = _Around()
    around.postbox = Postbox()
    mail_server = Controller(around.postbox, hostname="127.0.0.1", port=free_port())
    mail_server.start()
    around.mail = Proxy("127.0.0.1", mail_server.port)
    (folder / "witness").mkdir()
    around.witness = Witness(folder / "witness", "witness.example")
    names = folder / "witnesses"
    kept = witnessing.AGAIN_AFTER
    with (
        server(around.witness, "127.0.0.1", 0) as listening,
        override_settings(
            EMAIL_ON=True, EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=around.mail.port, EMAIL_USE_TLS=False, EMAIL_USE_SSL=False, EMAIL_TIMEOUT=2,
            SITE_URL="https://safelight.example", DEFAULT_FROM_EMAIL="safelight@force.example", WITNESSES=str(names),
            LEDGER_KEY=folder / "ledger.key",
        ),
    ):  # fmt: skip
        around.witness.add_log(outside.log_signer().verifier)
        around.watch = Proxy("127.0.0.1", listening.server_port)
        names.write_text(f"http://127.0.0.1:{around.watch.port} {around.witness.signer.verifier}\n", encoding="utf-8")
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        witnessing.AGAIN_AFTER = timedelta(0)
        try:
            yield around
        finally:
            witnessing.AGAIN_AFTER = kept
            listening.shutdown()
            thread.join()
            mail_server.stop()
            around.mail.close()
            around.watch.close()


def _sender(acknowledge: Callable[[str], None], desk: Any, name: str, stop: Path, port: int) -> None:
    """Send reports until told to stop, each until it is recorded; the mail of each is written in its transaction."""
    from django.db import DatabaseError, InterfaceError, connection, transaction

    from safelight.casework.notices.services import tell

    if connection.vendor == "postgresql":
        connection.settings_dict["PORT"] = str(port)
    else:
        connection.settings_dict.setdefault("OPTIONS", {})["timeout"] = 0.2
    count = 0
    while not stop.exists():
        key = f"{name}-{count}"
        try:
            with transaction.atomic():
                referral(desk, key)
                tell([desk], "ledger.refused", None, key=key)
        except (DatabaseError, InterfaceError):
            acknowledge(f"refused {key}")
            connection.close()
            time.sleep(0.05)
            continue
        acknowledge(f"saved {key}")
        count += 1
        time.sleep(0.4)  # a desk that types, not a flood


@contextmanager
def _senders(seen: _Seen, desk: Any, name: str, folder: Path, port: int = 0) -> Iterator[list[Child]]:
    """They send while this is open; then each finishes the report that it is at."""
    from django.db import connection

    stop = folder / name
    port = port or int(connection.settings_dict.get("PORT") or 0)
    senders = [Child(lambda say, n=number: _sender(say, desk, f"{name}-{n}", stop, port)) for number in range(SENDERS)]
    try:
        yield senders
    finally:
        stop.touch()
        for one in senders:
            until(one.ended, 60)
            for line in one.close():
                what, _, key = line.partition(" ")
                seen.refused += what == "refused"
                if what == "saved":
                    seen.sent.add(key)


def _saved(senders: list[Child]) -> int:
    return sum(line.startswith("saved") for one in senders for line in one.lines())


def _outside(result: Result, seen: _Seen, around: _Around, desk: Any, name: str, seconds: float) -> None:
    """Workers, mail and witness are away while reports come in."""
    with tempfile.TemporaryDirectory() as folder, _senders(seen, desk, name, Path(folder)) as senders:
        until(lambda: _saved(senders) > 0, 60)
        around.mail.goes()
        around.watch.goes()
        before, end = _saved(senders), time.monotonic() + seconds
        while time.monotonic() < end:
            _tick()
            time.sleep(0.1)
        if not until(lambda: _saved(senders) > before, 30):
            result.fail(f"F10, {name}: nothing was recorded while workers, mail and witness were away.")
        else:
            seen.went_on += 1
            seen.meanwhile += _saved(senders) - before
        around.mail.comes_back()
        around.watch.comes_back()


def _database(result: Result, seen: _Seen, around: _Around, desk: Any, name: str, seconds: float) -> None:
    """The database is away while reports come in."""
    from django.db import connection

    lite = connection.vendor == "sqlite"
    words = connection.settings_dict
    proxy = None if lite else Proxy(words["HOST"], int(words["PORT"]))
    with (
        tempfile.TemporaryDirectory() as folder,
        _senders(seen, desk, name, Path(folder), proxy.port if proxy else 0) as senders,
    ):
        until(lambda: _saved(senders) > 0, 60)
        if proxy:
            proxy.goes()
            time.sleep(seconds)
            proxy.comes_back()
        else:
            with sqlite3.connect(words["NAME"], timeout=30, isolation_level=None) as other:
                other.execute("BEGIN EXCLUSIVE")
                time.sleep(seconds)
                other.execute("ROLLBACK")
            other.close()
        before = _saved(senders)
        if not until(lambda: _saved(senders) > before, 60):
            result.fail(f"F10, {name}: nothing was recorded within 60 s of the database's return.")
        else:
            seen.whole += 1
    if proxy:
        proxy.close()


def _tick(later: timedelta = timedelta(0)) -> None:
    """What of `safelight tick` talks to the outside."""
    from django.utils import timezone

    from safelight.casework.ledger.services import seal
    from safelight.casework.ledger.witnessing import show_newest_seal
    from safelight.casework.notices.letters import send_waiting

    while seal():
        pass
    show_newest_seal()
    send_waiting(timezone.now() + later)


def _drain(result: Result, seen: _Seen, around: _Around, name: str) -> None:
    """Everything is back: one job for each new report, then none; no letter waits; the witness has seen the newest."""
    from django.conf import settings
    from django.db import connections

    from safelight.casework.ledger.models import LedgerSeal
    from safelight.casework.notices.models import Letter
    from safelight.casework.referrals.models import Referral

    jobs = Counter(_jobs())
    mine = Referral.objects.filter(source_reference__startswith=name)
    keys = Counter(mine.values_list("source_reference", flat=True))
    wrong = [pk for pk in mine.values_list("pk", flat=True) if jobs[pk] != 1]
    twice = [key for key, count in keys.items() if count != 1]
    seen.wrong += len(wrong) + len(twice)
    for what in (*wrong[:3], *twice[:3]):
        result.fail(f"F10, {name}: report {what} has {jobs.get(what, keys.get(what, 0))} jobs or records.")
    seen.jobs += sum(jobs.values())
    connections.close_all()
    _work()
    for _ in range(20):
        _tick(timedelta(hours=7))
    left = list(_jobs())
    waiting = Letter.objects.filter(next_try_at__isnull=False).count()
    newest = LedgerSeal.objects.order_by("-tree_size").first()
    latest = around.witness.latest(settings.LEDGER_ORIGIN)
    witnessed = newest is not None and latest is not None and latest.checkpoint.size == newest.tree_size
    if left or waiting or not witnessed:
        result.fail(f"F10, {name}: {len(left)} jobs and {waiting} letters wait; newest seal witnessed: {witnessed}.")
    else:
        seen.drained += 1


def _work() -> None:
    """A worker, as an operator starts it, until the queue is empty."""
    environment = {**os.environ, "DATABASE_URL": database_url(), "SAFELIGHT_TESTING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "safelight.cli.main", "worker", "--batch", "--interval", "0.1"], env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"The worker ended with {done.returncode}: {done.stderr[-500:]}")


def _jobs() -> Iterator[int]:
    """The report of each match job that is not done."""
    from django.db import connection

    if connection.vendor == "postgresql":
        from procrastinate.contrib.django.models import ProcrastinateJob

        for row in ProcrastinateJob.objects.exclude(status="succeeded"):
            yield int(row.args["kwargs"]["referral_pk"])
        return
    from django_tasks_db.models import DBTaskResult

    for row in DBTaskResult.objects.exclude(status="SUCCESSFUL"):
        yield int(row.args_kwargs["kwargs"]["referral_pk"])
