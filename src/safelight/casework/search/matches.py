"""The entries of the index that hold what was typed, newest first, read no further than somebody wants them."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from safelight.casework.search.models import Entry
from safelight.casework.search.sources import SOURCES

BLOCKS = (50, 150, 400, 800)
"""How many entries are read at a time: few are wanted, unless most are hidden from who asks."""
SAMPLE, WALK = 1_000, 20_000
"""How many of the newest entries are read before, and after, it is known how common the words are."""
FAR = 200_000
"""How many entries without words that are common further back are walked by before all are read after all."""
ENOUGH = 0.016
"""How common words must be for the walk to find the last block sooner than the index does (measured: 2.5 microseconds
for an entry walked by, 8 for one that the index leads to, a million and a half entries)."""
_FAR = 2**62
# In a sub-query, so that PostgreSQL does not know the words when it chooses its way: it would go by how common they are
# in all sources together, and read a whole source for a word that only another one is full of.
_HOLDS = "found_by @@ (SELECT to_tsquery('simple', %s))"


def matching(kind: str, choices: list[list[str]], *, begun: bool = True) -> list[QuerySet[Entry]]:
    """The entries of ``kind`` that hold one word of each list of ``choices``; of the last list, also words it begins.

    Words come from :func:`~safelight.casework.search.asking.understand`: no sign in them means anything to either
    database. A blank makes a phrase.

    Returns:
        Several sets, which have nothing in common: each has an index of its own that leads to it.
    """
    if connection.vendor == "postgresql":
        asked = _pg_query(choices, begun=begun)
        every = [Entry.objects.filter(source=code) for code in _sources(kind)]
        return [rows.extra(where=[_HOLDS], params=[asked]) for rows in every]  # noqa: S610 - our own condition
    found = RawSQL("SELECT rowid FROM search_fts WHERE search_fts MATCH %s", [_match(kind, choices, begun=begun)])
    return [Entry.objects.filter(pk__in=found)]


def of_source(source: str, words: list[str]) -> QuerySet[Entry]:
    """The entries of one source that hold one of ``words`` whole."""
    sets = matching(SOURCES[source].kind, [words], begun=False)
    place = _sources(SOURCES[source].kind).index(source) if len(sets) > 1 else 0
    return sets[place].filter(source=source)


def _sources(kind: str) -> list[str]:
    return [one.code for one in SOURCES.values() if one.kind == kind]


def newest(
    kind: str, choices: list[list[str]], *, begun: bool = True, before: int | None = None, source: str = ""
) -> Iterator[dict[int, int]]:
    """The entries of :func:`matching`, newest first, whoever may see them: in blocks of 50, 150, 400 and 800.

    Args:
        before: only entries with lower keys.
        source: only entries of one source.

    Returns:
        The owners by the entry's key; fewer than four blocks where there are no more. What comes after the last block
        is not read.
    """
    if connection.vendor == "postgresql":
        asked = _pg_query(choices, begun=begun)
        walks = [_walked(code, asked, before or _FAR) for code in ([source] if source else _sources(kind))]
        yield from _cut(merge(*walks, reverse=True))
        return
    asked, at = _match(kind, choices, begun=begun), before or _FAR
    for size in BLOCKS:
        # FTS5 goes through its own row numbers backwards and stops; through IN it would first gather every match.
        rows = _asked(
            "SELECT e.id, e.owner, e.source FROM (SELECT rowid FROM search_fts WHERE search_fts MATCH %s "
            "AND rowid < %s ORDER BY rowid DESC LIMIT %s) AS f JOIN search_entry AS e ON e.id = f.rowid",
            [asked, at, size],
        )
        block = {key: owner for key, owner, its in sorted(rows, reverse=True) if source in ("", its)}
        yield block
        if len(rows) < size:
            return
        at = min(key for key, *_ in rows)


def _cut(rows: Iterator[tuple[int, int]]) -> Iterator[dict[int, int]]:
    for size in BLOCKS:
        block = dict(row for _, row in zip(range(size), rows, strict=False))
        if block:
            yield block
        if len(block) < size:
            return


def _walked(source: str, asked: str, before: int) -> Iterator[tuple[int, int]]:
    """The matches of one source on PostgreSQL, newest first.

    Its index of words gives matches in no order and only all of them. So the newest thousand entries of the source are
    read first; they tell how common the words are. Of common ones the walk through the newest goes on; of rare ones the
    index gives them all. Where the newest say rare, a thousand from the middle are asked as well: a register that was
    imported yesterday may fill the newest thousands with entries of its own kind.
    """
    step, walked, held, deep = SAMPLE, 0, 0, None
    while True:
        found = _asked(
            "WITH walked AS MATERIALIZED (SELECT id, owner, found_by FROM search_entry WHERE source = %s AND id < %s "  # noqa: S608
            f"ORDER BY id DESC LIMIT %s) SELECT TRUE, id, owner FROM walked WHERE {_HOLDS} "
            "UNION ALL SELECT FALSE, MIN(id), COUNT(*) FROM walked",
            [source, before, step, asked],
        )
        rows = [(key, owner) for match, key, owner in found if match]
        end, count = next((key, many) for match, key, many in found if not match)
        yield from sorted(rows, reverse=True)
        if count < step:
            return
        before, walked, held = end, walked + step, held + len(rows)
        rare = (walked > SAMPLE and held < ENOUGH * walked) or held * WALK < BLOCKS[0] * walked
        if rare and deep is None:
            deep = _share_further_back(source, asked, before)
        if rare and (deep < ENOUGH or walked > FAR):
            break
        step = min(WALK, walked * 2 * BLOCKS[0] // held) if walked == SAMPLE and not rare else WALK
    yield from _asked(
        "WITH every AS MATERIALIZED (SELECT id, owner FROM search_entry WHERE source = %s AND id < %s "  # noqa: S608
        f"AND {_HOLDS}) SELECT id, owner FROM every ORDER BY id DESC LIMIT %s",
        [source, before, asked, sum(BLOCKS)],
    )


def _share_further_back(source: str, asked: str, before: int) -> float:
    """The share of a thousand entries from the middle of the source that match, 0 to 1."""
    ((many, held),) = _asked(
        "WITH middle AS MATERIALIZED (SELECT found_by FROM search_entry WHERE source = %s AND id < "  # noqa: S608
        "(%s + (SELECT MIN(id) FROM search_entry WHERE source = %s)) / 2 ORDER BY id DESC LIMIT %s) "
        f"SELECT COUNT(*), COUNT(*) FILTER (WHERE {_HOLDS}) FROM middle",
        [source, before, source, SAMPLE, asked],
    )
    return held / many if many else 0.0


def _asked(sql: str, given: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchall()


def _pg_query(choices: list[list[str]], *, begun: bool) -> str:
    return " & ".join(
        "(" + " | ".join(_pg(word, begun=begun and place == len(choices) - 1) for word in words) + ")"
        for place, words in enumerate(choices)
    )


def _match(kind: str, choices: list[list[str]], *, begun: bool) -> str:
    asked = " AND ".join(
        "(" + " OR ".join(_fts(word, begun=begun and place == len(choices) - 1) for word in words) + ")"
        for place, words in enumerate(choices)
    )
    return f'kind : "{kind}" AND words : ({asked})'


def _pg(word: str, *, begun: bool) -> str:
    return f"'{word}'" + (":*" if begun and len(word) >= 3 else "")


def _fts(word: str, *, begun: bool) -> str:
    return f'"{word}"' + (" *" if begun and len(word) >= 3 else "")
