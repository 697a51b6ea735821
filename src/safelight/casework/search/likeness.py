"""The names on record, decrypted in memory, and which of them share letter triples with what was typed.

The table holds them encrypted, and letter triples under a key would tell the shape of every name. A process reads them
when a misspelt name is first looked for, and then only those that are new.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from typing import Any

import numpy as np

from safelight.casework.search.models import NameTerm

NEAR = 200
TAIL = 2_000  # names that are gone through one by one before the table of triples is made anew
_MARKS = re.compile("[\u0300-\u036f]")
_lock = threading.Lock()


def fold(text: str) -> str:
    """``text`` without capitals, accents and apostrophes: what resembles what is judged of this form."""
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).casefold().replace("'", "").replace("\u2019", "")


def triples(folded: str) -> set[int]:
    """Its letter triples, with beginning and end marked: a letter changed in a short name leaves few others whole."""
    marked = f"^{folded}$"
    return {hash(marked[at : at + 3]) for at in range(len(marked) - 2)}


class Known:
    """The names up to one row of the table."""

    def __init__(self) -> None:
        self.terms: list[str] = []
        self.folded: list[str] = []
        self.last: tuple[int, Any] = (0, None)
        self.rows = self.indexed = 0
        self.codes, self.owners = np.empty(0, np.int64), np.empty(0, np.int32)
        self.sizes = np.empty(0, np.int32)

    def take(self, rows: list[NameTerm]) -> None:
        """Learn rows, in the order of their keys."""
        for row in rows:
            self.terms.append(row.term)
            self.folded.append(fold(row.term))
        self.rows += len(rows)
        if rows:
            self.last = (rows[-1].pk, rows[-1].sealed_as)
        if len(self.terms) - self.indexed > TAIL:
            self._index()

    def _index(self) -> None:
        sets = [triples(one) for one in self.folded]
        self.sizes = np.array([len(one) for one in sets], np.int32)
        codes = np.array([code for one in sets for code in one], np.int64)
        order = np.argsort(codes, kind="stable")
        self.owners = np.repeat(np.arange(len(sets), dtype=np.int32), self.sizes)[order]
        self.codes = codes[order]
        self.indexed = len(sets)

    def near(self, asked: str) -> list[tuple[str, str]]:
        """The names (as written, folded) that share most triples with ``asked``, in relation to how many they have."""
        places = [*range(self.indexed, len(self.terms))]
        if self.indexed:
            wanted = np.array(sorted(triples(asked)), np.int64)
            starts = np.searchsorted(self.codes, wanted, "left")
            ends = np.searchsorted(self.codes, wanted, "right")
            parts = [self.owners[start:end] for start, end in zip(starts, ends, strict=True)]
            shared = np.bincount(np.concatenate(parts), minlength=self.indexed)
            likeness = shared / (len(wanted) + self.sizes - shared)
            most = min(NEAR, self.indexed)
            best = np.argpartition(-likeness, most - 1)[:most]
            places += [int(place) for place in best if shared[place]]
        return [(self.terms[place], self.folded[place]) for place in places]


_known = Known()


def near(asked: str) -> list[tuple[str, str]]:
    """The names on record now (as written, folded) that share most triples with ``asked``."""
    with _lock:
        return _up_to_date().near(asked)


def _up_to_date() -> Known:
    global _known
    rows = NameTerm.objects.count()
    newest = NameTerm.objects.order_by("-pk").values_list("pk", "sealed_as").first() or (0, None)
    if (rows, newest) == (_known.rows, _known.last):
        return _known
    seen = NameTerm.objects.filter(pk=_known.last[0]).values_list("sealed_as", flat=True).first()
    fresh = NameTerm.objects.filter(pk__gt=_known.last[0]).order_by("pk")
    if seen != _known.last[1] or _known.rows + fresh.count() != rows:  # names were taken out, or it is another table
        _known, fresh = Known(), NameTerm.objects.order_by("pk")
    _known.take(list(fresh))
    return _known
