"""Break-glass accesses that wait for their review."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from safelight.casework.base.links import address
from safelight.casework.base.permissions import permissions
from safelight.casework.base.work import WorkItem
from safelight.casework.breakglass.queries import awaiting_review


def items_for(user: Any) -> list[WorkItem]:
    """For reviewers: one line for each, until it is reviewed. One query."""
    if user.role not in permissions().break_glass.reviewers:
        return []
    now = timezone.now()
    return [
        WorkItem(
            title=f"{'Late: r' if row.review_due_at < now else 'R'}eview the break-glass access of {row.user}",
            url=address("breakglass:review", row.reference),
            subject=f"{row.reference}: {row.why_words}",
            due_at=row.review_due_at,
            urgent=row.review_due_at < now,
            group="Break-glass access",
        )
        for row in awaiting_review(user)[:20]
    ]
