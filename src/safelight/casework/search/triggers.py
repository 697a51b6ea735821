"""The triggers that keep the index: a row is findable in the transaction that writes it, whoever writes it.

They are installed after every migration (:mod:`.apps`) and named by their own digest, so that a changed one replaces
the old. A source's words are its columns in one text, blanks between; the database cuts them into words.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.db import connections

from safelight.casework.search.sources import MOST_WORDS, SOURCES, Source

PREFIX = "search_keeps_"


def words_of(source: Source, row: str, vendor: str) -> str:
    """The SQL of a row's words. ``row`` is NEW or an alias of the table."""
    parts = [f"COALESCE({_text(f'{row}.{column}', vendor)}, '')" for column in source.columns]
    for column in source.joined:
        bare = f"COALESCE({row}.{column}, '')"
        for sign in (" ", "-", "(", ")", "+"):
            bare = f"REPLACE({bare}, '{sign}', '')"
        parts.append(bare)
    joined = " || ' ' || ".join(parts)
    return f"SUBSTR({joined}, 1, {MOST_WORDS})"


def _text(column: str, vendor: str) -> str:
    return f"CAST({column} AS TEXT)" if vendor == "postgresql" else column


def copy_of(source: Source, vendor: str) -> str:
    """The SQL that writes the entries of a whole source; a condition on ``s.id`` may follow."""
    return (
        "INSERT INTO search_entry (source, record, owner, kind, words) "  # noqa: S608 - our own names only
        f"SELECT '{source.code}', s.id, {source.owner_of('s')}, '{source.kind}', {words_of(source, 's', vendor)} "
        f"FROM {source.table} s WHERE s.{source.owner} IS NOT NULL"
    )


def _postgresql(source: Source) -> dict[str, list[str]]:
    """By the name of the trigger, the statements that make it."""
    words = words_of(source, "NEW", "postgresql")
    watched = ", ".join(source.watched)
    body = (
        "BEGIN IF TG_OP = 'DELETE' THEN "  # noqa: S608
        f"DELETE FROM search_entry WHERE source = '{source.code}' AND record = OLD.id; RETURN OLD; END IF; "
        "INSERT INTO search_entry (source, record, owner, kind, words) "
        f"VALUES ('{source.code}', NEW.id, {source.owner_of('NEW')}, '{source.kind}', {words}) "
        "ON CONFLICT (source, record) DO UPDATE SET owner = EXCLUDED.owner, words = EXCLUDED.words; "
        "RETURN NEW; END"
    )
    name = f"{PREFIX}{source.code}_{_mark(body + watched)}"
    return {
        name: [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            f"CREATE TRIGGER {name} AFTER INSERT OR DELETE OR UPDATE OF {watched} ON {source.table} "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    }


def _sqlite(source: Source) -> dict[str, list[str]]:
    words = words_of(source, "NEW", "sqlite")
    watched = ", ".join(source.watched)
    there = f"source = '{source.code}' AND record"
    new = (
        "INSERT INTO search_entry (source, record, owner, kind, words) "  # noqa: S608
        f"VALUES ('{source.code}', NEW.id, {source.owner_of('NEW')}, '{source.kind}', {words})"
    )
    bodies = {
        "INSERT": new,
        f"UPDATE OF {watched}": (
            f"UPDATE search_entry SET owner = {source.owner_of('NEW')}, words = {words} WHERE {there} = NEW.id"  # noqa: S608
        ),
        "DELETE": f"DELETE FROM search_entry WHERE {there} = OLD.id",  # noqa: S608
    }
    made = {}
    for event, body in bodies.items():
        name = f"{PREFIX}{source.code}_{event.split()[0].lower()}_{_mark(body + event)}"
        made[name] = [f"CREATE TRIGGER {name} AFTER {event} ON {source.table} BEGIN {body}; END"]
    return made


def _mark(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]


def _wanted(vendor: str) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for source in SOURCES.values():
        made |= _postgresql(source) if vendor == "postgresql" else _sqlite(source)
    return made


def _there(connection: Any) -> dict[str, str]:
    """The triggers that are installed, with their tables."""
    if connection.vendor == "postgresql":
        asked = (
            "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND starts_with(t.tgname, %s)"
        )
    else:
        asked = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name GLOB %s || '*'"
    with connection.cursor() as cursor:
        cursor.execute(asked, [PREFIX])
        return dict(cursor.fetchall())


def install(using: str = "default") -> bool:
    """Put the triggers on that are not on yet, and take off those that are no longer wanted.

    Returns:
        Whether any was put on: what was written before it is not in the index.
    """
    connection = connections[using]
    tables = {"search_entry", *(source.table for source in SOURCES.values())}
    if not tables <= set(connection.introspection.table_names()):
        return False  # a migration to an earlier state
    there, wanted = _there(connection), _wanted(connection.vendor)
    if set(there) == set(wanted):
        return False
    remove(using, besides=set(wanted))
    with connection.cursor() as cursor:
        for name, statements in wanted.items():
            for statement in statements if name not in there else ():
                cursor.execute(statement, params=None)
    return True


def remove(using: str = "default", besides: set[str] | frozenset[str] = frozenset()) -> None:
    """Take the triggers off (a migration is about to remake the tables)."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for name, table in _there(connection).items():
            if name in besides:
                continue
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER {name} ON {table}")
                cursor.execute(f"DROP FUNCTION {name}()")
            else:
                cursor.execute(f"DROP TRIGGER {name}")
