"""Going over all rows with encrypted fields: which keys they name, encrypting what is plain, and rotating the keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db import DatabaseError, IntegrityError, connections, transaction

from safelight.casework.ciphers import ring as rings
from safelight.casework.ciphers.cipher import CipherError, key_of
from safelight.casework.ciphers.fields import PLAIN, ROW, Sealed, beside, encrypted
from safelight.casework.ciphers.keys import place, ring
from safelight.casework.ciphers.ring import KeyRingError, Ring
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record

STEP = 500
SETTLE = 15.0  # seconds from a new key to the end of the old one: longer than it takes to write what was encrypted


def models() -> list[Any]:
    """Every model with encrypted fields."""
    return [model for model in apps.get_models() if encrypted(model)]


def _quoted(connection: Any, name: str) -> str:
    return str(connection.ops.quote_name(name))


def first_encrypted(using: str = "default") -> str:
    """Table and column of some encrypted value; empty where there is none, or no table yet."""
    connection = connections[using]
    try:
        there = set(connection.introspection.table_names())
        for model in models():
            table = model._meta.db_table
            for one in encrypted(model) if table in there else ():
                with connection.cursor() as cursor:
                    held = {c.name for c in connection.introspection.get_table_description(cursor, table)}
                    if ROW not in held:
                        break  # the migration that brings it is still to come
                    cursor.execute(
                        f"SELECT 1 FROM {_quoted(connection, table)} "  # noqa: S608 - our own names only
                        f"WHERE {_quoted(connection, one.column)} LIKE 'v1.%%' LIMIT 1",
                        [],
                    )
                    if cursor.fetchone():
                        return f"{table}.{one.column}"
    except DatabaseError as error:
        raise KeyRingError(
            f"The key file of encrypted fields is missing ({place()}), and the database does not say whether it needs "
            f"one: {error}", fix=rings.MISSING,
        ) from error  # fmt: skip
    return ""


def keys_in_use(using: str = "default") -> dict[str, dict[str, int]]:
    """How many values each key encrypts: key, then table and column, then values."""
    connection = connections[using]
    found: dict[str, dict[str, int]] = {}
    for model in models():
        for one in encrypted(model):
            column, table = _quoted(connection, one.column), _quoted(connection, model._meta.db_table)
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT SUBSTR({column}, 4, 8), COUNT(*) FROM {table} WHERE {column} LIKE 'v1.%%' "  # noqa: S608
                    "GROUP BY 1",
                    [],
                )
                for key, count in cursor.fetchall():
                    found.setdefault(key, {})[f"{model._meta.db_table}.{one.column}"] = count
    return found


def encrypt_plain(model: Any, using: str, tell: Callable[[int], None] = lambda done: None) -> int:
    """Encrypt the rows of a model that have no random name yet: those from before it had encrypted fields.

    In steps of 500, each in a transaction; what was done stays done when it is cut off.

    Returns:
        How many rows.
    """
    connection = connections[using]
    columns, besides = encrypted(model), beside(model)
    q = lambda name: _quoted(connection, name)  # noqa: E731
    table = q(model._meta.db_table)
    select = (
        f"SELECT id, {', '.join(q(one.column) for one in columns)} FROM {table} "  # noqa: S608
        f"WHERE {q(ROW)} IS NULL AND id > %s ORDER BY id LIMIT {STEP}"
    )
    names = [ROW, *(one.column for one in columns), *(one.column for one in besides)]
    update = f"UPDATE {table} SET {', '.join(f'{q(name)} = %s' for name in names)} WHERE id = %s"  # noqa: S608
    done = last = 0
    row_field = model._meta.get_field(ROW)
    while True:
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.execute(select, [last])
            rows = cursor.fetchall()
            if not rows:
                return done
            made = []
            for pk, *values in rows:
                row = model(pk=pk, **{ROW: uuid4()})
                for one, value in zip(columns, values, strict=True):
                    row.__dict__[one.attname] = _plain(one, value)
                made.append(
                    [
                        row_field.get_db_prep_save(getattr(row, ROW), connection),
                        *(one.pre_save(row, True) for one in columns),
                        *(one.pre_save(row, True) for one in besides),
                        pk,
                    ]
                )
            cursor.executemany(update, made)
            last, done = rows[-1][0], done + len(rows)
        tell(done)


def _plain(one: Any, value: Any) -> Any:
    """A value that a column of plain text or JSON held, as the field's own."""
    if value is None or value in PLAIN or not isinstance(value, str):
        return value
    return one.value_of(value)


