from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class SharingConfig(CaseworkApp):
    name = "safelight.casework.sharing"
    label = "sharing"
    default = True  # the base class stands in this module too
