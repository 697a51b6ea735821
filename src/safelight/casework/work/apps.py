from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class WorkConfig(CaseworkApp):
    name = "safelight.casework.work"
    label = "work"