@dataclass
class Rotation:
    """What a rotation did. ``faults``: rows that could not be read, each with what is wrong; then the old keys stay."""

    new: str
    old: list[str]
    rows: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    resumed: bool = False
    removed: bool = False


def rotate(
    *, step: int = STEP, settle: float = SETTLE, tell: Callable[[str, int], None] = lambda table, done: None
) -> Rotation:
    """Encrypt everything with a new key, and take the old ones out of the ring when no value names them.

    A rotation that was cut off is gone on with, under the key that it had made.

    Raises:
        KeyRingError: the ring cannot be used, or another rotation is at work.
    """
    ring()
    with rings.rotating(place()):
        held = rings.read(place())
        resumed = len(held.keys) > 1
        if not resumed:
            held = Ring((*held.keys, rings.new_key()))
            rings.write(place(), held)
            record(None, "keys.rotation_begun", category=Category.SYSTEM, payload={"new": held.newest.id})
        done = Rotation(held.newest.id, [one.id for one in held.keys[:-1]], resumed=resumed)
        began = datetime.fromisoformat(held.newest.made_at)
        for model in models():
            for count in _renewed(model, done, step):
                tell(model._meta.db_table, count)
        if done.faults:
            return done
        wait = settle - (datetime.now(UTC) - began).total_seconds()
        if wait > 0:
            time.sleep(wait)
        _finish(held, done, step)
    return done


def _renewed(model: Any, done: Rotation, step: int) -> Iterator[int]:
    """Write the rows anew that name another key than the newest; how many so far, after each step."""
    last = 0
    table = model._meta.db_table
    done.rows.setdefault(table, 0)
    while True:
        with transaction.atomic():
            # Locked in the order of their keys; SQLite has one writer anyway.
            rows = list(model._base_manager.select_for_update().filter(pk__gt=last).order_by("pk")[:step])
            for row in rows:
                if any(_names_another(row.__dict__.get(one.attname), done.new) for one in encrypted(model)):
                    done.rows[table] += _renew(row, done)
        if not rows:
            return
        last = rows[-1].pk
        yield done.rows[table]


def _names_another(value: Any, key: str) -> bool:
    return isinstance(value, Sealed) and key_of(value.raw) != key


def _renew(row: Any, done: Rotation) -> int:
    fields = encrypted(type(row))
    try:
        for one in fields:
            getattr(row, one.attname)
        with transaction.atomic():
            row.save(update_fields=[one.name for one in fields])
    except CipherError as error:
        done.faults.append(str(error))
        return 0
    except IntegrityError:
        if row.derived:
            row.delete()  # it was worked out again meanwhile, under the new key
            return 1
        done.faults.append(
            f"{row._meta.db_table}, row {row.pk}: another row says the same, and there may be one only. Remove one."
        )
        return 0
    return 1


def _finish(held: Ring, done: Rotation, step: int) -> None:
    """Wait for everybody who was writing, take along what they wrote, and take the old keys out if nothing names them.

    Whoever begins to write now has the new key: it was in the file long before this.
    """
    with transaction.atomic():  # on SQLite this alone waits for the one writer
        connection = connections["default"]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                for model in models():
                    cursor.execute(f"LOCK TABLE {_quoted(connection, model._meta.db_table)} IN SHARE MODE")
    for model in models():
        for _count in _renewed(model, done, step):
            pass
    if done.faults or set(keys_in_use()) - {done.new}:
        return
    payload = {"new": done.new, "old": done.old, "rows": {t: n for t, n in done.rows.items() if n}}
    with transaction.atomic():
        record(None, "keys.rotated", category=Category.SYSTEM, payload=payload)
        rings.write(place(), Ring((held.newest,)))
    done.removed = True


def sweep_plain(using: str = "default") -> None:
    """Take out of the database's files what was plain before it was encrypted: free pages, dead rows, old words.

    Others wait while it runs. PostgreSQL's log keeps old values until it is recycled, and backups until they go.
    """
    connection = connections[using]
    tables = [model._meta.db_table for model in models()] + ["search_entry"]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("INSERT INTO search_fts (search_fts) VALUES ('rebuild')")
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            for table in tables:
                cursor.execute(f"VACUUM (FULL, ANALYZE) {_quoted(connection, table)}")
