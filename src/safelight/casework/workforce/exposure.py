"""The exposure of people who grade: minutes and counts by day, no content. Caps and breaks are the force's to set.

A cap that the force has not set is said to be missing; nothing is assumed in its place. What was graded is recorded
whatever the clock says (nothing is lost); the page shows that the cap was passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.workforce.models import Appointment, GradingSession

SKILL = "image_grading"
RULE = "welfare_screen"
LONGEST = timedelta(hours=12)  # a session that nobody ended is taken to have been forgotten


@dataclass(frozen=True)
class Caps:
    """The force's limits in minutes; None where it has set none."""

    per_day: int | None
    without_break: int | None
    rest: int | None

    @property
    def missing(self) -> list[str]:
        """The titles of the settings that are not set."""
        return [
            standards().policy[name].title
            for name, value in (
                ("grading_minutes_per_day", self.per_day),
                ("grading_minutes_without_break", self.without_break),
                ("grading_break_minutes", self.rest),
            )
            if value is None
        ]


def caps() -> Caps:
    """The limits in force today."""
    found = []
    for name in ("grading_minutes_per_day", "grading_minutes_without_break", "grading_break_minutes"):
        setting = standards().policy[name]
        found.append(int(setting.value) if setting.is_set else None)
    return Caps(*found)


