"""What waits in the cases: live contact first, then cases without an investigator, then cases new to theirs."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse

from safelight.casework.allocation.models import Allocation
from safelight.casework.base.links import address
from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import Case, ChronologyEntry, carried_by
from safelight.casework.clocks.models import Clock

MOST = 50


def items_for(user: Any) -> list[WorkItem]:
    """For the investigator: own cases with live contact, and those in which nothing was done since they were given.
    For the supervisor: the unit's, and those that nobody has."""
    if user.role == "chief_officer":
        return _chief(user)
    if user.role not in ("investigator", "supervisor"):
        return []
    items = [
        WorkItem(
            title="Live contact with a child: act now",
            url=address("cases:detail", case.reference),
            subject=f"{case.reference} {case.title}",
            risk=case.risk,
            urgent=True,
            group="Live contact",
        )
        for case in _live(user)
    ]
    if user.role == "supervisor":
        waiting = _unallocated(user)
        clocks = _to_allocate(None, cases=[case.pk for case in waiting]) if waiting else []
        by_case = {clock.case_id: clock for clock in clocks}
        items += [_allocate(case, by_case.get(case.pk)) for case in waiting]
    else:
        items += [_begin(row.case) for row in _untouched(user)]
    return items


@prepared
def _live(user: Any) -> Any:
    """Cases with live contact; a supervisor answers for closed ones as well: closing a case ends no contact."""
    if user.role == "supervisor":
        mine = Case.objects.visible_to(user).filter(unit=user.unit)
    else:
        mine = Case.objects.open().filter(carried_by(user, "pk"))
    return mine.filter(live_contact=True).order_by("pk")[:MOST]


@prepared
def _unallocated(user: Any) -> Any:
    mine = Case.objects.visible_to(user).open().filter(unit=user.unit)
    return mine.unallocated().order_by("opened_at", "pk")[:MOST]


@prepared
def _to_allocate(nobody: None, *, cases: Any) -> Any:
    return Clock.objects.open().filter(case__anyof=cases, rule="allocation_to_investigator")


def _chief(user: Any) -> list[WorkItem]:
    live = Case.objects.visible_to(user).filter(live_contact=True)
    count = len(live.values_list("pk", flat=True)[:MOST])
    if not count:
        return []
    return [
        WorkItem(
            title="Live contact with a child: see who acts",
            url=reverse("cases:live"),
            subject=f"{'At least ' if count == MOST else ''}{count} case{'' if count == 1 else 's'}",
            urgent=True,
            group="Live contact",
        )
    ]


@prepared
def _untouched(user: Any) -> Any:
    """The investigator's live allocations since which the investigator recorded nothing in the case."""
    done = ChronologyEntry.objects.filter(case=OuterRef("case"), actor=user, recorded_at__gte=OuterRef("started_at"))
    mine = Allocation.objects.filter(carried_by(user, "case"), investigator=user, ended_at=None, case__status="open")
    rows = mine.exclude(Exists(done))
    return rows.select_related("case").order_by("started_at", "pk")[:MOST]


def _begin(case: Any) -> WorkItem:
    return WorkItem(
        title="Begin: this case is new to you",
        url=address("cases:detail", case.reference),
        subject=f"{case.reference} {case.title}",
        risk=case.risk,
        group="New cases",
    )


def _allocate(case: Any, clock: Any) -> WorkItem:
    return WorkItem(
        title="Give the case to an investigator",
        url=address("allocation:allocate", case.reference),
        subject=f"{case.reference} {case.title}",
        due_at=clock.due_at if clock else None,
        clock=clock,
        risk=case.risk,
        urgent=True,
        group="Allocation",
    )
