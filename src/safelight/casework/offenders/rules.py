"""Who may see and manage registered sex offenders: the offender managers and supervisors of the unit."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import has_role, is_supervisor
from safelight.casework.offenders.models import Offender


@rules.predicate
def sees_the_offender(user: Any, obj: Any = None) -> bool:
    """The offender that ``obj`` is or belongs to is visible to ``user``; without an object: yes."""
    if obj is None:
        return True
    offender = obj if isinstance(obj, Offender) else getattr(obj, "offender", None)
    return offender is not None and Offender.objects.visible_to(user).filter(pk=offender.pk).exists()


manages = has_role("offender_manager", "supervisor")

rules.add_perm("offenders.view", has_role("offender_manager", "supervisor", "chief_officer") & sees_the_offender)
rules.add_perm("offenders.manage", manages & sees_the_offender)
rules.add_perm("offenders.approve", is_supervisor & sees_the_offender)
rules.add_perm("offenders.import", manages)
