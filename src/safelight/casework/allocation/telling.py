"""Supervisors are told when live cases begin to wait to be handed over, and when somebody is back. Once each."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from safelight.casework.allocation.models import Allocation
from safelight.casework.notices.audience import supervisors
from safelight.casework.notices.services import tell
from safelight.casework.workforce.capacity import setting
from safelight.casework.workforce.models import Absence, Posting, Unit


@transaction.atomic
def tell_of_handing_over(*, person: Any = None, today: date | None = None) -> int:
    """Tell the supervisors of the units whose cases somebody holds who is away, will be within days, or is posted.

    By the tick for everybody, by whoever records an absence for one person at once. Each absence and posting tells
    once. Returns how many did.
    """
    day = today or timezone.localdate()
    until = day + timedelta(days=int(setting("absence_ahead_days")))
    told = 0
    for model in (Absence, Posting):
        rows = model.objects.between(day, until if model is Absence else day).filter(told_at=None)
        if person is not None:
            rows = rows.filter(user=person)
        for row in rows.select_for_update(of=("self",)).select_related("user"):
            _tell(row.user, "handing_over.waiting", f"{model._meta.model_name}-{row.pk}")
            row.told_at = timezone.now()
            row.save(update_fields=["told_at"])
            told += 1
    return told


def tell_of_conflict(user: Any, key: int) -> None:
    """A conflict was declared: somebody may hold such a case now."""
    _tell(user, "handing_over.waiting", f"conflict-{key}")


def _tell(person: Any, kind: str, key: str) -> None:
    units = Unit.objects.filter(
        Q(cases__allocations__investigator=person, cases__allocations__ended_at=None), cases__status="open"
    )
    for unit in units.distinct():
        tell(supervisors(unit), kind, None, key=f"{key}-{unit.pk}")


@transaction.atomic
def tell_of_returns(today: date | None = None) -> int:
    """Tell the supervisors that somebody is back from whom cases were moved: nothing goes back by itself. By the tick,
    on the first days after the absence. Returns how many people are back."""
    day = today or timezone.localdate()
    ended = Absence.objects.filter(cancelled_at=None, until_day__lt=day, until_day__gte=day - timedelta(days=3))
    back = 0
    for row in ended.select_related("user__unit"):
        moved = Allocation.objects.filter(investigator=row.user, end_code="absent", case__status="open")
        if row.user.unit_id and moved.exists():
            back += bool(tell(supervisors(row.user.unit), "handing_over.returned", None, key=f"return-{row.pk}"))
    return back
