from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import has_role, has_the_case, supervises
from safelight.casework.devices.rules import examines
from safelight.casework.safeguarding.rules import protects

identifies = has_role("investigator", "supervisor", "examiner")


@rules.predicate
def its_victim_is_visible(user: Any, obj: Any = None) -> bool:
    """The child's record, where it belongs to a case, belongs to one that the user sees."""
    return obj is None or bool(type(obj).objects.visible_to(user).filter(pk=obj.pk).exists())


rules.add_perm("identification.view", has_role("investigator", "supervisor", "examiner", "auditor", "chief_officer"))
rules.add_perm("identification.record", identifies & its_victim_is_visible)
rules.add_perm("identification.identify", protects)
rules.add_perm("identification.import", has_role("examiner", "supervisor"))
rules.add_perm("identification.settle", examines | has_the_case | supervises)
