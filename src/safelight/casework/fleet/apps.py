from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class FleetConfig(CaseworkApp):
    name = "safelight.casework.fleet"
    label = "fleet"
    default = True  # the base class stands in this module too

    def ready(self) -> None:
        super().ready()
        from safelight.casework.fleet import keeping

        keeping.listen()
