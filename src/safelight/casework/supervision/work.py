"""Reviews that fall due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock

AHEAD = timedelta(days=2)
MOST = 50


def items_for(user: Any) -> list[WorkItem]:
    """For supervisors: reviews of the unit due within two days, or past. One query."""
    if user.role != "supervisor":
        return []
    clocks = (
        Clock.objects.open()
        .filter(
            Case.objects.visible_to(user).holding("case"),
            rule="supervisor_review",
            unit=user.unit,
            due_at__lt=timezone.now() + AHEAD,
        )
        .select_related("case")
        .order_by("due_at", "id")[:MOST]
    )
    return [
        WorkItem(
            title="Review the case",
            url=reverse("supervision:review", kwargs={"reference": clock.case.reference}),
            subject=f"{clock.case.reference} {clock.case.title}",
            due_at=clock.due_at,
            clock=clock,
            risk=clock.case.risk,
            group="Supervision",
        )
        for clock in clocks
    ]
