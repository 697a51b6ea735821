"""What SQLite is told of its tables, from which it estimates which way to an answer is short.

PostgreSQL does this by itself. SQLite does not: without it a long list is read from one end to the other where an index
leads to three rows of it. The tables in which FTS5 keeps its index are left out, and what is said of them is taken
away: FTS5 writes there in its own ways, and told that they hold two rows (they did, when somebody said ANALYZE), SQLite
read 200 MB for each small part that a merge removed: one writing in ten took a second.
"""

from __future__ import annotations

import time

from django.db import connection, transaction

OF_FTS = ("search_fts", "search_names")
MOST_ROWS = 1_000  # looked at for each index: SQLite's own advice is 100 to 1,000
DAY = 86_400.0


def refresh() -> int:
    """Look at every table anew, one after the other, so that nobody who writes waits for long. Does nothing on
    PostgreSQL.

    Returns:
        How many tables were looked at.
    """
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
        names = [name for (name,) in cursor.fetchall() if not name.startswith(OF_FTS)]
        cursor.execute(f"PRAGMA analysis_limit = {MOST_ROWS}")
        for name in names:
            cursor.execute(f'ANALYZE "{name}"')
        with transaction.atomic():
            for start in OF_FTS:
                cursor.execute("DELETE FROM sqlite_stat1 WHERE substr(tbl, 1, %s) = %s", [len(start), start])
        cursor.execute("PRAGMA writable_schema = RESET")  # what was taken away is forgotten here as well
    return len(names)


class Estimates:
    """Refreshed when the regular work begins, and every day that it goes on."""

    def __init__(self) -> None:
        self._at: float | None = None

    def keep(self) -> None:
        if self._at is None or time.monotonic() - self._at >= DAY:
            refresh()
            self._at = time.monotonic()


kept = Estimates()
