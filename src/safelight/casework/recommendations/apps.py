from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class RecommendationsConfig(CaseworkApp):
    name = "safelight.casework.recommendations"
    label = "recommendations"
    default = True  # the base class stands in this module too
