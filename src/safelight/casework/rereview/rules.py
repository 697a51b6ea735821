"""Who sets a re-review up, who examines, who reads."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import has_role
from safelight.casework.rereview.models import Entry, ReReview

LEADS = ("supervisor", "chief_officer")
REVIEWERS = ("investigator", "supervisor")


@rules.predicate
def leads(user: Any, obj: Any = None) -> bool:
    """Made it, is a supervisor of its unit, or a chief officer; without an object: may lead one."""
    if obj is None:
        return True
    row = obj if isinstance(obj, ReReview) else obj.rereview
    if user.role == "chief_officer":
        return True
    return row.made_by_id == user.pk or (row.unit_id is not None and row.unit_id == user.unit_id)


@rules.predicate
def reviews(user: Any, obj: Any = None) -> bool:
    """The entry is given to this person, who still sees its case."""
    return obj is None or (
        isinstance(obj, Entry)
        and obj.reviewer_id == user.pk
        and Entry.objects.visible_to(user).filter(pk=obj.pk).exists()
    )


rules.add_perm("rereview.view", has_role("supervisor", "chief_officer", "auditor", "investigator"))
rules.add_perm("rereview.lead", has_role(*LEADS) & leads)
rules.add_perm("rereview.answer", has_role(*REVIEWERS) & reviews)
