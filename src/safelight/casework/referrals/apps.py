from __future__ import annotations

from safelight.casework.base.apps import CaseworkApp


class ReferralsConfig(CaseworkApp):
    name = "safelight.casework.referrals"
    label = "referrals"
    default = True  # the base class stands in this module too
