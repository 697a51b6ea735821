"""Who may do what to a case. Seeing is :meth:`CaseQuerySet.visible_to`; a supervisor acts within the unit."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import (
    has_the_case,
    is_desk,
    is_supervisor,
    reads_cases,
    supervises,
    works_cases,
)
from safelight.casework.cases.models import Case


@rules.predicate
def sees_the_case(user: Any, obj: Any = None) -> bool:
    """Whether the case that ``obj`` is or belongs to is visible to ``user``; without an object: yes.

    A yes is remembered on the row, which lives as long as the request: one page asks for half a dozen rights.
    """
    if obj is None:
        return True
    case = obj if isinstance(obj, Case) else getattr(obj, "case", None)
    if case is None:
        return False
    seen: set[int] = case.__dict__.setdefault("_seen_by", set())
    if user.pk not in seen and Case.objects.visible_to(user).filter(pk=case.pk).exists():
        seen.add(user.pk)
    return user.pk in seen


runs_the_case = works_cases & sees_the_case & (has_the_case | supervises)

rules.add_perm("cases.view", reads_cases & sees_the_case)
rules.add_perm("cases.note", works_cases & sees_the_case)
rules.add_perm("cases.open", is_desk | is_supervisor)
# A child's danger is recorded by whoever learns of it, also by a supervisor who broke the glass.
rules.add_perm("cases.risk", runs_the_case | ((is_desk | is_supervisor) & sees_the_case))
rules.add_perm("cases.live_contact", runs_the_case | ((is_desk | is_supervisor) & sees_the_case))
rules.add_perm("cases.add_person", runs_the_case | (is_desk & sees_the_case))
rules.add_perm("cases.grant_access", is_supervisor & sees_the_case & supervises)
rules.add_perm("cases.settle", is_supervisor & sees_the_case & supervises)
rules.add_perm("cases.close", is_supervisor & sees_the_case & supervises)
