from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class AllocationConfig(CaseworkApp):
    name = "safelight.casework.allocation"
    label = "allocation"
    default = True  # the base class stands in this module too
