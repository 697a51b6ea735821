"""Who may supervise: supervisors, within their unit."""

from __future__ import annotations

import rules

from safelight.casework.base.predicates import is_supervisor, supervises
from safelight.casework.cases.rules import runs_the_case, sees_the_case

rules.add_perm("supervision.board", is_supervisor)
rules.add_perm("supervision.review", is_supervisor & sees_the_case & supervises)
rules.add_perm("supervision.plan", runs_the_case)
