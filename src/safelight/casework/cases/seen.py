"""The first rows of a list whose case a person sees, where nearly all are of cases that the person sees.

A supervisor's lists are lists of the unit: an index leads to the rows in their order, and who sees them is asked of
those that were found, by key. Asked in the same question, the database first gathers every case of the unit.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from safelight.casework.cases.models import Case


def first_seen(rows: QuerySet[Any], user: Any, most: int, **besides: Any) -> list[Any]:
    """The first ``most`` of the ordered ``rows`` (with ``case_id``) whose case ``user`` sees.

    Args:
        besides: conditions on the case, as of ``filter``.
    """
    kept: list[Any] = []
    at, size = 0, most + most // 4  # some more than asked for: a few are hidden from nearly everybody
    while len(kept) < most:
        block = list(rows[at : at + size])
        cases = {row.case_id for row in block if row.case_id}
        if cases:
            seen = Case.objects.visible_to(user).filter(pk__anyof=sorted(cases), **besides)
            found = set(seen.values_list("pk", flat=True))
            kept += [row for row in block if row.case_id in found]
        if len(block) < size:
            break
        at += size
    return kept[:most]
