from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class CasesConfig(CaseworkApp):
    name = "safelight.casework.cases"
    label = "cases"
    default = True  # the base class stands in this module too
