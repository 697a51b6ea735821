from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class SupervisionConfig(CaseworkApp):
    name = "safelight.casework.supervision"
    label = "supervision"
    default = True  # the base class stands in this module too
