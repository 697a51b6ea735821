from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class CustodyConfig(CaseworkApp):
    name = "safelight.casework.custody"
    label = "custody"
    default = True  # the base class stands in this module too
