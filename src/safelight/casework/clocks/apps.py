from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class ClocksConfig(CaseworkApp):
    name = "safelight.casework.clocks"
    label = "clocks"
    default = True  # the base class stands in this module too
