from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class RetentionConfig(CaseworkApp):
    name = "safelight.casework.retention"
    label = "retention"
    default = True  # the base class stands in this module too
