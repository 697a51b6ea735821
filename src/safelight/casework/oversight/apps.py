from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class OversightConfig(CaseworkApp):
    name = "safelight.casework.oversight"
    label = "oversight"
    default = True  # the base class stands in this module too
