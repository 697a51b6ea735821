from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class NoticesConfig(CaseworkApp):
    name = "safelight.casework.notices"
    label = "notices"
    default = True  # the base class stands in this module too
