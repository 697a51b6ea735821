"""When the sweep next has to look at a clock: its steps of escalation, as the standards in force say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import WAITED_FOR, Clock

REACHED_STEP = "reached"


def steps_of(clock: Clock) -> list[tuple[datetime, Any]]:
    """(when, step) of every step of a clock, in order of time; the step is None where its time was waited for."""
    rule = standards().clocks.get(clock.rule)
    if clock.due_at is None:
        return []
    if rule is None or clock.sense in WAITED_FOR:
        return [(clock.due_at, None)]
    start = min(clock.triggered_at, clock.due_at)
    steps = [(step.moment(start, clock.due_at), step) for step in standards().escalation.values()]
    return sorted(
        ((moment, step) for moment, step in steps if step.applies_to(rule)), key=lambda one: (one[0], one[1].id)
    )


def schedule(clock: Clock, *, afresh: bool = False) -> None:
    """Set ``next_step_at`` from the times of the clock; the caller saves it.

    Args:
        afresh: the due time was moved: what was told about the old one does not count.
    """
    if afresh:
        clock.swept_through = clock.alerted_at = None
    done = clock.swept_through
    clock.next_step_at = next((at for at, _ in steps_of(clock) if done is None or at >= done), None)


STEP_FIELDS = ["alerted_at", "next_step_at", "swept_through"]
