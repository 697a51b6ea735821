"""Who may read the ledger as such: supervisors (their unit's cases) and administrators (no case content)."""

from __future__ import annotations

import rules

from safelight.casework.base.predicates import has_role

rules.add_perm("ledger.view", has_role("supervisor", "administrator"))
