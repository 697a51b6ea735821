"""Cases of re-reviews that wait for their reviewer, and sets that are late or wait to be closed."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.rereview.models import Entry, ReReview
from safelight.casework.rereview.queries import is_late, with_progress
from safelight.standards.working_calendar import end_of_day

GROUP = "Re-reviews"
MOST = 30


def items_for(user: Any) -> list[WorkItem]:
    """For reviewers each case; for those who lead, sets without reviewers, late ones and those that can be closed."""
    if not user.has_perm("rereview.view"):
        return []
    if not _any_open(None):
        return []
    mine = Entry.objects.visible_to(user).filter(reviewer=user, answered_at=None, rereview__closed_at=None)
    items = [
        WorkItem(
            "Examine this case again", reverse("rereview:case", args=[row.rereview.reference, row.number]),
            f"{row.rereview.reference}, case {row.case.reference}", due_at=end_of_day(row.rereview.due_on),
            risk=row.case.risk, group=GROUP,
        )
        for row in mine.select_related("rereview", "case").order_by("rereview__due_on", "number")[:MOST]
    ]  # fmt: skip
    if not user.has_perm("rereview.lead"):
        return items
    led = ReReview.objects.visible_to(user).filter(closed_at=None)
    for row in with_progress(led).order_by("due_on")[:MOST]:
        if not user.has_perm("rereview.lead", row):
            continue
        said = _state(row)
        if said:
            address = reverse("rereview:detail", args=[row.reference])
            items.append(WorkItem(said, address, row.reference, due_at=end_of_day(row.due_on), group=GROUP))
    return items


@prepared
def _any_open(nobody: None) -> Any:
    return ReReview.objects.filter(closed_at=None).values_list("pk")[:1]


def _state(row: Any) -> str:
    if row.answered == row.cases:
        return "Close the re-review: every case is answered"
    if row.nobody:
        return f"Give {row.nobody} {'case' if row.nobody == 1 else 'cases'} to reviewers"
    return f"Late: {row.cases - row.answered} not answered" if is_late(row) else ""
