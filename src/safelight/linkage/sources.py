"""Sources in: a CSV file, a Parquet file or a database query becomes a table of texts, row by row, nothing lost.

A mapping says which column is what. In TOML::

    source = "crime"                      # the system; with the key it names a record for ever
    key = "record_no"
    handling = "restricted_owner"         # optional: whom to ask; a record with a value here is restricted

    [[names]]
    given = ["first", "second"]           # one column or several, in order
    family = "surname"
    [[names]]
    given = "alias"
    kind = "alias"
    [born]
    column = "dob"
    [[addresses]]
    line = ["house", "street"]
    postcode = "postcode"
    since = "moved_in"
    [columns]
    sex = "gender"
    phones = ["mobile", "home"]           # several values in one cell: separated by ; or |
    emails = "email"
    online = "screen_name"
    [identifiers]
    pnc = "pnc_id"
    [relationships]
    guardian = ["guardian_1", "guardian_2"]
"""

from __future__ import annotations

import csv
import io
import sqlite3
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa

from safelight.linkage.errors import LinkageError

_LONGEST_FIELD = 1_000_000
_DELIMITERS = ",;\t|"
_BATCH = 50_000


@dataclass(frozen=True)
class Rejected:
    """A row that could not be taken, with its number (the header is row 1) and why."""

    row: int
    reason: str


@dataclass(frozen=True)
class Staged:
    """What a source gave: a table of texts with the column ``_row``, the rows refused and what was noticed."""

    table: pa.Table
    origin: str
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """Which column of a source is what; made by :func:`read_mapping`."""

    source: str
    key: str
    names: tuple[dict[str, Any], ...] = ()
    addresses: tuple[dict[str, Any], ...] = ()
    born: str = ""
    died: str = ""
    columns: dict[str, Any] = field(default_factory=dict)
    identifiers: dict[str, Any] = field(default_factory=dict)
    relationships: dict[str, Any] = field(default_factory=dict)
    handling: str = ""

    def used(self) -> set[str]:
        """Every column that the mapping names."""
        found = {self.key, self.born, self.died, self.handling}
        for row in (*self.names, *self.addresses):
            for name, value in row.items():
                found |= set() if name == "kind" else set(listed(value))
        for group in (self.columns, self.identifiers, self.relationships):
            for value in group.values():
                found |= set(listed(value))
        return found - {""}


def listed(value: Any) -> list[str]:
    """A column name or a list of them, as a list."""
    return [value] if isinstance(value, str) else list(value)


def mapping_from(data: dict[str, Any], where: str = "the mapping") -> Mapping:
    """A mapping from plain values.

    Raises:
        LinkageError: a part is missing, unknown or of the wrong kind.
    """
    known = {
        "source",
        "key",
        "names",
        "addresses",
        "born",
        "died",
        "columns",
        "identifiers",
        "relationships",
        "handling",
    }
    unknown = set(data) - known
    if unknown:
        raise LinkageError(f"{where} has no part {', '.join(sorted(unknown))}.", fix=f"Use {', '.join(sorted(known))}.")
    if not str(data.get("source", "")).strip() or not str(data.get("key", "")).strip():
        raise LinkageError(f"{where} names no source or no key column.", fix='Add source = "..." and key = "...".')
    odd = set(data.get("columns", {})) - {"sex", "phones", "emails", "online"}
    if odd:
        raise LinkageError(
            f"{where} has no column {', '.join(sorted(odd))} under [columns].", fix="Use sex, phones, emails, online."
        )
    for part, allowed in (
        ("names", {"given", "family", "kind"}),
        ("addresses", {"line", "postcode", "since", "until"}),
    ):
        for row in data.get(part, []):
            if set(row) - allowed:
                raise LinkageError(f"{where}, [[{part}]]: {', '.join(sorted(set(row) - allowed))} is not known.",
                                   fix=f"Use {', '.join(sorted(allowed))}.")  # fmt: skip

    def day(part: str) -> str:
        value = data.get(part, "")
        return str(value.get("column", "") if isinstance(value, dict) else value)

    return Mapping(
        source=data["source"].strip(), key=data["key"], names=tuple(data.get("names", [])),
        addresses=tuple(data.get("addresses", [])), born=day("born"), died=day("died"), columns=data.get("columns", {}),
        identifiers=data.get("identifiers", {}), relationships=data.get("relationships", {}),
        handling=data.get("handling", ""),
    )  # fmt: skip


