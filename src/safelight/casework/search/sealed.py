"""Encrypted fields in the search: what is typed as keyed tokens, and what was found in words that a person reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.models import Q

from safelight.casework.ciphers.fields import WordIndex
from safelight.casework.ciphers.keys import ring
from safelight.casework.ciphers.words import asked, beginning
from safelight.casework.search.matches import of_source
from safelight.casework.search.models import Entry
from safelight.casework.search.sources import SOURCES


def _indexes(kind: str) -> list[Any]:
    """The columns of tokens in what is searched for records of ``kind``."""
    models = [apps.get_model(one.model) for one in SOURCES.values() if one.kind == kind and one.model]
    return [field for model in models for field in model._meta.concrete_fields if isinstance(field, WordIndex)]


def widened(kind: str, choices: list[list[str]], *, begun: bool) -> list[list[str]]:
    """``choices`` of words, each with its tokens beside it; of the last with ``begun`` also those of a beginning."""
    indexes = _indexes(kind)
    if not indexes:
        return choices
    keys = ring().keys
    return [
        [
            *words,
            *(
                token
                for word in words
                for one in indexes
                for token in asked(
                    keys, one.model._meta.db_table, one.column, word, begun=begun and place == len(choices) - 1
                )
            ),
        ]
        for place, words in enumerate(choices)
    ]


def named(field: str, beginning_with: str) -> Q:
    """The people whose ``family_name`` or ``given_names`` begin so, without regard to capitals, accents and signs."""
    model = apps.get_model("people.Person")
    found = beginning(ring().keys, model._meta.db_table, "name_words", field, beginning_with)
    if not found:
        return Q(pk__in=())
    return Q(pk__in=of_source("person", found).values("record"))


def named_among(field: str, beginning_with: str, keys: list[int]) -> list[int]:
    """Those of the people with ``keys`` of whom :func:`named` holds."""
    model = apps.get_model("people.Person")
    found = beginning(ring().keys, model._meta.db_table, "name_words", field, beginning_with)
    rows = model._default_manager.filter(pk__anyof=keys).values_list("pk", "name_words") if found else ()
    return [key for key, words in rows if not set(found).isdisjoint(words.split())]


def bearers(term: str) -> Any:
    """The people one of whose names may be ``term``; whether it is one, their names have to say."""
    model = apps.get_model("people.Person")
    found = asked(ring().keys, model._meta.db_table, "name_words", term, begun=False)
    entries = of_source("person", found) if found else Entry.objects.none()
    return model._default_manager.filter(pk__in=entries.values("record"))


def readable(entries: Iterable[Entry]) -> dict[int, str]:
    """By the key of each entry its words as a person reads them: of encrypted rows, decrypted."""
    found: dict[int, str] = {}
    by_source: dict[str, list[Entry]] = {}
    for entry in entries:
        found[entry.pk] = entry.words
        if SOURCES[entry.source].model:
            by_source.setdefault(entry.source, []).append(entry)
    for code, some in by_source.items():
        source = SOURCES[code]
        rows = apps.get_model(source.model)._default_manager.in_bulk([one.record for one in some])
        for entry in some:
            row = rows.get(entry.record)
            found[entry.pk] = " ".join(str(getattr(row, name) or "") for name in source.shown) if row else ""
    return found
