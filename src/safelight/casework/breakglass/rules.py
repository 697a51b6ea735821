"""Who may break the glass, who hears of it and who reviews: the table ``[break_glass]`` of base/permissions.toml."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.permissions import permissions
from safelight.casework.base.predicates import has_role
from safelight.casework.breakglass.models import Opening

_said = permissions().break_glass


@rules.predicate
def of_somebody_else(user: Any, obj: Any = None) -> bool:
    """Another person broke the glass, and the user may see that; without an object: yes."""
    return obj is None or (obj.user_id != user.pk and Opening.objects.visible_to(user).filter(pk=obj.pk).exists())


rules.add_perm("breakglass.ask", has_role(*_said.roles))
rules.add_perm("breakglass.view", has_role(*{*_said.roles, *_said.reviewers, *_said.oversight}))
rules.add_perm("breakglass.review", has_role(*_said.reviewers) & of_somebody_else)