def read_mapping(path: Path) -> Mapping:
    """Read a mapping from a TOML file. Raises LinkageError in one sentence."""
    try:
        return mapping_from(tomllib.loads(path.read_text("utf-8")), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise LinkageError(f"The mapping {path} cannot be read: {error}.", fix="Check the name of the file.") from error
    except tomllib.TOMLDecodeError as error:
        raise LinkageError(
            f"The mapping {path} is not TOML: {error}.", fix="See docs/linkage.md for an example."
        ) from error


def read_csv(path: Path) -> Staged:
    """Read a CSV file in UTF-8, UTF-16 or Windows-1252, or in a mixture of the first and last, line by line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LinkageError(f"The file {path} cannot be read: {error.strerror}.", fix="Check its name.") from error
    text, odd = _decode(data)
    notes = [f"{odd} lines were not UTF-8 and were read as Windows-1252"] if odd else []
    if "\0" in text:
        text = text.replace("\0", "")
        notes.append("NUL characters were left out")
    header = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header.count)
    csv.field_size_limit(_LONGEST_FIELD)  # of the whole process: every reader of ours sets its own before it begins
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    names = [name.strip().lstrip("\ufeff") for name in next(reader, [])]
    if not any(names):
        raise LinkageError(f"The file {path} is empty.", fix="Give a file with a line of column names.")
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise LinkageError(f"The file {path} has two columns named {', '.join(twice)}.", fix="Rename one.")
    rejected: list[Rejected] = []
    rows = _checked(reader, len(names), rejected, path)
    return Staged(_table(names, rows), str(path), tuple(rejected), tuple(notes))


def _decode(data: bytes) -> tuple[str, int]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace"), 0
    try:
        return data.decode("utf-8-sig"), 0
    except UnicodeDecodeError:
        pass
    lines, odd = [], 0
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            lines.append(line.decode("cp1252", "replace"))
            odd += 1
    return "\n".join(lines), odd


def _checked(reader: Any, width: int, rejected: list[Rejected], path: Path) -> Iterator[tuple[int, list[str]]]:
    number = 1
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            rejected.append(Rejected(number, f"not CSV: {error}"))
            continue
        if len(row) == width:
            yield number, row
        elif row:
            rejected.append(Rejected(number, f"{len(row)} fields where the header has {width}"))


def _table(names: list[str], rows: Iterable[tuple[int, Iterable[Any]]]) -> pa.Table:
    schema = pa.schema([("_row", pa.int64()), *((name, pa.string()) for name in names)])
    batches, columns = [], [[] for _ in schema]  # type: list[pa.RecordBatch], list[list[Any]]
    for number, row in rows:
        for column, value in zip(columns, (number, *row), strict=True):
            column.append(value)
        if len(columns[0]) == _BATCH:
            batches.append(
                pa.RecordBatch.from_arrays(
                    [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
                )
            )
            columns = [[] for _ in schema]
    batches.append(
        pa.RecordBatch.from_arrays([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
    )
    return pa.Table.from_batches(batches, schema)


def read_parquet(path: Path) -> Staged:
    """Read a Parquet file; every column becomes text."""
    con = duckdb.connect()
    try:
        table = con.sql(
            "select row_number() over () as _row, columns(*)::varchar from read_parquet(?)", params=[str(path)]
        ).to_arrow_table()
    except duckdb.Error as error:
        raise LinkageError(f"The file {path} cannot be read as Parquet: {str(error).splitlines()[0]}",
                           fix="Check its name and that it is whole.") from error  # fmt: skip
    finally:
        con.close()
    return Staged(table, str(path))


def read_query(database: str, query: str) -> Staged:
    """Run ``query`` on a database and read every column as text.

    Args:
        database: ``sqlite:///path`` or ``postgresql://...``. The password is never written anywhere.

    Raises:
        LinkageError: the database cannot be reached or the query fails.
    """
    scheme = urlsplit(database).scheme
    place = f"{scheme}://{urlsplit(database).hostname or ''}{urlsplit(database).path}"
    try:
        if scheme == "sqlite":
            con: Any = sqlite3.connect(f"file:{urlsplit(database).path}?mode=ro", uri=True)
            failures: tuple[type[Exception], ...] = (sqlite3.Error,)
        elif scheme in {"postgresql", "postgres"}:
            import psycopg

            failures = (psycopg.Error,)
            con = psycopg.connect(database, options="-c default_transaction_read_only=on")
        else:
            raise LinkageError(f"{scheme or database!r} is not a database that can be read.",
                               fix="Use sqlite:///path or postgresql://user@host/name.")  # fmt: skip
    except sqlite3.Error as error:
        raise LinkageError(f"The database {place} cannot be opened: {error}.", fix="Check its path.") from error
    try:
        cursor = con.cursor()
        cursor.execute(query)
        names = [one[0] for one in cursor.description or ()]
        if not names:
            raise LinkageError("The query gives no rows.", fix="Use a SELECT.")
        table = _table(names, enumerate(_texts(cursor), start=1))
    except failures as error:
        raise LinkageError(
            f"The query on {place} failed: {str(error).strip()}.", fix="Try it in the database's own tool."
        ) from error
    finally:
        con.close()
    return Staged(table, f"query on {place}")


def _texts(cursor: Any) -> Iterator[list[str | None]]:
    while rows := cursor.fetchmany(_BATCH):
        for row in rows:
            yield [None if value is None else value if isinstance(value, str) else str(value) for value in row]
