"""What waits in accounts: recoveries that need a second person, and people whom the sign-in service sent."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from safelight.casework.accounts.models import UnknownSubject
from safelight.casework.accounts.recovery import open_to
from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem

MOST = 20


def items_for(user: Any) -> list[WorkItem]:
    """For administrators, chief officers and supervisors: recoveries that somebody else asked for."""
    if user.role not in ("administrator", "chief_officer", "supervisor"):
        return []
    items = [
        WorkItem(
            title="Decide whether a colleague may set up a new second factor",
            url=reverse("accounts:recovery", args=[row.pk]),
            subject=f"{row.user.username}, asked for by {row.asked_by}",
            urgent=False,
            group="Accounts",
        )
        for row in _to_decide(user)
    ]
    if user.role == "administrator" and (count := UnknownSubject.objects.filter(settled_at=None).count()):
        items.append(
            WorkItem(
                title="Connect people of the sign-in service with their accounts",
                url=reverse("accounts:subjects"),
                subject="One person waits" if count == 1 else f"{count} people wait",
                group="Accounts",
            )
        )
    return items


@prepared
def _to_decide(user: Any) -> Any:
    return open_to(user).filter(decided_at=None).exclude(asked_by=user).exclude(user=user).order_by("asked_at")[:MOST]
