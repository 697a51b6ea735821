"""Let the tests empty the ledger, which nothing else may.

A test that needs real transactions (``live_server``, ``transactional_db``) ends with Django emptying every table. The
ledger's triggers refuse that, as they must. So the triggers rest during that one step, and only inside this patch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.operations import BaseDatabaseOperations


@contextmanager
def _resting_triggers(connection: Any) -> Iterator[None]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
            try:
                yield
            finally:
                cursor.execute("SET session_replication_role = DEFAULT")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        try:
            yield
        finally:
            for _, statement in triggers:
                cursor.execute(statement)


@contextmanager
def emptying_allowed() -> Iterator[None]:
    """While open, Django's own flush between tests may empty every table, the append-only ones included."""
    plain: Callable[..., None] = BaseDatabaseOperations.execute_sql_flush

    def execute_sql_flush(operations: BaseDatabaseOperations, sql_list: list[str]) -> None:
        with _resting_triggers(operations.connection):
            plain(operations, sql_list)

    BaseDatabaseOperations.execute_sql_flush = execute_sql_flush  # type: ignore[method-assign]
    try:
        yield
    finally:
        BaseDatabaseOperations.execute_sql_flush = plain  # type: ignore[method-assign]
