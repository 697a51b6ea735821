"""The filters of the case index, as an address has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from safelight.casework.base.standards import standards
from safelight.casework.cases.queries import STAGES, Filters

STATUSES = {"open": "Open", "closed": "Closed", "all": "Open and closed"}


def filters_from(asked: Mapping[str, str], units: Collection[str]) -> Filters:
    """The filters in ``asked``; unknown values are dropped. ``units``: the codes that there are."""
    risks = {*standards().risks, "none"}

    def one(name: str, known: Collection[str], otherwise: str = "") -> str:
        value = asked.get(name, "")
        return value if value in known else otherwise

    return Filters(
        unit=one("unit", units),
        risk=one("risk", risks),
        stage=one("stage", STAGES),
        status=one("status", STATUSES, "all" if asked.get("stage") == "closed" else "open"),
        mine=asked.get("mine") == "1",
        unallocated=asked.get("unallocated") == "1",
        breached=asked.get("breached") == "1",
    )
