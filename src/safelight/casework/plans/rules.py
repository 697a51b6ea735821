"""Who may plan. A plan holds figures of the model and counts of the force, never a case or a person."""

from __future__ import annotations

import rules

from safelight.casework.base.predicates import has_role

plans = has_role("supervisor", "administrator", "chief_officer")
rules.add_perm("plans.view", plans)
rules.add_perm("plans.make", plans)
