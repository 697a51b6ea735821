"""Victims who are to be told."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from safelight.casework.base.links import address
from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import Case, carried_by
from safelight.casework.clocks.models import Clock
from safelight.casework.victims.models import VictimUpdate
from safelight.casework.victims.queries import SUBJECT

MOST = 50


def items_for(user: Any) -> list[WorkItem]:
    """For an investigator: the victims of the own cases; for a supervisor: those of the unit who wait too long."""
    if user.role not in ("investigator", "supervisor"):
        return []
    found = _of_own(user) if user.role == "investigator" else _late(user, now=timezone.now())
    rows = {row.pk: row for row in VictimUpdate.objects.filter(pk__anyof=[clock.subject_id for clock in found])}
    return [
        WorkItem(
            title=f"Tell the victim: {rows[clock.subject_id].title.lower()}",
            url=address("victims:case_victims", clock.case.reference),
            subject=f"{clock.case.reference} {clock.case.title}",
            due_at=clock.due_at,
            clock=clock,
            risk=clock.case.risk,
            group="Victims",
        )
        for clock in found
        if clock.subject_id in rows
    ]


def _clocks() -> Any:
    return Clock.objects.open().filter(subject_type=SUBJECT).select_related("case").order_by("due_at", "id")


@prepared
def _of_own(user: Any) -> Any:
    return _clocks().filter(carried_by(user, "case"))[:MOST]


@prepared
def _late(user: Any, *, now: Any) -> Any:
    seen = Case.objects.visible_to(user).holding("case")
    return _clocks().filter(seen, unit=user.unit, due_at__lt=now)[:MOST]
