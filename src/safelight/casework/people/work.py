"""Possible links that wait for a decision."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.people.models import PossibleLink


def items_for(user: Any) -> list[WorkItem]:
    """For whoever may decide: one item, with how many there are."""
    if not user.has_perm("people.link"):
        return []
    if not _any_waiting(None):  # who may see which is the dearer question
        return []
    rows = PossibleLink.objects.visible_to(user).filter(state="waiting", kind="person")
    count = len(rows.values_list("pk", flat=True)[:100])
    if not count:
        return []
    said = "100 or more" if count == 100 else str(count)
    return [
        WorkItem(
            title="Decide who is the same person", url=reverse("people:links"),
            subject=f"{said} possible {'link' if count == 1 else 'links'} waiting", group="People",
        )
    ]  # fmt: skip


@prepared
def _any_waiting(nobody: None) -> Any:
    return PossibleLink.objects.filter(state="waiting", kind="person").values_list("pk")[:1]
