from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class CiphersConfig(CaseworkApp):
    name = "safelight.casework.ciphers"
    label = "ciphers"
    default = True  # the base class stands in this module too
