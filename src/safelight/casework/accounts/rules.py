"""Who may make accounts: administrators, who see no case."""

from __future__ import annotations

import rules

from safelight.casework.base.predicates import is_administrator

rules.add_perm("accounts.manage", is_administrator)
