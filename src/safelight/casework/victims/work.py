"""Victims who are to be told."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone

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
    clocks = Clock.objects.open().filter(subject_type=SUBJECT)
    if user.role == "investigator":
        clocks = clocks.filter(carried_by(user, "case"))
    else:
        seen = Case.objects.visible_to(user).holding("case")
        clocks = clocks.filter(seen, unit=user.unit, due_at__lt=timezone.now())
    found = list(clocks.select_related("case").order_by("due_at", "id")[:MOST])
    rows = {row.pk: row for row in VictimUpdate.objects.filter(pk__in=[clock.subject_id for clock in found])}
    return [
        WorkItem(
            title=f"Tell the victim: {rows[clock.subject_id].title.lower()}",
            url=reverse("victims:case_victims", args=[clock.case.reference]),
            subject=f"{clock.case.reference} {clock.case.title}",
            due_at=clock.due_at,
            clock=clock,
            risk=clock.case.risk,
            group="Victims",
        )
        for clock in found
        if clock.subject_id in rows
    ]
