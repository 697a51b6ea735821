from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class OffendersConfig(CaseworkApp):
    name = "safelight.casework.offenders"
    label = "offenders"
    default = True  # the base class stands in this module too
