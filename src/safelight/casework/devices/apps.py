from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class DevicesConfig(CaseworkApp):
    name = "safelight.casework.devices"
    label = "devices"
