from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class InspectionConfig(CaseworkApp):
    name = "safelight.casework.inspection"
    label = "inspection"
    default = True  # the base class stands in this module too
