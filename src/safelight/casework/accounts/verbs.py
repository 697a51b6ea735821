from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs({"account.created": "made the account", "account.changed": "changed the account"})
