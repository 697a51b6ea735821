"""Who shares, and what a partner may do: read, acknowledge, decide, ask back; nothing else of the site is theirs."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import (
    has_role,
    is_administrator,
    is_desk,
    is_investigator,
    is_supervisor,
    reads_cases,
)
from safelight.casework.sharing.models import Sharing


@rules.predicate
def sees_the_sharing(user: Any, obj: Any = None) -> bool:
    """The sharing is visible to ``user``; without an object: yes."""
    return obj is None or Sharing.objects.visible_to(user).filter(pk=obj.pk).exists()


rules.add_perm("sharing.portal", has_role("partner") & sees_the_sharing)
rules.add_perm("sharing.view", reads_cases & sees_the_sharing)
rules.add_perm("sharing.manage", (is_desk | is_investigator | is_supervisor) & sees_the_sharing)
rules.add_perm("sharing.agencies", is_administrator)
