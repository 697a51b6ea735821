from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class LedgerConfig(CaseworkApp):
    name = "safelight.casework.ledger"
    label = "ledger"
    default = True  # the base class stands in this module too
