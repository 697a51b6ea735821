"""Misspelt names: the names on record that resemble what was typed, by shared letter triples, then letter by letter.

The names stand encrypted in the database; each process has them decrypted in its memory (:mod:`.likeness`).
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from typing import Any

from django.db import DatabaseError, InterfaceError, transaction

from safelight.casework.search.likeness import fold, near
from safelight.casework.search.models import NameTerm

LEAST, MOST = 3, 60  # letters of a name that is compared
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
ALIKE = 8
_lock = threading.Lock()
#: Names on record that this process could not yet learn.
_missed: set[str] = set()


def terms_of(*names: str) -> set[str]:
    """The single names in ``names``, in lower case."""
    found = {unicodedata.normalize("NFC", one).lower() for name in names for one in _WORD.findall(name)}
    return {one for one in found if LEAST <= len(one) <= MOST}


def learn(terms: Iterable[str]) -> None:
    """Remember names. In one order, so that two at once never wait for each other in a ring."""
    rows = [NameTerm(term=term) for term in sorted(set(terms))]
    NameTerm.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def learn_later(person: Any) -> None:
    """Remember a person's names once the record is safely written, so that no writer waits for another over them."""
    terms = terms_of(person.given_names, person.family_name)
    if terms:
        transaction.on_commit(lambda: _learn_now(terms), robust=True)


def _learn_now(terms: set[str]) -> None:
    """Learn them, and what could not be learnt before: the database may have gone away right after the record."""
    global _missed
    with _lock:
        due, _missed = terms | _missed, set()
    try:
        learn(due)
    except (DatabaseError, InterfaceError):
        with _lock:
            _missed |= due
        raise


def learn_all() -> None:
    """Read the names of everybody on record anew."""
    from safelight.casework.people.models import Person

    with transaction.atomic():
        NameTerm.objects.all().delete()
        known: set[str] = set()
        for person in Person.objects.only("given_names", "family_name", "sealed_as").iterator(chunk_size=10_000):
            known |= terms_of(person.given_names, person.family_name)
        learn(known)


def alike(word: str) -> list[str]:
    """Names on record that resemble ``word``, the most alike first; ``word`` itself is not among them."""
    asked = fold(word)
    if not LEAST <= len(asked) <= MOST or not asked.isalpha():
        return []
    allowed = 1 if len(asked) < 6 else 2
    ranked = []
    for term, folded in near(asked):
        apart = distance(asked, folded, allowed)
        if apart <= allowed and term != word.lower():
            ranked.append((apart, folded[0] != asked[0], term))
    return [term for _, _, term in sorted(ranked)[:ALIKE]]


def distance(one: str, other: str, most: int) -> int:
    """Letters to add, drop, change or swap between two words; ``most + 1`` for more than ``most``."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        two, before, row = before, row, [i]
        for j, its in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, two[j - 2] + 1)
            row.append(cost)
    return min(row[-1], most + 1)
