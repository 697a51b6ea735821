"""What the suite would lose: tests with real transactions, or the proof that the ledger refuses to be emptied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from tests.casework.factories import make_user
from tests.support.flush import emptying_allowed

from safelight.casework.ledger.models import Category, LedgerEntry
from safelight.casework.ledger.services import record


@pytest.fixture(autouse=True)
def tables_may_be_emptied_between_tests() -> Iterator[None]:
    with emptying_allowed():
        yield


@pytest.mark.django_db(transaction=True)
def test_the_tables_are_emptied_and_the_triggers_stand_again() -> None:
    user = make_user()
    for _ in range(2):
        with transaction.atomic():
            record(user, "account.created", user, category=Category.SYSTEM, payload={})
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM ledger_ledgerentry")
        call_command("flush", interactive=False, verbosity=0)
        assert LedgerEntry.objects.count() == 0
        user = make_user()
