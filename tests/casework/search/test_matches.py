"""The newest entries that hold a word: whichever way the database is asked, they are the same, and none is left out."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight.casework.search import matches
from safelight.casework.search.models import Entry
from safelight.casework.search.sources import SOURCES

pytestmark = pytest.mark.django_db
BLOCKS = (2, 3, 4, 5)
KIND = SOURCES["note"].kind


@pytest.fixture
def small(monkeypatch):
    """The same walk at a size that a test can fill."""
    for name, value in {"BLOCKS": BLOCKS, "SAMPLE": 5, "WALK": 10, "FAR": 30, "ENOUGH": 0.3}.items():
        monkeypatch.setattr(matches, name, value)


def _entries(holds: list[bool]) -> list[int]:
    """Entries of notes, oldest first; the keys of those that hold the word, newest first."""
    Entry.objects.all().delete()
    made = [
        Entry.objects.create(source="note", record=n, owner=n, kind=KIND, words=f"zebra {n}" if held else f"{n}")
        for n, held in enumerate(holds, start=1)
    ]
    return [one.pk for one, held in zip(made, holds, strict=True) if held][::-1]


def _found() -> list[int]:
    return [key for block in matches.newest(KIND, [["zebra"]], begun=False, source="note") for key in block]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), max_size=60), st.integers(0, 40))
def test_none_is_left_out_and_the_newest_come_first(small, holds, burst):
    """A search that stops too soon tells an officer that nobody wrote of a name."""
    wanted = _entries(holds + [False] * burst)
    assert _found() == wanted[: sum(BLOCKS)]


def test_a_burst_of_other_entries_does_not_make_a_common_word_rare(small):
    """The index of words gives all matches or none: of a word that is in every note, two seconds' worth."""
    wanted = _entries([True] * 60 + [False] * 12)
    with CaptureQueriesContext(connection) as run:
        assert _found() == wanted[: sum(BLOCKS)]
    assert not any("every AS MATERIALIZED" in query["sql"] for query in run)
