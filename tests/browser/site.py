"""A whole Safelight for the browser: a database, a force, evidence, a server and a worker of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import override_settings
from pytest_django.live_server_helper import LiveServer
from tests.support.template import take

import safelight.standards

PASSWORD = "synthetic-walk-1"
DEMO_SITE = Path(safelight.standards.__file__).parent / "data" / "demo_site.toml"
CARD = "card/phone-card.dd"
"""A memory card of a telephone, whole."""
CUT = "card/phone-card-cut-short.dd"
"""The same card as an image whose end is missing: it has findings and unread parts."""
_CUT_AT = 20 * 2**20
PEOPLE = (
    ("desk", "referral_desk", "Dana Desk (synthetic)", None),
    ("investigator", "investigator", "Ira Investigator (synthetic)", "CN"),
    ("supervisor", "supervisor", "Sami Supervisor (synthetic)", "CN"),
    ("examiner", "examiner", "Eli Examiner (synthetic)", None),
    ("administrator", "administrator", "Adi Administrator (synthetic)", None),
    ("stranger", "investigator", "Nora Northeast (synthetic)", "NE"),
)
SKILLS = (
    ("investigator", "ocsae_investigator"),
    ("stranger", "ocsae_investigator"),
    ("examiner", "image_grading"),
)


@dataclass
class Worker:
    """``safelight worker`` as a process of its own, on the same database and evidence."""

    process: subprocess.Popen[bytes]

    def hold_still_when(self, true: Callable[[], bool], *, within: float = 90.0) -> None:
        """Stop the worker's clock as soon as ``true()``; never while it holds the database's write lock."""
        ends = time.monotonic() + within
        while not true():
            assert time.monotonic() < ends, "the worker never got so far"
            assert self.process.poll() is None, "the worker ended"
            time.sleep(0.01)
        while True:
            self.process.send_signal(signal.SIGSTOP)
            if _writable():
                return
            self.go_on()
            time.sleep(0.01)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.go_on()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


def _writable() -> bool:
    """Whether another connection could write now."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 200")
        with transaction.atomic():
            return True
    except DatabaseError:
        return False
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 20000")


@dataclass
class Site:
    """What a walk needs to know.

    Attributes:
        url: of the live server, without a slash at the end.
        users: username -> account.
        notes: what one step of a story leaves for the next, such as the case's reference.
        shown: (username, path) of every page that was answered to somebody.
    """

    url: str
    folder: Path
    worker: Worker
    users: dict[str, Any]
    notes: dict[str, str] = field(default_factory=dict)
    shown: list[tuple[str, str]] = field(default_factory=list)
    _done: set[str] = field(default_factory=set)

    def first_time(self, what: str) -> bool:
        """Whether nobody has asked this before."""
        first = what not in self._done
        self._done.add(what)
        return first


@contextmanager
def whole_site(folder: Path) -> Iterator[Site]:
    """Build everything once, on a database file of its own, and serve it."""
    data, evidence = folder / "data", folder / "evidence"
    changed = {
        "DATA": data,
        "EVIDENCE_ROOT": evidence,
        "REPORTS_ROOT": data / "reports",
        "SITE_STANDARDS": DEMO_SITE,
    }
    with ExitStack() as stack:
        stack.enter_context(override_settings(**changed))
        stack.enter_context(_own_database(folder / "walk.sqlite3"))
        _evidence(folder, evidence)
        users = _force(folder)
        worker = Worker(_start_worker(folder, data, evidence))
        stack.callback(worker.stop)
        server = LiveServer("localhost")
        stack.callback(server.stop)
        yield Site(server.url, folder, worker, users)


@contextmanager
def _own_database(file: Path) -> Iterator[None]:
    """A fresh database file in place of the one that other tests use. A story that lasts for many tests cannot share:
    each of theirs ends with every table emptied."""
    assert connection.vendor == "sqlite", "The walks run on SQLite: unset DATABASE_URL (scripts/run-tests does)."
    connection.close()
    before = settings.DATABASES["default"]["NAME"]
    # One and the same dictionary describes the connections of every thread.
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = str(file)
    try:
        take(file)
        call_command("migrate", interactive=False, verbosity=0)
        yield
    finally:
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = before


def _evidence(folder: Path, evidence: Path) -> None:
    from safelight.demo.diskimages import VARIANTS, build_disk_images

    (image,) = build_disk_images(folder / "making", variants=VARIANTS[:1])
    (evidence / CARD).parent.mkdir(parents=True)
    with image.path.open("rb") as whole:
        (evidence / CUT).write_bytes(whole.read(_CUT_AT))
    os.replace(image.path, evidence / CARD)


def _force(folder: Path) -> dict[str, Any]:
    """Units, people with what they may do, and the two hash sets, all through the services."""
    from safelight.casework.accounts.services import create_user
    from safelight.casework.hashsets.services import import_hash_set
    from safelight.casework.workforce.services import accredit, load_units
    from safelight.demo.hashsets import write_hash_sets

    units = {unit.code: unit for unit in load_units(None)}
    users = {
        username: create_user(
            None, username=username, name=name, role=role, unit=units[code] if code else None, password=PASSWORD
        )
        for username, role, name, code in PEOPLE
    }
    for username, skill in SKILLS:
        accredit(None, user=users[username], skill=skill, valid_from=date(2024, 1, 1))
    lists = write_hash_sets(folder / "lists")
    for path, name in ((lists.vics, "Synthetic national set"), (lists.csv, "Synthetic partner list")):
        import_hash_set(
            users["examiner"],
            path=path,
            file_name=path.name,
            name=name,
            kind="known",
            version="walk-1",
            source="Made for the tests",
            legal_basis="None needed: every picture is abstract and made by this program.",
        )
    return users


def _start_worker(folder: Path, data: Path, evidence: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "SAFELIGHT_TESTING": "1",
        "SAFELIGHT_DATA": str(data),
        "SAFELIGHT_EVIDENCE_ROOT": str(evidence),
        "SAFELIGHT_SITE_STANDARDS": str(DEMO_SITE),
        "DATABASE_URL": f"sqlite:///{quote(str(folder / 'walk.sqlite3'))}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    with (folder / "worker.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "safelight.cli.main", "worker", "--interval", "0.2"],
            env=environment,
            stdout=log,
            stderr=log,
        )
