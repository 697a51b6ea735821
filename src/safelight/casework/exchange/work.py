"""What waits for a person in the exchange with platforms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.work import WorkItem
from safelight.casework.clocks.models import Clock
from safelight.casework.exchange.models import ApiKey, PlatformReport, TakedownNotice
from safelight.casework.exchange.notices import CLOCK as REMOVAL
from safelight.casework.exchange.queries import suspended_keys
from safelight.casework.exchange.reports import CLOCK as REPORT
from safelight.exchange.watch import RULES

GROUP = "Exchange with platforms"
MOST = 50
EXPIRES_SOON = timedelta(days=14)
CHASE_AGAIN = timedelta(hours=24)


def items_for(user: Any) -> list[WorkItem]:
    """For the exchange manager: suspended keys before all, removals that are late, reports that are due, keys that
    run out. A supervisor and an administrator are told of suspended keys too: somebody must know on any day."""
    made: list[WorkItem] = []
    if user.has_perm("exchange.view"):
        made += [_suspended(key, urgent=user.has_perm("exchange.manage")) for key in suspended_keys()[:MOST]]
    if user.has_perm("exchange.manage"):
        made += _notices() + _reports() + _keys()
    return made


def _suspended(key: ApiKey, *, urgent: bool) -> WorkItem:
    stop = next(one for one in key.suspensions.all() if one.lifted_at is None)
    why = RULES.get(stop.rule)
    return WorkItem(
        title=f"Decide on key {key.public_id}: {'probing is suspected' if why else 'it is suspended'}",
        url=reverse("exchange:platform", args=[key.platform.reference]),
        subject=f"{key.platform.name} · {why or stop.note}",
        urgent=urgent,
        group=GROUP,
    )


def _late(rule: str, kind: str) -> dict[int, Clock]:
    rows = Clock.objects.breached().filter(rule=rule, subject_type=kind).order_by("due_at")[:MOST]
    return {clock.subject_id: clock for clock in rows}


def _notices() -> list[WorkItem]:
    late = _late(REMOVAL, "exchange.takedownnotice")
    lately = timezone.now() - CHASE_AGAIN
    rows = TakedownNotice.objects.open().filter(pk__in=late).exclude(chases__at__gt=lately).select_related("platform")
    return [
        WorkItem(
            title="Chase the removal",
            url=reverse("exchange:notice", args=[notice.reference]),
            subject=f"{notice.reference} · {notice.platform.name}",
            due_at=late[notice.pk].due_at,
            clock=late[notice.pk],
            group=GROUP,
        )
        for notice in rows
    ]


def _reports() -> list[WorkItem]:
    late = _late(REPORT, "exchange.platformreport")
    return [
        WorkItem(
            title="Ask whether the report went to the National Crime Agency",
            url=reverse("exchange:report", args=[report.reference]),
            subject=f"{report.reference} · {report.platform.name}",
            due_at=late[report.pk].due_at,
            clock=late[report.pk],
            group=GROUP,
        )
        for report in PlatformReport.objects.filter(pk__in=late).select_related("platform")
    ]


def _keys() -> list[WorkItem]:
    now = timezone.now()
    soon = ApiKey.objects.filter(
        revoked_at=None,
        platform__closed_at=None,
        replaced_by=None,
        expires_at__gt=now,
        expires_at__lt=now + EXPIRES_SOON,
    )
    return [
        WorkItem(
            title=f"Replace key {key.public_id} before it runs out",
            url=reverse("exchange:platform", args=[key.platform.reference]),
            subject=f"{key.platform.name} · {key.label}",
            due_at=key.expires_at,
            group=GROUP,
        )
        for key in soon.select_related("platform").order_by("expires_at")[:MOST]
    ]
