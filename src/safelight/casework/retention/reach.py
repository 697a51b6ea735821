"""Which rows hang on a case: everything that refers to it, and to what refers to it, by key.

Rows are followed from what is referred to, to what refers: from the case to its devices, to their findings. The ledger,
accounts and the index of the search are no part of it: the first holds no personal data and is never changed, the last
follows its sources by itself.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import models

from safelight.casework.cases.models import Case
from safelight.casework.people.models import Person
from safelight.casework.retention.personal import casework_models

APART = ("ledger", "accounts", "workforce", "search", "retention", "standards")
# Rows of these say something about a person without tying them to another case.
ABOUT = {"people.Identifier", "people.PossibleLink", "people.Merge", "people.Person", "allocation.Conflict"}
STEP = 500  # keys in one question: SQLite takes 32,766 values in all

Rows = dict[type[models.Model], set[int]]


def _links() -> dict[type[models.Model], list[tuple[type[models.Model], str]]]:
    """What refers to each model: (model, name of its key)."""
    found: dict[type[models.Model], list[tuple[type[models.Model], str]]] = defaultdict(list)
    for model in casework_models():
        if model._meta.app_label in APART:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model._meta.app_label not in APART:  # type: ignore[union-attr]
                found[field.related_model].append((model, field.name))  # type: ignore[index]
    return found


def keys_in(model: type[models.Model], name: str, keys: set[int]) -> set[int]:
    """Keys of the rows whose ``name`` is one of ``keys``."""
    wanted, found = sorted(keys), set()
    for start in range(0, len(wanted), STEP):
        some = {f"{name}__in": wanted[start : start + STEP]}
        found |= set(model._default_manager.filter(**some).values_list("pk", flat=True))
    return found


def hanging_on(start: Rows) -> Rows:
    """``start`` and every row that refers to it, directly or over others. People: only those in ``start``."""
    links = _links()
    found: Rows = defaultdict(set, {model: set(keys) for model, keys in start.items()})
    fresh: Rows = {model: set(keys) for model, keys in start.items()}
    while fresh:
        coming: Rows = defaultdict(set)
        for model, keys in fresh.items():
            for referring, name in links.get(model, ()):
                new = keys_in(referring, name, keys) - found[referring]
                found[referring] |= new
                coming[referring] |= new
        fresh = {model: keys for model, keys in coming.items() if keys}
    return {model: keys for model, keys in found.items() if keys}


def rows_of_case(case: Case) -> Rows:
    """Every row that hangs on a case: of its referrals too, and of the people who stand in no other."""
    from safelight.casework.referrals.models import Referral

    referrals = keys_in(Referral, "case", {case.pk})
    rows = hanging_on({Case: {case.pk}, Referral: referrals})
    links = [(model, name) for model, name in _links()[Person] if model._meta.label not in ABOUT]
    people: set[int] = set()
    for model, name in links:
        some = rows.get(model, set())
        people |= set(model._default_manager.filter(pk__in=some).values_list(name, flat=True)) - {None}
    elsewhere: set[int] = set()
    for model, name in links:
        others = keys_in(model, name, people) - rows.get(model, set())
        elsewhere |= {
            key for key in model._default_manager.filter(pk__in=others).values_list(name, flat=True) if key is not None
        }
    return hanging_on({**rows, Person: people - elsewhere})


def rows_of_person(person: Person) -> Rows:
    """Every row that refers to a person, and what refers to it, but for other people's."""
    rows = hanging_on({Person: {person.pk}})
    rows[Person] = {person.pk} | set(Person.objects.filter(merged_into=person).values_list("pk", flat=True))
    return rows


def sizes(rows: Rows) -> dict[str, int]:
    """How many rows of each model."""
    return {model._meta.label: len(keys) for model, keys in sorted(rows.items(), key=lambda one: one[0]._meta.label)}


def chunks(keys: set[int]) -> Any:
    """The keys in pieces that one statement takes."""
    ordered = sorted(keys)
    return (ordered[start : start + STEP] for start in range(0, len(ordered), STEP))
