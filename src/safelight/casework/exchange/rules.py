"""Who may do what in the exchange with platforms."""

from __future__ import annotations

import rules

from safelight.casework.base.predicates import has_role, is_administrator, is_supervisor

is_exchange_manager = has_role("exchange_manager")
rules.add_perm("exchange.view", is_exchange_manager | is_supervisor | is_administrator)
rules.add_perm("exchange.manage", is_exchange_manager)
# Whoever sees a key misused may stop it; giving it back is for the exchange manager.
rules.add_perm("exchange.stop_key", is_exchange_manager | is_administrator)
