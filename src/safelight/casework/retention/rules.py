"""Who decides how long a case is kept: its supervisor or a chief officer proposes, a chief officer approves."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import has_role, supervises

is_chief = has_role("chief_officer")


@rules.predicate
def proposed_by_another(user: Any, decision: Any = None) -> bool:
    """Somebody else proposed it; without an object: yes."""
    return decision is None or decision.proposed_by_id != user.pk


rules.add_perm("retention.view", has_role("supervisor", "chief_officer", "auditor"))
rules.add_perm("retention.propose", supervises | is_chief)
rules.add_perm("retention.hold", supervises | is_chief)
rules.add_perm("retention.hold_all", is_chief)
rules.add_perm("retention.access", is_chief)
rules.add_perm("retention.lift", is_chief)
rules.add_perm("retention.approve", is_chief & proposed_by_another)
