"""Who may see and record accreditations."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import has_role, is_administrator, is_supervisor


@rules.predicate
def of_own_unit(user: Any, obj: Any = None) -> bool:
    """The person ``obj`` is posted to the user's unit; without an object: yes."""
    return obj is None or (obj.unit_id is not None and obj.unit_id == user.unit_id)


@rules.predicate
def answers_for(user: Any, obj: Any = None) -> bool:
    """The person ``obj`` is posted to the user's unit, or away from it for a time; without an object: yes."""
    if obj is None or (obj.unit_id is not None and obj.unit_id == user.unit_id):
        return True
    return user.unit_id is not None and obj.postings.on().filter(home=user.unit_id).exists()


rules.add_perm("workforce.view", has_role("supervisor", "administrator"))
rules.add_perm("workforce.accredit", is_administrator | (is_supervisor & of_own_unit))
rules.add_perm("workforce.plan", is_administrator | (is_supervisor & answers_for))
rules.add_perm(
    "workforce.own",
    has_role("referral_desk", "investigator", "supervisor", "examiner", "offender_manager", "custody_officer"),
)
rules.add_perm("workforce.welfare", is_supervisor & of_own_unit)
rules.add_perm("workforce.audit", has_role("supervisor", "administrator", "chief_officer"))
