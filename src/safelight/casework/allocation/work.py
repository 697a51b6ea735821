"""Cases that wait to be handed over, and what was moved from people who came back."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from safelight.casework.allocation.handing_over import handing_over, returned
from safelight.casework.base.work import WorkItem

MOST = 20


def items_for(user: Any) -> list[WorkItem]:
    """For supervisors: one line for each person whose cases wait. A fixed number of queries."""
    if user.role != "supervisor" or user.unit_id is None:
        return []
    items = [
        WorkItem(
            title=f"Hand over {_cases(len(leaver.waiting))} of {leaver.investigator}",
            url=reverse("allocation:hand_over", kwargs={"username": leaver.investigator.username}),
            subject=leaver.why[:1].upper() + leaver.why[1:],
            risk=leaver.waiting[0].case.risk,
            group="Handing over",
        )
        for leaver in handing_over(user)[:MOST]
    ]
    items += [
        WorkItem(
            title=f"{one.investigator} is back: {_cases(len(one.cases))} moved meanwhile stay where they are",
            url=reverse("allocation:handing_over") + "#returned",
            subject="Move what should go back; nothing does by itself",
            group="Handing over",
        )
        for one in returned(user)[:MOST]
    ]
    return items


def _cases(count: int) -> str:
    return f"{count} case{'' if count == 1 else 's'}"
