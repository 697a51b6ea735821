"""DuckDB over one extract: reading only, no other file, no network, bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.casework.base.errors import NotPossible
from safelight.casework.oversight.tables import TABLES

if TYPE_CHECKING:
    import duckdb

MEMORY = "1GB"
THREADS = 2


@contextmanager
def opened(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that sees the tables of the extract as views and nothing else.

    Raises:
        NotPossible: the files are gone.
    """
    import duckdb

    missing = [table.name for table in TABLES if not (folder / f"{table.name}.parquet").is_file()]
    if missing:
        raise NotPossible(
            f"The files of this extract are gone ({', '.join(missing)}).", fix="Make a new extract and ask again."
        )
    base = duckdb.connect(":memory:", config={"threads": THREADS, "memory_limit": MEMORY})
    try:
        base.execute("SET TimeZone='UTC'")
        for table in TABLES:
            path = str(folder / f"{table.name}.parquet").replace("'", "''")
            base.execute(f"CREATE VIEW {table.name} AS SELECT * FROM read_parquet('{path}')")  # noqa: S608 - our names
        base.execute(f"SET allowed_directories=['{str(folder).replace(chr(39), chr(39) * 2)}']")
        base.execute("SET enable_external_access=false")
        base.execute("SET lock_configuration=true")
        yield base
    finally:
        base.close()


def rows(base: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return base.execute(sql, parameters or {}).fetchall()
