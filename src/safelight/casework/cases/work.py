"""What waits in the cases: live contact first, then cases without an investigator."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock

MOST = 50


def items_for(user: Any) -> list[WorkItem]:
    """For the investigator: own cases with live contact. For the supervisor: the unit's, and those that nobody has."""
    if user.role not in ("investigator", "supervisor"):
        return []
    mine = Case.objects.visible_to(user).open()
    if user.role == "supervisor":
        mine = mine.filter(unit=user.unit)
    else:
        mine = mine.filter(allocations__investigator=user, allocations__ended_at=None)
    items = [
        WorkItem(
            title="Live contact with a child: act now",
            url=reverse("cases:detail", kwargs={"reference": case.reference}),
            subject=f"{case.reference} {case.title}",
            risk=case.risk,
            urgent=True,
            group="Live contact",
        )
        for case in mine.filter(live_contact=True).order_by("pk")[:MOST]
    ]
    if user.role == "supervisor":
        waiting = list(mine.unallocated().order_by("opened_at", "pk")[:MOST])
        clocks = Clock.objects.open().filter(case__in=waiting, rule="allocation_to_investigator")
        by_case = {clock.case_id: clock for clock in clocks}
        items += [_allocate(case, by_case.get(case.pk)) for case in waiting]
    return items


def _allocate(case: Any, clock: Any) -> WorkItem:
    return WorkItem(
        title="Give the case to an investigator",
        url=reverse("allocation:allocate", kwargs={"reference": case.reference}),
        subject=f"{case.reference} {case.title}",
        due_at=clock.due_at if clock else None,
        clock=clock,
        risk=case.risk,
        urgent=True,
        group="Allocation",
    )
