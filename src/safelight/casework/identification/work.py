"""What waits for a person in victim identification."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import carried_by
from safelight.casework.clocks.models import Clock
from safelight.casework.identification.feedback import CLOCK
from safelight.casework.identification.models import Feedback, FeedbackLine, Lead

GROUP = "Victim identification"
MOST = 50
_TITLES = {
    FeedbackLine.Kind.SERIES: "A file belongs to a known series: act on it",
    FeedbackLine.Kind.VICTIM: "A child in the material was identified elsewhere: act on it",
    FeedbackLine.Kind.CATEGORY: "The national database changed a category: look again",
}


def items_for(user: Any) -> list[WorkItem]:
    """Answers that wait in the person's cases (a supervisor's: in those that nobody has), and leads they follow."""
    if user.role not in ("investigator", "supervisor", "examiner"):
        return []
    found = Feedback.objects.none()
    if user.role != "examiner" and Feedback.objects.filter(settled_at=None).exists():
        found = Feedback.objects.visible_to(user).filter(settled_at=None).select_related("case")
    live = {"case__allocations__ended_at": None, "case__allocations__isnull": False}
    if user.role == "investigator":
        found = found.filter(carried_by(user, "case"))
    elif user.role == "supervisor":
        found = found.filter(case__unit=user.unit_id).exclude(**live)
    rows = list(found.order_by("told_at")[:MOST])
    clocks = Clock.objects.open().filter(
        rule=CLOCK, subject_type="identification.feedback", subject_id__in=[row.pk for row in rows]
    )
    by_row = {clock.subject_id: clock for clock in clocks}
    return [_answer(row, by_row.get(row.pk)) for row in rows] + [
        WorkItem(
            title="Follow the lead to an unidentified child",
            url=reverse("identification:victim", args=[lead.victim.reference]),
            subject=f"{lead.reference} · {lead.victim.label}",
            group=GROUP,
        )
        for lead in _leads(user)
    ]


def _leads(user: Any) -> list[Lead]:
    mine = Lead.objects.filter(owner=user, state=Lead.State.OPEN)
    if not mine.exists():
        return []
    seen = Lead.objects.visible_to(user).filter(owner=user, state=Lead.State.OPEN)
    return list(seen.select_related("victim").order_by("pk")[:MOST])


def _answer(row: Feedback, clock: Clock | None) -> WorkItem:
    return WorkItem(
        title=_TITLES[FeedbackLine.Kind(row.kind)],
        url=reverse("identification:feedback", args=[row.reference]),
        subject=f"{row.reference} · {row.case.reference} {row.case.title}",
        due_at=clock.due_at if clock else None,
        clock=clock,
        risk=row.case.risk,
        group=GROUP,
    )
