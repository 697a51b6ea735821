from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class PlansConfig(CaseworkApp):
    name = "safelight.casework.plans"
    label = "plans"
    default = True  # the base class stands in this module too
