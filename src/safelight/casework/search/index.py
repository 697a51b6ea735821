"""Building the index anew, for a database that was written before there was one, or by other means than Safelight's."""

from __future__ import annotations

from django.db import connection, transaction

from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.search.names import learn_all
from safelight.casework.search.sources import SOURCES
from safelight.casework.search.triggers import copy_of, install

STEP = 20_000
FTS = (
    "CREATE TRIGGER IF NOT EXISTS search_entry_in AFTER INSERT ON search_entry BEGIN "
    "INSERT INTO search_fts (rowid, kind, words) VALUES (NEW.id, NEW.kind, NEW.words); END",
    "CREATE TRIGGER IF NOT EXISTS search_entry_out AFTER DELETE ON search_entry BEGIN "
    "INSERT INTO search_fts (search_fts, rowid, kind, words) VALUES ('delete', OLD.id, OLD.kind, OLD.words); END",
    "CREATE TRIGGER IF NOT EXISTS search_entry_new AFTER UPDATE OF kind, words ON search_entry BEGIN "
    "INSERT INTO search_fts (search_fts, rowid, kind, words) VALUES ('delete', OLD.id, OLD.kind, OLD.words); "
    "INSERT INTO search_fts (rowid, kind, words) VALUES (NEW.id, NEW.kind, NEW.words); END",
)
# One for each source: what is looked for among devices must not go through the three million notes that hold the word.
GIN = {
    f"search_words_{code}": f"CREATE INDEX search_words_{code} ON search_entry USING gin (found_by) "
    f"WHERE source = '{code}'"
    for code in SOURCES
}


def rebuild(*, alone: bool = False) -> int:
    """Write every entry anew.

    Args:
        alone: nobody works with the system: in one transaction, with the index of words dropped and made again, which
            is several times as fast. Otherwise in steps of 20,000 rows, and pages and writers go on beside it.

    Returns:
        How many entries there are.
    """
    install()
    if alone:
        _at_once()
        learn_all()
    else:
        fill()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM search_entry")
        entries = int(cursor.fetchone()[0])
        record(None, "search.rebuilt", category=Category.SYSTEM, payload={"entries": entries})
    return entries


def fill() -> None:
    """Bring every entry in line with its row, in steps."""
    for source in SOURCES:
        _in_steps(source)
    learn_all()


def _at_once() -> None:
    lite = connection.vendor == "sqlite"
    with transaction.atomic(), connection.cursor() as cursor:
        if lite:
            for name in ("search_entry_in", "search_entry_out", "search_entry_new"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            for name in GIN:
                cursor.execute(f"DROP INDEX IF EXISTS {name}")
        cursor.execute("DELETE FROM search_entry")
        for source in SOURCES.values():
            cursor.execute(copy_of(source, connection.vendor))
        if lite:
            cursor.execute("INSERT INTO search_fts (search_fts) VALUES ('rebuild')")
            for statement in FTS:
                cursor.execute(statement)
        else:
            for statement in GIN.values():
                cursor.execute(statement)
    if not lite:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE search_entry")


def _in_steps(code: str) -> None:
    source = SOURCES[code]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COALESCE(MAX(id), 0) FROM {source.table}")  # noqa: S608
        last = int(cursor.fetchone()[0])
        for start in range(0, last + 1, STEP):
            with transaction.atomic():
                cursor.execute(
                    f"{copy_of(source, connection.vendor)} AND s.id > {start} AND s.id <= {start + STEP} "
                    "ON CONFLICT (source, record) DO UPDATE SET owner = EXCLUDED.owner, words = EXCLUDED.words",
                    params=None,
                )
        cursor.execute(
            f"DELETE FROM search_entry WHERE source = '{code}' "  # noqa: S608
            f"AND NOT EXISTS (SELECT 1 FROM {source.table} s WHERE s.id = search_entry.record)"
        )
