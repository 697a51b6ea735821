"""Reviews that were missed: the second in a row reaches the chief officer.

Noted for the clocks that the sweep has just found past their time, and told when the time for it has come: both touch
only rows that are due, however many cases there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.notices.audience import chief_officers, supervisors
from safelight.casework.notices.services import tell
from safelight.casework.supervision.models import ReviewMiss

RULE = "supervisor_review"


@transaction.atomic
def note_misses(breached: Sequence[Clock]) -> list[ReviewMiss]:
    """Note the reviews among clocks newly found past their time, with how many were missed in a row, this one counted.

    A review held late was missed. The chief officer is told at the miss that policy names (the second); where this is
    the first, that is one whole interval after its time, if there is still no review. Two statements.
    """
    reviews = [clock for clock in breached if clock.rule == RULE and clock.case_id is not None and clock.due_at]
    if not reviews:
        return []
    before: dict[int, list[Clock]] = {}
    rows = Clock.objects.filter(rule=RULE, case__in=[clock.case_id for clock in reviews], stopped_at__isnull=False)
    for row in rows.exclude(not_applicable=True).order_by("-triggered_at"):
        before.setdefault(row.case_id, []).append(row)
    needed = int(standards().policy["review_misses_before_escalation"].value)
    made = []
    for clock in reviews:
        missed = 1
        for row in before.get(clock.case_id, ()):
            if row.due_at is None or row.stopped_at <= row.due_at:
                break
            missed += 1
        interval = clock.due_at - clock.triggered_at
        tell_at = clock.due_at + max(0, needed - missed) * interval
        made.append(ReviewMiss(case_id=clock.case_id, clock=clock, missed=missed, tell_at=tell_at))
    return list(ReviewMiss.objects.bulk_create(made, ignore_conflicts=True, batch_size=500))


@transaction.atomic
def tell_of_misses(now: datetime | None = None, limit: int = 500) -> list[ReviewMiss]:
    """Tell the chief officers, and the supervisors of the unit, of reviews missed too often. Called by the tick.

    Returns:
        The misses that were told of; those whose review was held meanwhile are settled and not told.
    """
    moment = now or timezone.now()
    due = list(
        ReviewMiss.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(outcome="", tell_at__lte=moment)
        .select_related("clock", "case__unit")
        .order_by("tell_at")[:limit]
    )
    chiefs = chief_officers() if due else []
    units: dict[Any, list[Any]] = {}
    told = []
    for row in due:
        row.outcome_at = moment
        if row.clock.stopped_at is not None or row.case.status != "open":
            row.outcome = ReviewMiss.Outcome.REVIEWED
            continue
        row.outcome = ReviewMiss.Outcome.TOLD
        needed = int(standards().policy["review_misses_before_escalation"].value)
        row.missed = max(row.missed, needed)
        if row.case.unit_id not in units:
            units[row.case.unit_id] = supervisors(row.case.unit)
        record(
            None,
            "review.escalated",
            row.case,
            category=Category.SYSTEM,
            payload={"missed": row.missed, "due_at": row.clock.due_at, "chiefs": len(chiefs)},
        )
        tell([*chiefs, *units[row.case.unit_id]], "review.missed", row.case, key=f"review-miss-{row.pk}")
        told.append(row)
    ReviewMiss.objects.bulk_update(due, ["outcome", "outcome_at", "missed"], batch_size=500)
    return told
