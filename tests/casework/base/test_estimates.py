"""SQLite's estimates: with wrong ones a page reads a whole table, and every tenth writing takes a second."""

from __future__ import annotations

import pytest
from django.db import connection
from tests.casework.factories import make_referral

from safelight.casework.base import estimates
from safelight.casework.base.estimates import Estimates, refresh

pytestmark = pytest.mark.django_db


def _way(cursor, question: str) -> str:
    cursor.execute(f"EXPLAIN QUERY PLAN {question}")
    return " ".join(row[3] for row in cursor.fetchall())


def test_tables_are_looked_at_but_never_those_in_which_the_search_keeps_its_words():
    """A merge of the search's index removes a range of rows: by a wrong estimate it would read the whole index."""
    for _ in range(3):
        make_referral()
    if connection.vendor == "postgresql":  # it does this by itself
        assert refresh() == 0
        return
    remove = "DELETE FROM search_fts_data WHERE id >= 10 AND id <= 20"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("UPDATE sqlite_stat1 SET stat = '2' WHERE tbl = 'search_fts_data'")
        cursor.execute("ANALYZE sqlite_schema")
        assert "SCAN" in _way(cursor, remove)
        assert refresh() > 50
        cursor.execute("SELECT tbl, stat FROM sqlite_stat1")
        said = cursor.fetchall()
        assert any(table == "referrals_referral" and stat.split()[0] == "3" for table, stat in said)
        assert not [table for table, _ in said if table.startswith(("search_fts", "search_names"))]
        assert "SEARCH" in _way(cursor, remove)


def test_the_regular_work_refreshes_them_once_a_day(monkeypatch):
    times = []
    monkeypatch.setattr(estimates, "refresh", lambda: times.append(1))
    kept = Estimates()
    kept.keep()
    kept.keep()
    assert len(times) == 1
    kept._at -= estimates.DAY
    kept.keep()
    assert len(times) == 2
