"""What waits for a person in victim identification."""

from __future__ import annotations

from typing import Any

from safelight.casework.base.links import address
from safelight.casework.base.prepared import prepared
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
    rows = _unsettled(user) if user.role != "examiner" else []
    by_row: dict[int, Clock] = {}
    if rows:
        clocks = Clock.objects.open().filter(rule=CLOCK, subject_type="identification.feedback")
        by_row = {clock.subject_id: clock for clock in clocks.filter(subject_id__anyof=[row.pk for row in rows])}
    return [_answer(row, by_row.get(row.pk)) for row in rows] + [
        WorkItem(
            title="Follow the lead to an unidentified child",
            url=address("identification:victim", lead.victim.reference),
            subject=f"{lead.reference} · {lead.victim.label}",
            group=GROUP,
        )
        for lead in _leads(user)
    ]


@prepared
def _unsettled(user: Any) -> Any:
    found = Feedback.objects.filter(settled_at=None).select_related("case")
    if user.role == "investigator":
        found = found.filter(carried_by(user, "case"))
    else:
        live = {"case__allocations__ended_at": None, "case__allocations__isnull": False}
        seen = Feedback.objects.visible_to(user).filter(case__unit=user.unit_id).exclude(**live)
        found = seen.filter(settled_at=None).select_related("case")
    return found.order_by("told_at")[:MOST]


def _leads(user: Any) -> list[Lead]:
    if not _any_lead(user):
        return []
    seen = Lead.objects.visible_to(user).filter(owner=user, state=Lead.State.OPEN)
    return list(seen.select_related("victim").order_by("pk")[:MOST])


@prepared
def _any_lead(user: Any) -> Any:
    return Lead.objects.filter(owner=user, state=Lead.State.OPEN).values_list("pk")[:1]


def _answer(row: Feedback, clock: Clock | None) -> WorkItem:
    return WorkItem(
        title=_TITLES[FeedbackLine.Kind(row.kind)],
        url=address("identification:feedback", row.reference),
        subject=f"{row.reference} · {row.case.reference} {row.case.title}",
        due_at=clock.due_at if clock else None,
        clock=clock,
        risk=row.case.risk,
        group=GROUP,
    )
