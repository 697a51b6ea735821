"""The clocks of an offender, brought into line with what the events say (:mod:`.keeping`).

A clock that what it waited for has ended is stopped, met or late, and the next one begins. One whose beginning or last
day changes (a change notified under section 84, a new visit frequency, a return from custody) is moved, with both times
in the ledger. One that rests while the offender is away has no due time until the return.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.ledger.services import record
from safelight.standards.working_calendar import end_of_day, start_of_day

if TYPE_CHECKING:
    from safelight.casework.offenders.keeping import Standing
    from safelight.casework.offenders.models import Duty, Offender


def open_clock(subject: Any, rule: str) -> Clock | None:
    """The open clock of this rule about an offender or a duty."""
    rows = Clock.objects.select_for_update(of=("self",)).open()
    return rows.filter(rule=rule, subject_type=subject._meta.label_lower, subject_id=subject.pk).first()


def start(actor: Any, offender: Offender, rule: str, moment: datetime, *, subject: Any = None, **more: Any) -> Clock:
    """Start a clock of the offender's manager, or return the open one."""
    return start_clock(
        actor, rule, offender if subject is None else subject, triggered_at=moment, unit=offender.unit,
        owner=offender.manager, **more,
    )  # fmt: skip


def restart(actor: Any, offender: Offender, rule: str, moment: datetime) -> None:
    """What the clock waited for happened at ``moment``: it ends. The next begins with :func:`bring_into_line`."""
    clock = open_clock(offender, rule)
    if clock is None or moment < clock.triggered_at:
        return  # an event that arrives late, from before this clock began
    stop_clock(actor, rule, offender, reason="Done", at=moment)


def bring_into_line(actor: Any, offender: Offender, want: Standing) -> None:
    """Make the open clock of a standing rule what the events say it is."""
    clock = open_clock(offender, want.rule)
    if want.counted_from is None:
        if clock is not None:
            stop_clock(actor, want.rule, offender, reason=want.gone, at=timezone.now())
        return
    if clock is None:
        clock = start(actor, offender, want.rule, want.counted_from, stage=want.stage)
    _move(actor, clock, want.counted_from, end_of_day(want.due_on) if want.due_on else None, str(want.own or ""))


def keep_duty_clock(
    actor: Any, duty: Duty, due: date | None, *, met_at: datetime | None = None, why: str = "Notified"
) -> None:
    """Start, move or end the clock of a duty; one whose day lies ahead gets none yet."""
    if met_at is not None:
        clock = open_clock(duty, duty.rule)
        if clock is not None:
            stop_clock(actor, duty.rule, duty, reason=why, at=max(met_at, clock.triggered_at))
        return
    if not duty.is_open or duty.event_on > timezone.localdate():
        return
    begins = start_of_day(duty.event_on)
    clock = start(actor, duty.offender, duty.rule, begins, subject=duty)
    _move(actor, clock, begins, end_of_day(due) if due else None, "")


def _move(actor: Any, clock: Clock, begins: datetime, due: datetime | None, duration: str) -> None:
    changed = [
        name
        for name, value in (("triggered_at", begins), ("due_at", due), ("duration", duration or clock.duration))
        if getattr(clock, name) != value
    ]
    if not changed:
        return
    before = clock.due_at
    clock.triggered_at, clock.due_at, clock.duration = begins, due, duration or clock.duration
    if due is None or due > timezone.now():
        clock.alerted_at = None
    clock.save(update_fields=[*changed, "alerted_at"])
    record(actor, "offender.clock_moved", clock, payload={
        "rule": clock.rule, "subject": clock.subject_label, "from": before, "to": due})  # fmt: skip


def hand_over(actor: Any, offender: Offender, manager: Any) -> int:
    """The open clocks of the offender become the new manager's. Returns how many."""
    mine = Clock.objects.open().filter(subject_type="offenders.offender", subject_id=offender.pk)
    duties = Clock.objects.open().filter(
        subject_type="offenders.duty", subject_id__in=offender.duties.values_list("pk", flat=True)
    )
    return mine.update(owner=manager) + duties.update(owner=manager)
