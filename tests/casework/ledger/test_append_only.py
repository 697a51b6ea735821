"""The database itself refuses to change, delete, replace or empty the ledger, whatever program asks."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from tests.casework.factories import make_user

from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.ledger.services import record, seal

pytestmark = pytest.mark.django_db

KEYS = {"ledger_ledgerentry": "id", "ledger_ledgerleaf": "entry_id", "ledger_ledgerseal": "id"}
COLUMNS = {"ledger_ledgerentry": "reason", "ledger_ledgerleaf": "leaf_hash", "ledger_ledgerseal": "root"}


def refused(statement: str, parameters: tuple = ()) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


@pytest.fixture(autouse=True)
def sealed_entry() -> LedgerEntry:
    actor = make_user()
    with transaction.atomic():
        entry = record(actor, "account.created", actor)
    assert seal() is not None
    return entry


@pytest.mark.parametrize("table", KEYS)
class TestRefusals:
    def test_update(self, table):
        """Otherwise whoever reaches the database rewrites who looked at a case."""
        refused(f"UPDATE {table} SET {COLUMNS[table]} = 'changed'")
        refused(f"UPDATE {table} SET {COLUMNS[table]} = 'changed' WHERE {KEYS[table]} > 0")

    def test_delete(self, table):
        """Otherwise a look at a case can be made not to have happened."""
        refused(f"DELETE FROM {table}")
        refused(f"DELETE FROM {table} WHERE {KEYS[table]} > 0")

    def test_emptying_at_once(self, table):
        """Otherwise one statement removes everything. SQLite's form of TRUNCATE is a DELETE without a condition."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # What this transaction wrote itself must be checked first, or PostgreSQL refuses for that reason.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            refused(f"TRUNCATE {table} CASCADE")
        else:
            refused(f"DELETE FROM {table} WHERE 1")

    def test_replacing(self, table):
        """Otherwise INSERT OR REPLACE (SQLite) or ON CONFLICT DO UPDATE (PostgreSQL) changes a row by the back door."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table} LIMIT 1")
            row = cursor.fetchone()
            names = [column[0] for column in cursor.description]
        columns = ", ".join(f'"{name}"' for name in names)
        if connection.vendor == "postgresql":
            key = "index" if table == "ledger_ledgerleaf" else "id"
            refused(
                f"INSERT INTO {table} ({columns}) SELECT * FROM {table} LIMIT 1 "
                f"""ON CONFLICT ("{key}") DO UPDATE SET {COLUMNS[table]} = 'x'"""
            )
            return
        marks = ", ".join("%s" for _ in names)
        statement = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})"
        refused(statement, tuple(row))


def test_the_orm_meets_the_same_refusal(sealed_entry):
    for step in (
        lambda: LedgerEntry.objects.update(reason="x"),
        lambda: LedgerEntry.objects.filter(pk=sealed_entry.pk)._raw_delete("default"),
        lambda: LedgerEntry.objects.bulk_update([sealed_entry], ["reason"]),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            step()


def test_adding_goes_on(sealed_entry):
    """Otherwise the refusal would stop the work itself."""
    actor = sealed_entry.actor
    with transaction.atomic():
        second = record(actor, "account.changed", actor)
    assert second.pk > sealed_entry.pk
    assert seal().tree_size == 2
