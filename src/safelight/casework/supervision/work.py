"""Reviews that fall due, and actions of plans."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import Case
from safelight.casework.cases.seen import first_seen
from safelight.casework.clocks.models import Clock
from safelight.casework.supervision.models import PlanAction

AHEAD = timedelta(days=2)
MOST = 50


def items_for(user: Any) -> list[WorkItem]:
    """Everybody's actions of plans due within two days, or past; for supervisors also reviews of the unit. Two
    queries."""
    return [*_actions(user), *(_reviews(user) if user.role == "supervisor" else [])]


def _actions(user: Any) -> list[WorkItem]:
    day = timezone.localdate() + AHEAD
    rows = PlanAction.objects.open().filter(owner=user, due_on__lte=day)
    if not rows.exists():
        return []
    rows = rows.filter(Case.objects.visible_to(user).holding("case"))
    return [
        WorkItem(
            title=f"Overdue: {row.text[:120]}" if row.overdue else row.text[:120],
            url=reverse("supervision:plan", kwargs={"reference": row.case.reference}),
            subject=f"{row.case.reference} {row.case.title}",
            due_at=timezone.make_aware(datetime.combine(row.due_on + timedelta(days=1), time())),
            risk=row.case.risk,
            group="Plans",
        )
        for row in rows.select_related("case").order_by("due_on", "id")[:MOST]
    ]


def _reviews(user: Any) -> list[WorkItem]:
    clocks = (
        Clock.objects.open()
        .filter(rule="supervisor_review", unit=user.unit, due_at__lt=timezone.now() + AHEAD)
        .select_related("case")
        .order_by("due_at", "id")
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
        for clock in first_seen(clocks, user, MOST)
    ]
