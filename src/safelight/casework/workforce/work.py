"""What waits about people: welfare appointments due, accreditations that end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.clocks.models import Clock
from safelight.casework.workforce.exposure import RULE
from safelight.casework.workforce.models import GradingSession

AHEAD = timedelta(days=14)
MOST = 50


def items_for(user: Any) -> list[WorkItem]:
    """One's own running session and appointment; for supervisors the appointments of the unit due within two weeks.
    At most three queries."""
    items, until = [], timezone.now() + AHEAD
    if user.has_perm("workforce.own"):
        if _grading(user):
            items.append(
                WorkItem("You are grading: end the session when you stop", reverse("workforce:me"), "", group="Me")
            )
        items += [_own(clock) for clock in _own_due(user, until=until)]
    if user.role == "supervisor" and user.unit_id is not None:
        items += [_of_the_unit(clock) for clock in _due_in_unit(user, until=until)]
    return items


@prepared
def _grading(user: Any) -> Any:
    return GradingSession.objects.filter(user=user, ended_at=None).values_list("pk")[:1]


def _clocks(until: Any) -> Any:
    """The open clocks of welfare appointments that run out soon, or have."""
    return Clock.objects.open().filter(rule=RULE, subject_type="accounts.user", due_at__lt=until)


@prepared
def _own_due(user: Any, *, until: Any) -> Any:
    return _clocks(until).filter(subject_id=user.pk)


@prepared
def _due_in_unit(user: Any, *, until: Any) -> Any:
    return _clocks(until).filter(unit=user.unit_id).exclude(subject_id=user.pk).order_by("due_at")[:MOST]


def _own(clock: Clock) -> WorkItem:
    return WorkItem(
        title="Your welfare appointment is due",
        url=reverse("workforce:me"),
        subject="Ask your supervisor for a day",
        due_at=clock.due_at,
        clock=clock,
        group="Me",
    )


def _of_the_unit(clock: Clock) -> WorkItem:
    return WorkItem(
        title=f"Welfare appointment of {clock.subject_label}",
        url=reverse("workforce:welfare"),
        subject="Arrange it, and record whether it was kept",
        due_at=clock.due_at,
        clock=clock,
        group="Welfare",
    )
