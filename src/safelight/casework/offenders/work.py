"""What waits for an offender manager and for the supervisors of the unit."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.work import WorkItem
from safelight.casework.offenders.models import Naming, Offender
from safelight.casework.offenders.queries import level_of
from safelight.casework.offenders.visiting import DECIDE, decision_waits, failed_limit
from safelight.standards.working_calendar import end_of_day

GROUP = "Offenders"
MOST = 50


def items_for(user: Any) -> list[WorkItem]:
    """For the manager: who is named, who is to be seen, what is overdue; for the supervisor: decisions and loads."""
    if user.role not in ("offender_manager", "supervisor") or user.unit_id is None:
        return []
    if not Offender.objects.on_register().exists():
        return []
    rows = Offender.objects.visible_to(user).on_register()
    if user.role == "offender_manager":
        rows = rows.filter(manager=user)
    items = [_named(row) for row in _unseen(rows)]
    if user.role == "supervisor":
        return items + _supervising(user, rows)
    today = timezone.localdate()
    for row in rows.filter(visit_due_on__lte=today).order_by("visit_due_on", "pk")[:MOST]:
        items.append(
            _item("Visit: not seen for longer than the plan says", row, "detail", end_of_day(row.visit_due_on))
        )
    for row in rows.filter(notify_due_on__lt=today).order_by("notify_due_on", "pk")[:MOST]:
        items.append(_item("A notification is overdue", row, "detail", end_of_day(row.notify_due_on)))
    return items


def _item(title: str, row: Any, page: str, due: Any = None, *, urgent: bool = False) -> WorkItem:
    about = f"{row.reference}{f', {row.get_risk_display().lower()} risk' if row.risk else ''}"
    url = reverse(f"offenders:{page}", args=[row.reference])
    return WorkItem(title, url, about, due_at=due, risk=row.risk, urgent=urgent, group=GROUP)


def _unseen(rows: Any) -> Any:
    found = Naming.objects.filter(offender__in=rows, seen_at=None).select_related("offender")
    return found.order_by("found_at", "pk")[:MOST]


def _named(naming: Any) -> WorkItem:
    title = "A referral names this offender" if naming.certain else "A referral may name this offender"
    return _item(title, naming.offender, "detail", urgent=naming.certain)


def _supervising(user: Any, rows: Any) -> list[WorkItem]:
    items = []
    for row in rows.filter(failed_since_seen__gte=failed_limit(DECIDE)).order_by("seen_on", "pk")[:MOST]:
        if decision_waits(row):
            items.append(_item(f"Decide: {row.failed_since_seen} visits failed", row, "decide"))
    counted = dict(rows.exclude(manager=None).values_list("manager").annotate(total=Count("pk")).order_by())
    red = {manager: total for manager, total in counted.items() if level_of(total) == "red"}
    people = User.objects.filter(pk__in=red, role="offender_manager", is_active=True, unit=user.unit_id) if red else ()
    for one in sorted(people, key=lambda one: (-red[one.pk], one.name)):
        address = reverse("offenders:officers")
        items.append(WorkItem(f"{red[one.pk]} offenders with one officer", address, str(one), group=GROUP))
    nobody = rows.filter(manager=None).values_list("pk", flat=True)[:100]
    if nobody:
        address = f"{reverse('offenders:index')}?{urlencode({'manager': 'none'})}"
        items.append(WorkItem("Give offenders to a manager", address, f"{len(nobody)} without one", group=GROUP))
    return items
