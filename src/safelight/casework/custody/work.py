"""What waits in custody: reviews by their clock, appropriate adults, and children who belong somewhere else."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from safelight.casework.base.work import WorkItem
from safelight.casework.custody.models import Detention
from safelight.casework.custody.queries import DetentionView, views

GROUP = "Children in custody"
SHOWN = 100


def items_for(user: Any) -> list[WorkItem]:
    """For custody officers only: every child in a cell, whoever opened the record: shifts end, detentions do not."""
    if not user.has_perm("custody.keep"):
        return []
    rows = Detention.objects.visible_to(user).in_custody().order_by("arrived_at", "pk")[:SHOWN]
    return [item for view in views(Detention.objects.filter(pk__in=[row.pk for row in rows])) for item in _items(view)]


def _items(view: DetentionView) -> list[WorkItem]:
    row = view.row
    about = f"{row.reference} {row.person.name}, {row.suite}, {view.hours:.0f} hours"
    found = []

    def add(title: str, step: str, *, clock: Any = None, urgent: bool = False) -> None:
        url = reverse("custody:step", args=[row.reference, step])
        found.append(WorkItem(title, url, about, clock.due_at if clock else None, clock, "", urgent, GROUP))

    if view.review is not None:
        add("Review: why is this child in a cell?", "review", clock=view.review)
    if not row.adults.all():
        add("Ask for an appropriate adult", "ask-adult", urgent=True)
    if row.waits_for_accommodation and not row.requests.all():
        add("Ask the local authority for accommodation", "ask-accommodation", urgent=True)
    return found
