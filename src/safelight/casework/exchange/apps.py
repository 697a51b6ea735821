from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class ExchangeConfig(CaseworkApp):
    name = "safelight.casework.exchange"
    label = "exchange"
    default = True  # the base class stands in this module too
