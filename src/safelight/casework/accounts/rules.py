"""Who may make accounts: administrators, who see no case. Who may be the second person of a recovery."""

from __future__ import annotations

import rules

from safelight.casework.base.predicates import has_role, is_administrator, is_supervisor

rules.add_perm("accounts.manage", is_administrator)
rules.add_perm("accounts.decide_recovery", is_administrator | is_supervisor | has_role("chief_officer"))
