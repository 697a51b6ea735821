"""What waits in recommendations: overdue ones stand first with the chief officer; owners see their own; auditors what
is said to be met."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.recommendations.models import Recommendation

MOST = 30


def items_for(user: Any) -> list[WorkItem]:
    """For the chief officer: overdue ones and those without an owner. For an owner: the own. For an auditor: those
    said to be met."""
    if user.role not in ("auditor", "chief_officer", "supervisor", "administrator"):
        return []
    judge = "Judge: its owner says that it is met"
    return [
        _item(row, judge if user.role == "auditor" else _title(row, user))
        for row in _waiting(user, today=timezone.localdate())
    ]


@prepared
def _waiting(user: Any, *, today: Any) -> Any:
    rows = Recommendation.objects.open().select_related("report", "owner").order_by("due_on", "pk")
    if user.role == "auditor":
        return rows.filter(done_at__isnull=False)[:MOST]
    wanted = Q(owner=user)
    if user.role == "chief_officer":
        wanted |= Q(due_on__lt=today) | Q(owner=None)
    return rows.filter(wanted, done_at=None)[:MOST]


def _title(row: Recommendation, user: Any) -> str:
    kind = row.get_kind_display()
    if row.is_overdue:
        who = "" if row.owner_id == user.pk else f" with {row.owner}" if row.owner else ", and nobody owns it"
        return f"{kind} overdue{who}"
    if row.owner_id is None:
        return f"{kind} without an owner"
    return f"{kind}: write the action plan" if row.planned_at is None else f"{kind}: show that it is met"


def _item(row: Recommendation, title: str) -> WorkItem:
    return WorkItem(
        title=title,
        url=reverse("recommendations:detail", kwargs={"reference": row.reference}),
        subject=f"{row.reference} {row.text[:90]}",
        due_at=timezone.make_aware(datetime.combine(row.due_on + timedelta(days=1), time())),
        urgent=row.is_overdue,
        group="Recommendations",
    )
