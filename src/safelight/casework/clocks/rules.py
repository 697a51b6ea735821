"""Who may do what to a clock."""

from __future__ import annotations

from typing import Any

import rules

from safelight.casework.base.predicates import by_broken_glass, is_supervisor, reads_cases, supervises
from safelight.casework.clocks.models import Clock


@rules.predicate
def sees_the_clock(user: Any, obj: Any = None) -> bool:
    """The clock belongs to a case or referral that ``user`` sees; without an object: yes."""
    return obj is None or Clock.objects.visible_to(user).filter(pk=obj.pk).exists()


@rules.predicate
def of_the_unit(user: Any, obj: Any = None) -> bool:
    """A clock of the user's unit, or of a referral that no unit has yet."""
    return obj is None or obj.unit_id in (None, user.unit_id) or bool(obj.case and supervises(user, obj.case))


rules.add_perm("clocks.view", reads_cases & sees_the_clock)
rules.add_perm("clocks.hold", is_supervisor & sees_the_clock & of_the_unit & ~by_broken_glass)
