"""Predicates that the apps' rules are made of (library ``rules``). A rule is named ``<app>.<verb>``."""

from __future__ import annotations

from typing import Any

import rules
from django.utils import timezone


def has_role(*roles: str) -> Any:
    """Whether the user has one of these roles (codes of standards/roles.toml)."""

    @rules.predicate(f"role in {roles}")
    def predicate(user: Any) -> bool:
        return user.is_authenticated and user.is_active and user.role in roles

    return predicate


is_desk = has_role("referral_desk")
is_investigator = has_role("investigator")
is_supervisor = has_role("supervisor")
is_examiner = has_role("examiner")
is_offender_manager = has_role("offender_manager")
is_administrator = has_role("administrator")
works_cases = has_role("referral_desk", "investigator", "supervisor", "examiner")
reads_cases = works_cases | has_role("offender_manager", "auditor", "chief_officer")


def _case_of(obj: Any) -> Any:
    return obj if obj is None or obj._meta.label == "cases.Case" else getattr(obj, "case", None)


@rules.predicate
def has_the_case(user: Any, obj: Any = None) -> bool:
    """The live investigator of the case that ``obj`` is or belongs to; without an object: may be one."""
    if obj is None:
        return user.role == "investigator"
    case = _case_of(obj)
    return case is not None and case.allocations.filter(investigator=user, ended_at=None).exists()


@rules.predicate
def supervises(user: Any, obj: Any = None) -> bool:
    """A supervisor of the unit that has the case; without an object: a supervisor."""
    if user.role != "supervisor":
        return False
    case = _case_of(obj)
    return case is None or (case.unit_id == user.unit_id and not by_broken_glass(user, case))


@rules.predicate
def by_broken_glass(user: Any, obj: Any = None) -> bool:
    """The case that ``obj`` is or belongs to is open to the user by broken glass: to read it and to protect the child.

    Whoever may not see a case does not come to run it in this way, nor to put themselves on its list.
    """
    until = getattr(user, "glass_until", None)
    case = _case_of(obj)
    if until is None or until <= timezone.now() or case is None:
        return False
    return bool(user.openings.running().filter(case=case).exists())
