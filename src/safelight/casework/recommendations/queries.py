"""What the pages of recommendations read."""

from __future__ import annotations

from datetime import date

from django.db.models import Q
from django.utils import timezone

from safelight.casework.clocks.models import Clock
from safelight.casework.recommendations.models import Recommendation

PAGE = 50
STATES = {"open": "Open", "overdue": "Overdue", "offered": "Said to be met", "closed": "Closed", "all": "All"}


def page_of(state: str, owner: int | None = None, after: str = "") -> tuple[list[Recommendation], str]:
    """Recommendations by the day they are due, and the key after which the next page begins ("" on the last)."""
    rows = Recommendation.objects.select_related("report", "owner").order_by("due_on", "pk")
    today = timezone.localdate()
    if state == "open":
        rows = rows.open()
    elif state == "overdue":
        rows = rows.overdue(today)
    elif state == "offered":
        rows = rows.open().filter(done_at__isnull=False)
    elif state == "closed":
        rows = rows.filter(closed_at__isnull=False)
    if owner is not None:
        rows = rows.filter(owner=owner)
    day, _, key = after.partition("~")
    if key.isascii() and key.isdecimal() and len(key) < 16:
        try:
            last = date.fromisoformat(day)
        except ValueError:
            last = date.min
        rows = rows.filter(Q(due_on__gt=last) | Q(due_on=last, pk__gt=int(key)))
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    return shown, f"{shown[-1].due_on.isoformat()}~{shown[-1].pk}" if len(found) > PAGE else ""


def counts() -> dict[str, int]:
    """Open, overdue, said to be met, and without a plan though its clock has run out."""
    rows = Recommendation.objects.open()
    late = Clock.objects.breached().filter(subject_type="recommendations.recommendation")
    return {
        "open": rows.count(),
        "overdue": rows.overdue().count(),
        "offered": rows.filter(done_at__isnull=False).count(),
        "unplanned": rows.filter(planned_at=None, pk__in=late.values("subject_id")).count(),
        "unowned": rows.filter(owner=None).count(),
    }


def plan_clock(row: Recommendation) -> Clock | None:
    """The clock of its action plan."""
    kind = Recommendation._meta.label_lower
    return Clock.objects.filter(subject_type=kind, subject_id=row.pk, not_applicable=False).order_by("-pk").first()
