"""Who may give a case to whom: supervisors, within their unit."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import has_role, is_supervisor, supervises
from safelight.casework.cases.rules import sees_the_case
from safelight.casework.workforce.rules import of_own_unit


@rules.predicate
def is_self(user: Any, obj: Any = None) -> bool:
    """The person ``obj`` is the user; without an object: yes."""
    return obj is None or obj.pk == user.pk


rules.add_perm("allocation.allocate", is_supervisor & sees_the_case & supervises)
rules.add_perm("allocation.hand_over", is_supervisor)
rules.add_perm(
    "allocation.declare",
    has_role("referral_desk", "investigator", "supervisor", "examiner") & (is_self | (is_supervisor & of_own_unit)),
)
