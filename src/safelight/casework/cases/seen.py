"""The first rows of a list whose case a person sees, where nearly all are of cases that the person sees.

A supervisor's lists are lists of the unit: an index leads to the rows in their order, and who sees them is asked of
those that were found, by key. Asked in the same question, the database first gathers every case of the unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safelight.casework.base.prepared import prepared
from safelight.casework.cases.models import Case


def first_seen(rows: Callable[[int, int], list[Any]], user: Any, most: int, *, of_unit: bool = False) -> list[Any]:
    """The first ``most`` of the ordered rows (with ``case_id``) whose case ``user`` sees.

    Args:
        rows: the rows from one place to another, as of a slice.
        of_unit: only of cases of the user's unit.
    """
    kept: list[Any] = []
    at, size = 0, most + most // 4  # some more than asked for: a few are hidden from nearly everybody
    while len(kept) < most:
        block = rows(at, at + size)
        cases = {row.case_id for row in block if row.case_id}
        if cases:
            found = set(_seen(user, of_unit, cases=sorted(cases)))
            kept += [row for row in block if row.case_id in found]
        if len(block) < size:
            break
        at += size
    return kept[:most]


@prepared
def _seen(user: Any, of_unit: bool, *, cases: Any) -> Any:
    seen = Case.objects.visible_to(user).filter(pk__anyof=cases)
    return (seen.filter(unit=user.unit_id) if of_unit else seen).values_list("pk", flat=True)
