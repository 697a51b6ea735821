from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import is_desk, is_investigator, is_offender_manager, is_supervisor, reads_cases


@rules.predicate
def makes_a_new_record(user: Any, obj: Any = None) -> bool:
    """Making a record, not changing one that is there."""
    return obj is None


rules.add_perm("people.view", reads_cases)
rules.add_perm("people.link", is_desk | is_investigator | is_supervisor)
rules.add_perm("people.change", is_desk | is_investigator | is_supervisor | (is_offender_manager & makes_a_new_record))
