from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class SubmissionsConfig(CaseworkApp):
    name = "safelight.casework.submissions"
    label = "submissions"
    default = True  # the base class stands in this module too
