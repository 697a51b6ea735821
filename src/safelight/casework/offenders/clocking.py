"""The clocks of an offender, brought into line with what the events say (:mod:`.keeping`)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.pauses import change_duration, may_be_paused
from safelight.casework.clocks.services import pause_clock, rebase_clock, resume_clock, start_clock, stop_clock
from safelight.casework.offenders.dates import span
from safelight.standards.working_calendar import start_of_day

if TYPE_CHECKING:
    from safelight.casework.offenders.keeping import Standing
    from safelight.casework.offenders.models import Absence, Duty, Offender


def open_clocks(subject: Any) -> dict[str, Clock]:
    """The open clocks about an offender or a duty, by rule: there is one of each at most."""
    rows = Clock.objects.open().filter(subject_type=subject._meta.label_lower, subject_id=subject.pk)
    return {clock.rule: clock for clock in rows}


def start(actor: Any, offender: Offender, rule: str, moment: datetime, *, subject: Any = None, **more: Any) -> Clock:
    """Start a clock of the offender's manager, or return the open one."""
    return start_clock(
        actor, rule, offender if subject is None else subject, triggered_at=moment, unit=offender.unit,
        owner=offender.manager, **more,
    )  # fmt: skip


def bring_into_line(actor: Any, offender: Offender, want: Standing, stays: list[Absence], clock: Clock | None) -> None:
    """Make the open clock of a standing rule what the events say it is.

    One whose event has happened since ends, met or late, and the next begins; one whose plan changed gets the new
    interval; a stay in custody, in hospital or abroad is a pause of it, where the rule says so.
    """
    if want.counted_from is None:
        if clock is not None:
            stop_clock(actor, want.rule, offender, reason=want.gone, at=timezone.now())
        return
    begun = {"stage": want.stage, "own": want.own}
    if clock is None:
        clock = start(actor, offender, want.rule, want.counted_from, **begun)
    elif clock.stage != want.stage:
        # The first assessment is done: that clock ends, and the yearly one begins, counted from the assessment.
        stop_clock(actor, want.rule, offender, reason="Done", at=timezone.now())
        clock = start(actor, offender, want.rule, want.counted_from, **begun)
    elif want.counted_from > clock.triggered_at and want.event:
        clock = rebase_clock(actor, clock, event=want.event, at=want.counted_from, own=want.own)
    elif want.counted_from > clock.triggered_at:
        stop_clock(actor, want.rule, offender, reason="Done", at=want.counted_from)
        clock = start(actor, offender, want.rule, want.counted_from, **begun)
    elif want.counted_from < clock.triggered_at:
        clock = start(actor, offender, want.rule, want.counted_from, **begun)
    if want.own is not None and clock.duration != str(want.own):
        clock = change_duration(actor, clock, own=want.own)
    keep_pauses(actor, clock, stays)


def keep_pauses(actor: Any, clock: Clock, stays: list[Absence]) -> None:
    """Tell a clock of the stays away that fall into its time; what it knows already changes nothing."""
    rule = standards().clocks[clock.rule]
    relevant = [stay for stay in stays if may_be_paused(rule, stay.kind)]
    if not relevant:
        return
    known = {(one.reason, one.started_at): one for one in clock.pauses.all()}
    for stay in sorted(relevant, key=lambda one: one.begins):
        begins, ends = span(stay)
        if ends is not None and ends <= clock.triggered_at:
            continue
        begins = max(begins, clock.triggered_at)
        held = known.get((stay.kind, begins)) or known.get((stay.kind, span(stay)[0]))
        if held is None:
            pause_clock(actor, clock, reason=stay.kind, at=begins, until=ends)
        elif ends is not None and held.ended_at is None:
            resume_clock(actor, clock, reason=stay.kind, at=max(ends, held.started_at))


def keep_duty_clock(
    actor: Any, duty: Duty, stays: list[Absence], *, met_at: datetime | None = None, why: str = "Notified"
) -> None:
    """Start or end the clock of a duty; one whose day lies ahead gets none yet."""
    if met_at is not None:
        clock = open_clocks(duty).get(duty.rule)
        if clock is not None:
            stop_clock(actor, duty.rule, duty, reason=why[:300], at=max(met_at, clock.triggered_at))
        return
    if not duty.is_open or duty.event_on > timezone.localdate():
        return
    clock = start(actor, duty.offender, duty.rule, start_of_day(duty.event_on), subject=duty)
    keep_pauses(actor, clock, stays)


def hand_over(actor: Any, offender: Offender, manager: Any) -> int:
    """The open clocks of the offender become the new manager's. Returns how many."""
    mine = Clock.objects.open().filter(subject_type="offenders.offender", subject_id=offender.pk)
    duties = Clock.objects.open().filter(
        subject_type="offenders.duty", subject_id__in=offender.duties.values_list("pk", flat=True)
    )
    return mine.update(owner=manager) + duties.update(owner=manager)
