"""Who may protect a child: whoever takes in, investigates or supervises, for every referral and case they may see.

An investigator need not hold the case: a child is not left waiting for an allocation.
"""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import (
    by_broken_glass,
    is_desk,
    is_investigator,
    is_offender_manager,
    is_supervisor,
    reads_cases,
)


@rules.predicate
def sees_it(user: Any, obj: Any = None) -> bool:
    """The referral, case, child or safeguarding referral is visible to ``user``; without an object: yes."""
    if obj is None:
        return True
    return bool(type(obj).objects.visible_to(user).filter(pk=obj.pk).exists())


protects = (is_desk | is_investigator | is_supervisor | is_offender_manager) & sees_it

rules.add_perm("safeguarding.view", reads_cases)
rules.add_perm("safeguarding.check", protects)
rules.add_perm("safeguarding.add_child", protects)
rules.add_perm("safeguarding.refer", protects)
rules.add_perm("safeguarding.hold", is_supervisor & sees_it & ~by_broken_glass)
rules.add_perm("safeguarding.strategy_view", reads_cases & sees_it)
rules.add_perm("safeguarding.strategy", protects)
rules.add_perm("safeguarding.enquiry", protects)
rules.add_perm("safeguarding.protect", protects)
