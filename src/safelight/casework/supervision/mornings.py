"""The supervisor's morning on one page: what is breached, what breaches today, who is overloaded, what waits.

The number of queries is fixed: it grows neither with the cases of the unit nor with its people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from safelight.casework.cases.models import Case
from safelight.casework.cases.queries import obstacles
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, views_of
from safelight.casework.supervision.models import PlanAction, ReviewMiss
from safelight.casework.supervision.queries import Load, caseload_board
from safelight.casework.work.queries import Task, work_of

MOST = 50


@dataclass(frozen=True)
class Line:
    """One line: what it is, where to act, what it is about, with its clock where it has one."""

    text: str
    href: str
    about: str = ""
    clock: ClockView | None = None
    risk: str = ""


@dataclass(frozen=True)
class Morning:
    """The page. Each list is cut at :data:`MOST`; the page says so."""

    breached: list[Line] = field(default_factory=list)
    today: list[Line] = field(default_factory=list)
    overloaded: list[Load] = field(default_factory=list)
    missed: list[Line] = field(default_factory=list)
    actions: list[Line] = field(default_factory=list)
    waiting: list[Task] = field(default_factory=list)
    references: list[str] = field(default_factory=list)


def morning(user: Any, now: datetime | None = None) -> Morning:
    """The morning of the supervisor's unit: only what the supervisor may see."""
    moment = now or timezone.now()
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(moment) + timedelta(days=1), time()))
    clocks = (
        Clock.objects.visible_to(user)
        .open()
        .filter(Q(unit=user.unit_id) | Q(unit=None, case=None))
        # Those of a case or referral: what concerns colleagues or custody has pages of its own, and stands below.
        .exclude(case=None, referral=None)
        .select_related("case", "referral", "owner")
        .order_by("due_at", "id")
    )
    late = views_of(clocks.filter(due_at__lt=moment)[:MOST], moment)
    soon = views_of(clocks.filter(due_at__gte=moment, due_at__lt=midnight)[:MOST], moment)
    mine = Case.objects.visible_to(user).open().filter(unit=user.unit_id)
    misses = (
        ReviewMiss.objects.filter(outcome=ReviewMiss.Outcome.TOLD, clock__stopped_at=None, case__in=mine)
        .select_related("case")
        .order_by("tell_at")[:MOST]
    )
    overdue = PlanAction.objects.overdue().filter(case__in=mine).select_related("case", "owner")[:MOST]
    shown = {view.clock.pk for view in (*late, *soon)}
    waiting = [task for task in work_of(user, moment).tasks if not _already(task, shown)]
    references = {(view.clock.case or view.clock.referral).reference for view in (*late, *soon)}
    missed, actions = [_miss(row) for row in misses], [_action(row) for row in overdue]
    references |= {line.about.split(" ")[0] for line in (*missed, *actions)}
    return Morning(
        [_line(view) for view in late],
        [_line(view) for view in soon],
        [load for load in caseload_board(user.unit) if load.overloaded] if user.unit else [],
        missed,
        actions,
        waiting,
        sorted(references),
    )


def _already(task: Task, shown: set[int]) -> bool:
    return task.clock is not None and task.clock.clock.pk in shown


def _line(view: ClockView) -> Line:
    clock = view.clock
    about = (
        f"{clock.case.reference} {clock.case.title}" if clock.case else f"{clock.referral.reference}, not yet a case"
    )
    if clock.owner:
        about += f" · {clock.owner}"
    if clock.case is None:
        href = reverse("referrals:detail", kwargs={"reference": clock.referral.reference})
    elif clock.rule == "supervisor_review":
        href = reverse("supervision:review", kwargs={"reference": clock.case.reference})
    elif clock.rule == "allocation_to_investigator":
        href = reverse("allocation:allocate", kwargs={"reference": clock.case.reference})
    else:
        href = reverse("cases:clocks", kwargs={"reference": clock.case.reference})
    return Line(f"{view.title}: {clock.subject_label}", href, about, view, clock.case.risk if clock.case else "")


def _miss(row: ReviewMiss) -> Line:
    return Line(
        f"{row.missed} reviews missed: the chief officer was told",
        reverse("supervision:review", kwargs={"reference": row.case.reference}),
        f"{row.case.reference} {row.case.title}",
        risk=row.case.risk,
    )


def _action(row: PlanAction) -> Line:
    day = f"{row.due_on.day} {row.due_on:%b %Y}"
    return Line(
        row.text[:120],
        reverse("supervision:plan", kwargs={"reference": row.case.reference}),
        f"{row.case.reference} {row.case.title} · {row.owner}, due {day}",
        risk=row.case.risk,
    )


def facts_of(case: Any) -> list[tuple[str, str]]:
    """How a case stands, for the reviewer: (sentence, where to act or "")."""
    days = (timezone.now() - case.last_action_at).days
    said = "Last meaningful action today." if not days else f"Last meaningful action {days} day{_s(days)} ago."
    found = [(said, reverse("cases:chronology", kwargs={"reference": case.reference}))]
    late = Clock.objects.breached().filter(case=case).count()
    if late:
        address = reverse("cases:clocks", kwargs={"reference": case.reference})
        found.append((f"{late} clock{_s(late)} past {'its' if late == 1 else 'their'} time.", address))
    found += [(one.text, one.href) for one in obstacles(case)]
    return found


def _s(count: int) -> str:
    return "" if count == 1 else "s"
