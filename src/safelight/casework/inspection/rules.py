"""Who plans, audits, assesses and answers. The auditor is never of the unit that had the case."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import has_role, is_supervisor

is_auditor = has_role("auditor")
is_chief = has_role("chief_officer")


@rules.predicate
def sees_it(user: Any, obj: Any = None) -> bool:
    """The plan, audited case or case sent back is visible to ``user``; without an object: yes."""
    return obj is None or bool(type(obj).objects.visible_to(user).filter(pk=obj.pk).exists())


@rules.predicate
def of_the_unit(user: Any, obj: Any = None) -> bool:
    """The audited case is of the user's own unit; without an object: yes."""
    return obj is None or (user.unit_id is not None and obj.unit_id == user.unit_id)


@rules.predicate
def independent(user: Any, obj: Any = None) -> bool:
    """The audited case is of another unit than the user's; without an object: yes."""
    return obj is None or obj.unit_id != user.unit_id


@rules.predicate
def is_recipient(user: Any, obj: Any = None) -> bool:
    """The case was sent back to this user; without an object: yes."""
    return obj is None or obj.recipient_id == user.pk


anybody_at_work = has_role("investigator", "supervisor", "auditor", "referral_desk", "examiner")
rules.add_perm("inspection.view", (is_auditor | is_chief | is_supervisor) & sees_it)
rules.add_perm("inspection.plan", is_auditor)
rules.add_perm("inspection.result", (is_auditor | is_chief) & sees_it)
rules.add_perm("inspection.case", (is_auditor | is_supervisor) & sees_it)
rules.add_perm("inspection.assess", ((is_supervisor & of_the_unit) | (is_auditor & independent)) & sees_it)
rules.add_perm("inspection.audit", is_auditor & independent & sees_it)
rules.add_perm("inspection.figures", is_auditor | is_chief | is_supervisor)
rules.add_perm("inspection.referred", anybody_at_work & sees_it)
rules.add_perm("inspection.answer", anybody_at_work & is_recipient)
