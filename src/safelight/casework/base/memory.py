"""What a page that only reads asks once: the few keys on which everything a person may see hangs.

A page such as My work asks thirty questions, and each says again who the person is to which case. Built as SQL each
time, that costs more than the answers. While a page only reads, nothing of it can change under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.db.models import Q

import safelight.casework.base.lookups  # noqa: F401 - registers anyof
from safelight.casework.base.prepared import Asker, KeySlot, prepared

MOST = 400
"""Keys written out in a question; more are left to the database as the sub-query that they come from."""


@contextmanager
def remembering(user: Any) -> Iterator[None]:
    """Within, :func:`keys` asks once. For a request that changes nothing; the memory goes with it."""
    user.remembered_keys = {}
    try:
        yield
    finally:
        del user.remembered_keys


def keys(user: Any, name: str, rows: Callable[[Any], list[Any]], *, most: int = MOST) -> list[Any]:
    """What to put behind ``__in``: the keys where ``user`` is remembered and they are few, otherwise queries.

    Args:
        user: whose keys they are.
        name: what they are; one name stands for one question.
        most: how many keys are few.
        rows: a function of a module that makes the queries for a user, each the ``values`` of one column; together they
            are the answer.

    Returns:
        A list with one list of keys, or with the queries: ``any_of("pk", keys(...))`` makes a condition of it.
    """
    if isinstance(user, Asker):
        return [[] if name == user.without else KeySlot(name, rows, most)]
    kept = getattr(user, "remembered_keys", None)
    if kept is None:
        return rows(user)
    if name not in kept:
        found = {key for row in _together(user, rows, most) for key in row.values()}
        kept[name] = [sorted(found)] if len(found) <= most else rows(user)
    return list(kept[name])


@prepared
def _together(user: Any, rows: Callable[[Any], list[Any]], most: int) -> Any:
    first, *rest = (one.order_by() for one in rows(user))
    return (first.union(*rest) if rest else first.distinct())[: most + 1]


def any_of(field: str, parts: list[Any]) -> Q:
    """``field`` is in one of ``parts`` (what :func:`keys` gave)."""
    found = Q()
    for one in parts:
        found |= Q(**{f"{field}__anyof" if isinstance(one, list | KeySlot) else f"{field}__in": one})
    return found


def built_once(visible: Callable[..., Any]) -> Callable[..., Any]:
    """For ``visible_to`` of a query set: from the whole table it is built once for each page that only reads.

    Django takes longer to build such a condition than the database to answer it.
    """

    @wraps(visible)
    def remembered(rows: Any, user: Any) -> Any:
        kept = getattr(user, "remembered_keys", None)
        if kept is None or rows.query.where or rows.query.annotations or rows.query.is_sliced:
            return visible(rows, user)
        name = f"{type(rows).__module__}.{type(rows).__name__}"
        if name not in kept:
            kept[name] = visible(rows, user)
            kept[name].written = {}
        found = kept[name].all()
        found.written = kept[name].written
        return found

    return remembered
