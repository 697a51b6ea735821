from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import has_role, has_the_case, is_examiner, reads_cases, supervises


@rules.predicate
def case_is_open_to_examiners(user: Any, obj: Any = None) -> bool:
    """A case that is not restricted, or one whose access list names the examiner."""
    if obj is None:
        return True
    case = obj if obj._meta.label == "cases.Case" else getattr(obj, "case", None)
    return case is not None and (not case.restricted or case.access.filter(user=user).exists())


examines = is_examiner & case_is_open_to_examiners
handles = examines | has_the_case | supervises

rules.add_perm("devices.view", reads_cases)
rules.add_perm("devices.queue", has_role("investigator", "supervisor", "examiner", "chief_officer"))
rules.add_perm("devices.book_in", handles)
rules.add_perm("devices.move", handles)
rules.add_perm("devices.decide", has_the_case | supervises)
rules.add_perm("devices.register_image", handles)
rules.add_perm("devices.triage", handles)
rules.add_perm("devices.accept_unread", examines | supervises)
rules.add_perm("devices.release", supervises)
