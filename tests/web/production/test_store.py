"""A power cut would lose what was acknowledged, or the ledger could be changed, and nothing would have said so."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseWrapper
from tests.casework.factories import make_person

from safelight.casework.ciphers import ring as rings
from safelight.web.env import sqlite as sqlite_settings
from safelight.web.production import store

pytestmark = pytest.mark.django_db


def other(settings: dict[str, Any], **options: Any) -> Any:
    made = deepcopy(connection.settings_dict) | settings
    made["OPTIONS"] = settings.get("OPTIONS", made["OPTIONS"]) | options
    return DatabaseWrapper(made, alias="other")


def test_our_own_sqlite_settings_keep_every_promise(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    at = other(sqlite_settings(tmp_path / "a.sqlite3"))
    assert list(store.sqlite(at)) == []
    at.close()


@pytest.mark.parametrize(
    ("pragma", "code"),
    [
        ("PRAGMA synchronous=NORMAL", "database.synchronous"),
        ("PRAGMA journal_mode=DELETE", "database.journal_mode"),
        ("PRAGMA foreign_keys=OFF", "database.foreign_keys"),
    ],
)
def test_each_promise_that_sqlite_breaks_is_named(tmp_path: Path, pragma: str, code: str) -> None:
    tmp_path.chmod(0o700)
    right = sqlite_settings(tmp_path / "a.sqlite3")
    at = other(right, init_command=right["OPTIONS"]["init_command"] + pragma)
    assert [f.code for f in store.sqlite(at)] == [code] or code == "database.foreign_keys"
    with at.cursor() as cursor:
        cursor.execute(pragma)
    assert [f.code for f in store.sqlite(at)] == [code]
    at.close()


def test_a_database_that_others_may_read_is_named(tmp_path: Path) -> None:
    at = other(sqlite_settings(tmp_path / "a.sqlite3"))
    at.ensure_connection()
    tmp_path.chmod(0o755)
    (tmp_path / "a.sqlite3").chmod(0o644)
    assert "database.mode" in {f.code for f in store.sqlite(at)}
    tmp_path.chmod(0o700)
    assert list(store.sqlite(at)) == []
    at.close()


class Answers:
    """A PostgreSQL server that says what it is told: only a real one that was broken on purpose would say so too."""

    vendor = "postgresql"

    def __init__(self, host: str = "", sslmode: str = "", password: str = "", **said: Any) -> None:
        self.settings_dict = {
            "NAME": "safelight", "HOST": host, "PASSWORD": password, "OPTIONS": {"sslmode": sslmode} if sslmode else {},
        }  # fmt: skip
        self.said = {"server_version_num": "150018", "rolsuper": False, "ssl": True} | said
        self.row: Any = None

    def cursor(self) -> Answers:
        return self

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, question: str, values: list[Any]) -> None:
        if values:
            self.row = self.said.get(values[0], "on" if values[0] in ("fsync", "full_page_writes") else "off-not")
        else:
            self.row = next((value for name, value in self.said.items() if name in question), None)

    def fetchone(self) -> tuple[Any]:
        return (self.row,)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"server_version_num": "140010"}, "database.version"),
        ({"fsync": "off"}, "database.fsync"),
        ({"full_page_writes": "off"}, "database.full_page_writes"),
        ({"synchronous_commit": "off"}, "database.synchronous_commit"),
        ({"zero_damaged_pages": "on"}, "database.zero_damaged_pages"),
        ({"ignore_checksum_failure": "on"}, "database.ignore_checksum_failure"),
        ({"rolsuper": True}, "database.superuser"),
    ],
)
def test_each_promise_that_postgresql_breaks_is_named(said: dict[str, Any], code: str) -> None:
    assert [f.code for f in store.postgresql(Answers(**said))] == [code]
    assert list(store.postgresql(Answers())) == []


def test_a_plain_connection_to_another_machine_is_named() -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    remote = Answers("db.force.example", ssl=False, clock_timestamp=now - timedelta(seconds=30))
    assert [f.code for f in store.postgresql(remote)] == ["database.plain", "database.clock"]


@pytest.mark.parametrize(("sslmode", "found"), [("", ["database.unverified"]), ("require", ["database.unverified"]),
    ("verify-ca", ["database.unverified"]), ("verify-full", [])])  # fmt: skip
def test_a_connection_to_a_machine_that_nobody_checked_is_named(sslmode: str, found: list[str]) -> None:
    """Who answers in the database's place gets every record, encrypted on the way to them."""
    from datetime import UTC, datetime

    there = Answers("db.force.example", sslmode, clock_timestamp=datetime.now(UTC))
    assert [f.code for f in store.postgresql(there)] == found


def test_a_password_of_the_database_that_never_changes_is_named() -> None:
    (finding,) = store.postgresql(Answers(password="synthetic"))
    assert (finding.code, finding.level) == ("database.password", "advice") and "synthetic" not in str(finding)


def test_the_database_of_the_tests_is_asked_and_its_ledger_is_guarded() -> None:
    """On PostgreSQL the tests' server runs without fsync, as its script says: the check has to find just that."""
    found = {f.code for f in store.promises()}
    if connection.vendor == "postgresql":
        assert "database.fsync" in found
        assert not found & {"database.version", "database.plain", "database.clock"}
    else:
        assert not found & {"database.synchronous", "database.foreign_keys"}
    assert list(store.migrations()) == []
    assert list(store.ledger_guards()) == []


def test_a_ledger_without_its_guards_is_named() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER ledger_ledgerentry_no_UPDATE")
        else:
            cursor.execute("ALTER TABLE ledger_ledgerentry DISABLE TRIGGER ledger_ledgerentry_append_only")
    (finding,) = store.ledger_guards()
    assert finding.code == "ledger.guards" and "ledgerentry" in finding.what


def test_tables_that_are_older_than_the_program_are_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'notices'")
    (finding,) = store.migrations()
    assert finding.code == "database.migrations" and "notices" in finding.what


class TestFieldKeys:
    """Contact details that nobody can read any more, and nobody noticed in time."""

    def test_a_ring_in_the_data_folder_is_right(self, settings: Any, tmp_path: Path) -> None:
        settings.DATA = tmp_path
        settings.FIELD_KEYS = tmp_path / "field.keys"
        assert list(store.field_keys()) == []

    def test_what_is_wrong_with_it_is_named(self, settings: Any, tmp_path: Path) -> None:
        settings.DATA, settings.FIELD_KEYS = tmp_path / "data", tmp_path / "field.keys"
        assert [one.code for one in store.field_keys()] == ["keys.backup"]
        ring = rings.read(settings.FIELD_KEYS)
        rings.write(settings.FIELD_KEYS, rings.Ring((*ring.keys, rings.new_key())))
        assert [one.code for one in store.field_keys()] == ["keys.rotation", "keys.backup"]
        settings.FIELD_KEYS.write_text("{}")
        (found,) = store.field_keys()
        assert (found.code, found.level) == ("keys.fields", "unsafe") and "backup" in found.fix

    def test_one_that_is_lost_is_named_and_not_made_anew(self, settings: Any, tmp_path: Path) -> None:
        settings.DATA, settings.FIELD_KEYS = tmp_path, tmp_path / "field.keys"
        make_person(postcode="N1 9GU")
        settings.FIELD_KEYS.unlink()
        (found,) = store.field_keys()
        assert found.code == "keys.fields" and "is missing" in found.what and not settings.FIELD_KEYS.exists()
