"""Who may give a case to whom: supervisors, within their unit."""

from __future__ import annotations

import rules

from safelight.casework.base.predicates import is_supervisor, supervises
from safelight.casework.cases.rules import sees_the_case

rules.add_perm("allocation.allocate", is_supervisor & sees_the_case & supervises)
