"""What the pages of retention read."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from safelight.casework.cases.models import Case
from safelight.casework.retention.models import Decision, Hold

MOST = 100


def hold_on(case: Case) -> Hold | None:
    """A hold that stops the erasure of a case, or None."""
    return Hold.objects.filter(Q(case=case) | Q(case=None), lifted_at=None).order_by("pk").first()


def due(user: Any) -> list[Case]:
    """Closed cases of ``user`` whose review is due, or that nobody has put into a group; the longest closed first."""
    rows = Case.objects.visible_to(user).filter(status=Case.Status.CLOSED)
    rows = rows.filter(Q(retention=None) | Q(retention__review_on__lte=timezone.localdate(), retention__erased_at=None))
    return list(rows.select_related("retention", "unit").order_by("closed_at", "pk")[:MOST])


def waiting(user: Any) -> list[Decision]:
    """Proposals that wait for approval."""
    rows = Decision.objects.visible_to(user).filter(approved=None).select_related("case", "proposed_by")
    return list(rows.order_by("proposed_at")[:MOST])


def holds(user: Any) -> list[Hold]:
    """Holds that stand, those over every case first."""
    rows = Hold.objects.visible_to(user).filter(lifted_at=None).select_related("case", "placed_by")
    return sorted(rows.order_by("pk")[:MOST], key=lambda row: row.case_id is not None)