def minutes_on(user: Any, day: date, now: datetime | None = None) -> int:
    """Minutes that a person graded on a day, a running session counted up to now. Rounded down."""
    moment = now or timezone.now()
    rows = GradingSession.objects.filter(user=user, day=day, timed=True)
    spent = sum(((row.ended_at or moment) - row.started_at for row in rows), timedelta())
    return max(0, int(spent.total_seconds() // 60))


def _run_minutes(user: Any, now: datetime, rest: int) -> tuple[int, datetime | None]:
    """Minutes graded since the last break of at least ``rest`` minutes, and when the last session ended."""
    since, spent = None, timedelta()
    rows = GradingSession.objects.filter(user=user, timed=True, ended_at__isnull=False, started_at__gte=now - LONGEST)
    for row in rows.order_by("started_at"):
        if since is not None and row.started_at - since >= timedelta(minutes=rest):
            spent = timedelta()
        spent += row.ended_at - row.started_at
        since = row.ended_at
    return int(spent.total_seconds() // 60), since


@transaction.atomic
def start_session(actor: Any) -> GradingSession:
    """Begin to grade. Who is told to stop is told why and until when.

    Raises:
        NotAllowed: not accredited to grade.
        NotPossible: a session runs already, the minutes of the day are used up, or a break is due.
    """
    if not actor.accreditations.in_force().filter(skill=SKILL).exists():
        raise NotAllowed("You are not accredited to grade images.", fix="Ask your supervisor.")
    now, limits = timezone.now(), caps()
    if GradingSession.objects.filter(user=actor, ended_at=None).exists():
        raise NotPossible("You are grading already.", fix="End that session first.")
    spent = minutes_on(actor, timezone.localdate(now))
    if limits.per_day is not None and spent >= limits.per_day:
        raise NotPossible(
            f"You have graded {spent} minutes today; the force allows {limits.per_day}.", fix="Go on tomorrow."
        )
    if limits.without_break is not None and limits.rest is not None:
        run, ended = _run_minutes(actor, now, limits.rest)
        again = ended + timedelta(minutes=limits.rest) if ended else now
        if run >= limits.without_break and now < again:
            raise NotPossible(
                f"You have graded {run} minutes without a break of {limits.rest} minutes.",
                fix=f"Go on after {timezone.localtime(again):%H:%M}.",
            )
    try:
        with transaction.atomic():
            row = GradingSession.objects.create(user=actor, day=timezone.localdate(now), started_at=now)
    except IntegrityError as error:
        raise NotPossible("You are grading already.", fix="End that session first.") from error
    ensure_clock(actor)
    record(actor, "exposure.started", actor, category=Category.COLLECTION, payload={"session": row.pk})
    return row


@transaction.atomic
def end_session(actor: Any) -> GradingSession:
    """End one's own session. Raises NotPossible: none runs."""
    row = GradingSession.objects.select_for_update(of=("self",)).filter(user=actor, ended_at=None).first()
    if row is None:
        raise NotPossible("You are not grading.", fix="There is nothing to end.")
    return _end(row, timezone.now(), actor)


def _end(row: GradingSession, at: datetime, actor: Any) -> GradingSession:
    row.ended_at, row.ended_by_system = at, actor is None
    row.save(update_fields=["ended_at", "ended_by_system"])
    record(
        actor,
        "exposure.ended",
        row.user,
        category=Category.COLLECTION,
        payload={"session": row.pk, "minutes": row.minutes, "files": row.files, "by_system": actor is None},
    )
    return row


@transaction.atomic
def count_graded(actor: Any, files: int) -> GradingSession:
    """Count files whose grades were recorded: in the session that runs, or, when none does, as a count without a time,
    which the pages show as such. Called by the grading service in its transaction."""
    row = GradingSession.objects.select_for_update(of=("self",)).filter(user=actor, ended_at=None).first()
    now = timezone.now()
    if row is None:
        row = GradingSession.objects.create(
            user=actor, day=timezone.localdate(now), started_at=now, ended_at=now, files=files, timed=False
        )
        ensure_clock(actor)
    else:
        GradingSession.objects.filter(pk=row.pk).update(files=F("files") + files)
        row.files += files
    return row


def ensure_clock(user: Any) -> Clock:
    """The clock for the next welfare appointment of somebody who is exposed: started with the exposure, once."""
    return start_clock(None, RULE, user, unit=user.unit)


@transaction.atomic
def record_appointment(actor: Any, *, user: Any, held_on: date | None, outcome: str) -> Appointment:
    """Record that a welfare appointment was kept or missed. What was said in it is never here. A kept one starts the
    clock of the next from its day.

    Raises:
        NotAllowed: no supervisor of the person's unit. Invalid: unknown outcome, no day, or a day that lies ahead.
    """
    need(actor, "workforce.welfare", user, what="You may record appointments of people of your unit only.")
    if outcome not in Appointment.Outcome.values:
        raise Invalid(f"{outcome!r} is no outcome.", fix="Choose one of the list.", field="outcome")
    if held_on is None or held_on > timezone.localdate():
        raise Invalid("The appointment lies in the future.", fix="Record it once it was held.", field="held_on")
    now = timezone.now()
    row = Appointment.objects.create(user=user, held_on=held_on, outcome=outcome, recorded_by=actor, recorded_at=now)
    record(
        actor,
        "appointment.recorded",
        user,
        category=Category.COLLECTION,
        payload={"appointment": row.pk, "held_on": str(held_on), "outcome": outcome},
    )
    if outcome == Appointment.Outcome.KEPT:
        at = timezone.make_aware(datetime.combine(held_on, datetime.min.time()))
        running = Clock.objects.open().filter(rule=RULE, subject_type="accounts.user", subject_id=user.pk).first()
        if running is not None and running.triggered_at <= now:
            stop_clock(actor, RULE, user, reason=f"Appointment kept on {held_on}", at=max(at, running.triggered_at))
        start_clock(actor, RULE, user, triggered_at=at, unit=user.unit)
    return row


@transaction.atomic
def watch_sessions(now: datetime | None = None) -> int:
    """End sessions that reached the day's cap or were forgotten, and tell the person and their supervisors of the cap.
    Called by the tick. Returns how many sessions ended."""
    from safelight.casework.notices.audience import supervisors
    from safelight.casework.notices.services import tell

    moment, limits, ended = now or timezone.now(), caps(), 0
    rows = GradingSession.objects.select_for_update(of=("self",)).filter(ended_at=None)
    for row in rows.select_related("user__unit"):
        longest = row.started_at + LONGEST
        if limits.per_day is not None:
            before = minutes_on(row.user, row.day, row.started_at)
            longest = min(longest, row.started_at + timedelta(minutes=max(0, limits.per_day - before)))
        if moment < longest:
            continue
        _end(row, longest, None)
        ended += 1
        if limits.per_day is not None and minutes_on(row.user, row.day, moment) >= limits.per_day:
            told = [row.user, *supervisors(row.user.unit)]
            tell(told, "exposure.cap", None, key=f"exposure-cap-{row.user_id}-{row.day}")
    return ended
