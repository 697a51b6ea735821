"""Reviews that fall due, and actions of plans."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from safelight.casework.base.links import address
from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import Case
from safelight.casework.cases.seen import first_seen
from safelight.casework.supervision.models import PlanAction
from safelight.casework.supervision.queries import reviews_due

AHEAD = timedelta(days=2)
MOST = 50


def items_for(user: Any) -> list[WorkItem]:
    """Everybody's actions of plans due within two days, or past; for supervisors also reviews of the unit. Two
    queries."""
    return [*_actions(user), *(_reviews(user) if user.role == "supervisor" else [])]


def _actions(user: Any) -> list[WorkItem]:
    day = timezone.localdate() + AHEAD
    return [
        WorkItem(
            title=f"Overdue: {row.text[:120]}" if row.overdue else row.text[:120],
            url=address("supervision:plan", row.case.reference),
            subject=f"{row.case.reference} {row.case.title}",
            due_at=timezone.make_aware(datetime.combine(row.due_on + timedelta(days=1), time())),
            risk=row.case.risk,
            group="Plans",
        )
        for row in (_due(user, day=day) if _any_due(user, day=day) else ())
    ]


@prepared
def _any_due(user: Any, *, day: Any) -> Any:
    return PlanAction.objects.open().filter(owner=user, due_on__lte=day).values_list("pk")[:1]


@prepared
def _due(user: Any, *, day: Any) -> Any:
    rows = PlanAction.objects.open().filter(Case.objects.visible_to(user).holding("case"), owner=user, due_on__lte=day)
    return rows.select_related("case").order_by("due_on", "id")[:MOST]


def _reviews(user: Any) -> list[WorkItem]:
    until = timezone.now() + AHEAD
    return [
        WorkItem(
            title="Review the case",
            url=address("supervision:review", clock.case.reference),
            subject=f"{clock.case.reference} {clock.case.title}",
            due_at=clock.due_at,
            clock=clock,
            risk=clock.case.risk,
            group="Supervision",
        )
        for clock in first_seen(lambda at, to: reviews_due(user, at, to, until=until), user, MOST)
    ]
