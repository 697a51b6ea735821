"""Who keeps recommendations: chief officers and auditors record them, their owners act, an auditor closes them."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import has_role


@rules.predicate
def owns_it(user: Any, obj: Any = None) -> bool:
    """The recommendation is this user's; without an object: yes."""
    return obj is None or obj.owner_id == user.pk


is_chief, is_auditor = has_role("chief_officer"), has_role("auditor")
answers = has_role("chief_officer", "supervisor", "administrator")
rules.add_perm("recommendations.view", is_chief | is_auditor | answers)
rules.add_perm("recommendations.record", is_chief | is_auditor)
rules.add_perm("recommendations.assign", is_chief)
rules.add_perm("recommendations.act", is_chief | (answers & owns_it))
rules.add_perm("recommendations.close", is_auditor)
