"""Entries as raw columns, hashed at speed: what verification reads, without Django and its row objects.

A row becomes the same bytes that :func:`safelight.casework.ledger.services.canonical` hashed when it was written. Two
ways lead there: a quick one (orjson, remembered words) and an exact one (the standard library's JSON). The quick one is
never believed when it finds a fault: the exact one is asked before a row counts as changed. It cannot hide a fault
either, because what it made must hash to the digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

import orjson

_COLUMNS = (
    "uid", "at", "actor_id", "actor_name", "actor_role", "category", "verb", "subject_type", "subject_id",
    "subject_label", "case_key", "recipient", "reason", "payload",
)  # fmt: skip
# An expression has no declared type, so that the sqlite3 module converts nothing.
_SQLITE = ", ".join(
    {"actor_id": "ifnull(e.actor_id, 'null')", "case_key": "ifnull(e.case_key, 'null')"}.get(name, f"e.{name} || ''")
    for name in _COLUMNS
)
_POSTGRESQL = ", ".join(
    {
        "at": """to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
        "actor_id": "coalesce(e.actor_id::text, 'null')",
        "case_key": "coalesce(e.case_key::text, 'null')",
    }.get(name, f"e.{name}")
    for name in _COLUMNS
)
_STRETCH = (
    'SELECT l."index", l.entry_id, l.leaf_hash, e.digest, {columns} FROM ledger_ledgerleaf l '
    "LEFT JOIN ledger_ledgerentry e ON e.id = l.entry_id "
    'WHERE l."index" >= {start} AND l."index" < {end} ORDER BY l."index"'
)
_WAITING = (
    "SELECT 0, e.id, e.digest, e.digest, {columns} FROM ledger_ledgerentry e WHERE e.id > {after} AND NOT EXISTS "
    "(SELECT 1 FROM ledger_ledgerleaf l WHERE l.entry_id = e.id) ORDER BY e.id"
)
_SEALS = (
    "SELECT tree_size, root, frontier, at, through_entry FROM ledger_ledgerseal "
    "WHERE tree_size >= {start} AND tree_size <= {end}"
)

#: (leaf index, entry, leaf hash, digest, then the columns of an entry), all as text but for the first two.
Row = tuple[Any, ...]


class Source:
    """One database, read by plain SQL over the connection of its driver (sqlite3 or psycopg)."""

    def __init__(self, connection: Any, vendor: str) -> None:
        self.connection = connection
        self.sqlite = vendor == "sqlite"

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """All rows of a small answer."""
        cursor = self.connection.cursor()
        try:
            return list(cursor.execute(statement).fetchall())
        finally:
            cursor.close()

    def stretch(self, start: int, end: int) -> Iterator[Row]:
        """The leaves from ``start`` to before ``end`` with their entries, in order."""
        return self._rows(_STRETCH, start=start, end=end)

    def waiting(self, after: int) -> Iterator[Row]:
        """Entries with a number above ``after`` that are under no leaf."""
        return self._rows(_WAITING, after=after)

    def seals(self, start: int, end: int) -> list[tuple[Any, ...]]:
        """(size, root, frontier, at, newest entry) of the seals over ``start`` to ``end`` leaves, both included."""
        return self.ask(_SEALS.format(start=int(start), end=int(end)) + " ORDER BY tree_size")

    def _rows(self, statement: str, **numbers: int) -> Iterator[Row]:
        columns = _SQLITE if self.sqlite else _POSTGRESQL
        asked = statement.format(columns=columns, **{name: int(value) for name, value in numbers.items()})
        return self._of_sqlite(asked) if self.sqlite else self._of_postgresql(asked)

    def _of_sqlite(self, statement: str) -> Iterator[Row]:
        cursor = self.connection.cursor()
        try:
            cursor.execute(statement)
            while rows := cursor.fetchmany(2_000):
                yield from rows
        finally:
            cursor.close()

    def _of_postgresql(self, statement: str) -> Iterator[Row]:
        """By COPY: one line of text a row, which costs the server and us least."""
        with self.connection.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT") as copy:
            for line in copy:
                fields: list[Any] = str(line, "utf-8")[:-1].split("\t")
                if b"\\" in bytes(line):
                    fields = [_uncopied(one) for one in fields]
                yield (int(fields[0]), int(fields[1]), *fields[2:])


_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _uncopied(text: str) -> str | None:
    """One field of PostgreSQL's COPY text format (PostgreSQL documentation, COPY, 'Text Format')."""
    return None if text == r"\N" else _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text)


class Words(dict[str, str]):
    """Text as JSON; the few hundred names and verbs of a ledger are turned into it once."""

    def __missing__(self, text: str) -> str:
        if len(self) > 20_000:
            self.clear()
        self[text] = made = quoted(text)
        return made


_exact = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def _payload(text: str) -> str:
    made = orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS)
    return made.decode() if made.isascii() else _exact(json.loads(text))


def canonical_row(row: Row, words: dict[str, str], payload: Any = _payload) -> bytes:
    """The bytes that are hashed for a row, with its payload by ``payload``.

    Raises:
        ValueError, TypeError: a column cannot be what Safelight wrote.
    """
    (
        uid, at, actor, name, role, category, verb, subject_type, subject_id, label, case, recipient, reason, body,
    ) = row[4:]  # fmt: skip
    if len(uid) == 32:
        uid = f"{uid[:8]}-{uid[8:12]}-{uid[12:16]}-{uid[16:20]}-{uid[20:]}"
    if at[10] == " ":  # as SQLite keeps it, with a fraction only where it is not nought
        at = f"{at[:10]}T{at[11:]}Z" if len(at) > 19 else f"{at[:10]}T{at[11:]}.000000Z"
    return (
        f'{{"actor":{actor},"actor_name":{words[name]},"actor_role":{words[role]},"at":{quoted(at)},"case_key":{case},'
        f'"category":{words[category]},"payload":{payload(body)},"reason":{quoted(reason)},'
        f'"recipient":{quoted(recipient)},"subject_id":{quoted(subject_id)},"subject_label":{quoted(label)},'
        f'"subject_type":{words[subject_type]},"uid":{quoted(uid)},"verb":{words[verb]}}}'
    ).encode()


def digest_of(row: Row, words: dict[str, str]) -> bytes:
    """The leaf hash that the columns of a row make, or 32 zero bytes where they cannot be an entry at all."""
    expected = row[3]
    try:
        made = sha256(b"\x00" + canonical_row(row, words)).digest()
        if made.hex() != expected:
            made = sha256(b"\x00" + canonical_row(row, words, lambda text: _exact(json.loads(text)))).digest()
    except (ValueError, TypeError, IndexError, RecursionError, UnicodeError):
        return bytes(32)
    return made
