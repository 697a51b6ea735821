"""One small thing about DuckDB: a result that is not read to its end blocks the connection."""

from __future__ import annotations

from typing import Any

import duckdb


def first_row(con: duckdb.DuckDBPyConnection, statement: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
    """The first row of a statement that gives at least one."""
    row: tuple[Any, ...] = con.execute(statement, parameters or []).fetchall()[0]
    return row


def count(con: duckdb.DuckDBPyConnection, table: str, where: str = "true") -> int:
    """How many rows of ``table`` (a name of ours, never a user's) fulfil ``where``."""
    return int(first_row(con, f"select count(*) from {table} where {where}")[0])
