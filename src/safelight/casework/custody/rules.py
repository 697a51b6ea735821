"""Who may do what in custody. A custody officer keeps the record of every detained child and sees no case; supervisors
and chief officers see the lists and the figures; whoever works a case sees the detentions that belong to it."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import has_role, reads_cases
from safelight.casework.custody.models import LISTED_TO, Detention

keeps_custody = has_role("custody_officer")


@rules.predicate
def sees_the_detention(user: Any, obj: Any = None) -> bool:
    """The detention is visible to ``user``; without an object: yes."""
    return obj is None or Detention.objects.visible_to(user).filter(pk=obj.pk).exists()


rules.add_perm("custody.list", has_role(*LISTED_TO))
rules.add_perm("custody.view", (keeps_custody | reads_cases) & sees_the_detention)
rules.add_perm("custody.keep", keeps_custody & sees_the_detention)
