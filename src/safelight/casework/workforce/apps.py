from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class WorkforceConfig(CaseworkApp):
    name = "safelight.casework.workforce"
    label = "workforce"
    default = True  # the base class stands in this module too
