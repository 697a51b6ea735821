from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class SafeguardingConfig(CaseworkApp):
    name = "safelight.casework.safeguarding"
    label = "safeguarding"
    default = True  # the base class stands in this module too
