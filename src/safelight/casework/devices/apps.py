from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class DevicesConfig(CaseworkApp):
    name = "safelight.casework.devices"
    label = "devices"
    default = True  # the base class stands in this module too
