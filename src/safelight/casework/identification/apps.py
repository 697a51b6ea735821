from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class IdentificationConfig(CaseworkApp):
    name = "safelight.casework.identification"
    label = "identification"
    default = True  # the base class stands in this module too
