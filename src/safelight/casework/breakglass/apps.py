from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class BreakglassConfig(CaseworkApp):
    name = "safelight.casework.breakglass"
    label = "breakglass"
    default = True  # the base class stands in this module too
