from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class PeopleConfig(CaseworkApp):
    name = "safelight.casework.people"
    label = "people"
    default = True  # the base class stands in this module too
