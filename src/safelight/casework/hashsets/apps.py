from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class HashsetsConfig(CaseworkApp):
    name = "safelight.casework.hashsets"
    label = "hashsets"
    default = True  # the base class stands in this module too
