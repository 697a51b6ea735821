"""What pages read of exposure: a person their own figures, a supervisor the state of each, nobody any content."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, view_of, views_of
from safelight.casework.workforce.exposure import RULE, SKILL, Caps, caps
from safelight.casework.workforce.models import Accreditation, Appointment, GradingSession

DAYS = 28


@dataclass(frozen=True)
class Day:
    """One person's day: minutes, sessions, files, and files recorded outside any session (their time is not known)."""

    day: date
    minutes: int
    sessions: int
    files: int
    untimed: int
    over: bool


@dataclass(frozen=True)
class Own:
    """What a person sees of their own exposure."""

    caps: Caps
    running: GradingSession | None
    days: list[Day]
    clock: ClockView | None
    appointments: list[Appointment]
    grades: bool

    @property
    def today(self) -> int:
        return self.days[0].minutes if self.days and self.days[0].day == timezone.localdate() else 0


@dataclass(frozen=True)
class State:
    """What a supervisor sees of one person: whether limits are kept and appointments held. No figures, no content."""

    user: Any
    today: str
    days_over: int
    untimed: bool
    clock: ClockView | None
    last: Appointment | None


def _days(rows: list[GradingSession], limits: Caps) -> list[Day]:
    now = timezone.now()
    by_day: dict[date, list[GradingSession]] = defaultdict(list)
    for row in rows:
        by_day[row.day].append(row)
    made = []
    for day in sorted(by_day, reverse=True):
        timed = [row for row in by_day[day] if row.timed]
        spent = sum(((row.ended_at or now) - row.started_at for row in timed), timedelta())
        minutes = int(spent.total_seconds() // 60)
        made.append(
            Day(
                day,
                minutes,
                len(timed),
                sum(row.files for row in by_day[day]),
                sum(row.files for row in by_day[day] if not row.timed),
                limits.per_day is not None and minutes > limits.per_day,
            )
        )
    return made


def own(user: Any) -> Own:
    """One's own exposure of the last four weeks. Five queries."""
    since = timezone.localdate() - timedelta(days=DAYS)
    rows = list(GradingSession.objects.filter(user=user, day__gte=since))
    limits = caps()
    clock = Clock.objects.open().filter(rule=RULE, subject_type="accounts.user", subject_id=user.pk).first()
    return Own(
        limits,
        next((row for row in rows if row.ended_at is None), None),
        _days(rows, limits),
        view_of(clock) if clock else None,
        list(Appointment.objects.filter(user=user)[:10]),
        user.accreditations.in_force().filter(skill=SKILL).exists(),
    )


def exposed(unit: Any) -> list[User]:
    """Who of a unit grades: accredited to, or did within the last year."""
    year = timezone.localdate() - timedelta(days=365)
    accredited = Accreditation.objects.in_force().filter(skill=SKILL).values("user")
    graded = GradingSession.objects.filter(day__gte=year).values("user")
    people = User.objects.filter(Q(pk__in=accredited) | Q(pk__in=graded), is_active=True, unit=unit)
    return list(people.order_by("name"))


def states(unit: Any) -> list[State]:
    """The state of everybody of the unit who grades. Five queries, whatever their number."""
    people = exposed(unit)
    keys = [person.pk for person in people]
    limits, today = caps(), timezone.localdate()
    sessions: dict[int, list[GradingSession]] = defaultdict(list)
    for row in GradingSession.objects.filter(user__in=keys, day__gte=today - timedelta(days=DAYS)):
        sessions[row.user_id].append(row)
    open_clocks = Clock.objects.open().filter(rule=RULE, subject_type="accounts.user", subject_id__in=keys)
    clocks = {view.clock.subject_id: view for view in views_of(open_clocks)}
    last: dict[int, Appointment] = {}
    for appointment in Appointment.objects.filter(user__in=keys).order_by("held_on", "pk"):
        last[appointment.user_id] = appointment
    made = []
    for person in people:
        days = _days(sessions[person.pk], limits)
        now = days[0] if days and days[0].day == today else None
        made.append(
            State(
                person,
                _today(now, limits),
                sum(day.over for day in days),
                any(day.untimed for day in days),
                clocks.get(person.pk),
                last.get(person.pk),
            )
        )
    return made


def _today(day: Day | None, limits: Caps) -> str:
    if limits.per_day is None:
        return "No limit is set"
    if day is None or not day.minutes:
        return "Has not graded"
    if day.minutes > limits.per_day:
        return "Above the limit"
    return "Limit reached" if day.minutes == limits.per_day else "Within the limit"
