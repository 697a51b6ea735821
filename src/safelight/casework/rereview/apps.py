from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class RereviewConfig(CaseworkApp):
    name = "safelight.casework.rereview"
    label = "rereview"
    default = True  # the base class stands in this module too
