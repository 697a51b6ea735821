"""Notices that a person has not read."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from safelight.casework.base.work import WorkItem
from safelight.casework.notices.queries import MOST, unread_alerts, unread_count


def items_for(user: Any) -> list[WorkItem]:
    """One line: how many notices wait, and how many of them are alerts."""
    waiting = unread_count(user)
    if not waiting:
        return []
    alerts = unread_alerts(user)
    return [
        WorkItem(
            title=f"Read {_said(waiting, 'notice')}",
            url=f"{reverse('notices:index')}?state=unread",
            subject=f"{_said(alerts, 'alert')} among them" if alerts else "No alert among them",
            group="Notices",
        )
    ]


def _said(count: int, one: str) -> str:
    if count > MOST:
        return f"more than {MOST} {one}s"
    return f"{count} {one}{'' if count == 1 else 's'}"
