from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class VictimsConfig(CaseworkApp):
    name = "safelight.casework.victims"
    label = "victims"
    default = True  # the base class stands in this module too
