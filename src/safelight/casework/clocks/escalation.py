"""The sweep: clocks whose next step has come, and who is told. Touches due rows only (partial index)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import WAITED_FOR, Clock
from safelight.casework.clocks.steps import REACHED_STEP, STEP_FIELDS, schedule, steps_of
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.notices.audience import chief_officers, supervisors, with_role
from safelight.casework.notices.services import tell

# On SQLite nobody else writes meanwhile, and every page writes its look: a thousand at once (4 s, on a busy machine 20)
# let pages fail while a backlog was worked off.
BATCH = 100
OUTSIDE = ("partner", "platform")  # owners who are not of the force: those who escalate hear in their place


@dataclass
class Audience:
    """Who stands behind 'owner' and the roles; each asked of the database once in a sweep."""

    known: dict[tuple[str, int | None], list[Any]] = field(default_factory=dict)

    def people(self, clock: Clock, role: str) -> list[Any]:
        """The people who are told of ``clock`` when a step names ``role`` ('owner' or a role id)."""
        if role == "owner":
            if clock.owner is not None and clock.owner.is_active:
                return [clock.owner]
            role = clock.owner_role
        if role == "investigator":
            person = clock.case.investigator if clock.case else None
            if person is not None and person.is_active:
                return [person]
            role = "supervisor"
        if role in OUTSIDE:
            return []
        key = (role, clock.unit_id)
        if key not in self.known:
            self.known[key] = self._ask(role, clock.unit_id)
        return self.known[key]

    def _ask(self, role: str, unit: int | None) -> list[Any]:
        if role == "supervisor":
            return supervisors(unit)
        if role == "chief_officer":
            return chief_officers()
        return (with_role(role, unit) if unit else []) or with_role(role)


def due_clocks(now: datetime) -> Any:
    """The open clocks whose next step has come, the one that waits longest first. Read from the partial index."""
    return Clock.objects.filter(
        stopped_at=None, not_applicable=False, next_step_at__isnull=False, next_step_at__lt=now
    ).order_by("next_step_at")


@transaction.atomic
def sweep_once(now: datetime | None = None, limit: int = BATCH) -> tuple[int, list[Clock]]:
    """Take the steps that have come for at most ``limit`` clocks.

    Returns:
        (how many clocks were looked at, those newly found past their time).
    """
    from safelight.casework.supervision.misses import note_misses

    moment = now or timezone.now()
    rows = list(
        due_clocks(moment)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("case", "owner", "referral")[:limit]
    )
    audience = Audience()
    breached = []
    for clock in rows:
        if _take_steps(clock, moment, audience):
            breached.append(clock)
        clock.swept_through = moment
        schedule(clock)
    Clock.objects.bulk_update(rows, STEP_FIELDS, batch_size=500)
    note_misses(breached)
    return len(rows), breached


def sweep(now: datetime | None = None, limit: int = BATCH) -> list[Clock]:
    """Take every step that has come, in transactions of ``limit`` clocks: note what ran out, and tell who has to know.

    Returns:
        The clocks newly found past their time, each in one sweep only.
    """
    found: list[Clock] = []
    while True:
        looked_at, breached = sweep_once(now, limit)
        found += breached
        if looked_at < limit:
            return found


def _take_steps(clock: Clock, now: datetime, audience: Audience) -> bool:
    """Tell of the steps between the last sweep and now; True when the clock is newly past its time."""
    due = clock.due_at
    if due is None:
        return False
    taken = [
        (at, step)
        for at, step in steps_of(clock)
        if at < now and (clock.swept_through is None or at >= clock.swept_through)
    ]
    if clock.sense in WAITED_FOR:
        _tell(clock, audience.people(clock, "owner"), "clock.reached", REACHED_STEP)
        return False
    newly = due < now and clock.alerted_at is None
    if newly:
        clock.alerted_at = now
        record(
            None,
            "clock.breached",
            clock,
            category=Category.SYSTEM,
            case=clock.case,
            payload={"rule": clock.rule, "subject": clock.subject_label, "due_at": due},
        )
    rule = standards().clocks.get(clock.rule)
    if rule is None:
        _tell(
            clock, [*audience.people(clock, "owner"), *audience.people(clock, "supervisor")], "clock.breached", "gone"
        )
        return newly
    for at, step in taken:
        if step.before_percent is not None:
            if at <= due and due >= now:
                _tell_roles(clock, audience, step, rule, "clock.due_soon")
        else:
            _tell_roles(clock, audience, step, rule, "clock.still_breached" if step.after_hours else "clock.breached")
    return newly


def _tell_roles(clock: Clock, audience: Audience, step: Any, rule: Any, kind: str) -> None:
    people = [user for role in step.roles(rule) for user in audience.people(clock, role)]
    _tell(clock, people, kind, step.id)


def _tell(clock: Clock, people: list[Any], kind: str, step: str) -> None:
    listed = clock.need_to_know()
    people = people if listed is None else listed
    due = clock.due_at.timestamp() if clock.due_at else 0
    key = f"clock:{clock.pk}:{step}:{due:.0f}"
    told = tell(people, kind, clock, case=clock.case, at=timezone.now(), key=key)
    if told or clock.case is None or not clock.case.restricted:
        return
    # Above the unit nobody may know that this case exists: those on its list who supervise hear again.
    named = [row.user for row in clock.case.access.select_related("user") if row.user.role == "supervisor"]
    tell(named, kind, clock, case=clock.case, at=timezone.now(), key=key)
