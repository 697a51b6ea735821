"""A clock: how long after (or before) an event something is due, by risk, stage and borough, and who answers for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args

from safelight.errors import StandardsError
from safelight.standards.duration import Duration
from safelight.standards.model import PRODUCT, Row
from safelight.standards.working_calendar import (
    ENGLAND_AND_WALES,
    add_months,
    end_of_day,
    local_day,
    start_of_day,
    today,
)

Calendar = Literal["elapsed", "working", "calendar", "calendar_beginning_with"]
Basis = Literal["fixed", "at_once", "per_plan"]
Sense = Literal["deadline", "notice", "not_before", "threshold"]
CALENDARS: tuple[str, ...] = get_args(Calendar)
BASES: tuple[str, ...] = get_args(Basis)
SENSES: tuple[str, ...] = get_args(Sense)
STAGES = ("first", "next")
SUBJECTS = (
    "child",
    "case",
    "referral",
    "safeguarding_referral",
    "order",
    "device",
    "image",
    "offender",
    "detention",
    "custody",
    "person",
    "nominal",
    "victim",
    "platform_report",
    "takedown_notice",
    "feedback",
    "staff",
    "force",
)
UNITS_OF_CALENDAR: dict[str, tuple[str, ...]] = {
    "elapsed": ("hours",),
    "working": ("working_days",),
    "calendar": ("hours", "calendar_days", "months", "years"),
    "calendar_beginning_with": ("calendar_days", "months", "years"),
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ClockCase:
    """One duration of a rule: for a risk level (None: all), a stage ('any', 'first', 'next'), a borough (None: all)."""

    duration: Duration
    risk: str | None = None
    stage: str = "any"
    borough: str | None = None
    effective_from: date | None = None
    set_by: str = PRODUCT
    status: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class ClockRule(Row):
    """One row of clocks.toml.

    Attributes:
        trigger: the name of the event that starts it.
        calendar: elapsed, working, calendar or calendar_beginning_with (the day of the trigger is day 1).
        subject: what the clock hangs on; a clock of a 'child' always counts in elapsed hours.
        owner, escalation: role ids; who answers for it, then who hears next. ``duty_holder``: whom the rule binds.
        basis: fixed, at_once (due at its trigger) or per_plan (each subject's own plan says; give it as ``own``).
        sense: deadline; notice (due that long BEFORE the trigger); not_before; threshold (counts from then on).
        stage: 'any', or 'first' / 'next' for a row that is one half of a series.
        may_be_held, cannot_extend: a named hold is possible (it never stops the clock); nothing moves the due time.
        pause_reasons, rebase_on: states that suspend it; events that start it afresh.
        after_pause: None, the time of a pause does not count; or what would run out during a pause runs out this many
            calendar days after it, beginning with the day on which it ends.
        active: False when it is kept for reference, or for a duty that is not in force.
        cases: every duration, the product's and the site's.
    """

    area: str
    trigger: str
    calendar: str
    subject: str
    applies_to: str
    owner: str
    escalation: tuple[str, ...]
    duty_holder: str = ""
    basis: str = "fixed"
    sense: str = "deadline"
    stage: str = "any"
    may_be_held: bool = False
    cannot_extend: bool = False
    pause_reasons: tuple[str, ...] = ()
    rebase_on: tuple[str, ...] = ()
    after_pause: Duration | None = None
    active: bool = True
    effective_to: date | None = None
    working_hours: tuple[time, time] | None = None
    cases: tuple[ClockCase, ...] = ()

    @property
    def is_set(self) -> bool:
        """True when there is something to count with: a duration, a per-plan basis, or 'at once'."""
        return self.basis != "fixed" or any(case.borough is None for case in self.cases)

    @property
    def child_at_risk(self) -> bool:
        """True for a clock that protects a child: it counts in elapsed hours."""
        return self.subject == "child"

    @property
    def by_risk(self) -> bool:
        """True when the duration depends on the risk level."""
        return any(case.risk is not None for case in self.cases)

    @property
    def duration_text(self) -> str:
        """The durations in one line, for tables: '24 hours', 'very high 8 hours; high 24 hours', 'not set'."""
        return "; ".join(text for _, text in self.duration_lines()) or "not set"

    def duration_lines(self, on: date | None = None) -> list[tuple[str, str]]:
        """(for whom, text) of each duration in force on a day: risk levels, stages, then boroughs that differ."""
        if self.basis != "fixed":
            return [("", "at once" if self.basis == "at_once" else "as each plan says")]
        lines: list[tuple[str, str]] = []
        boroughs = sorted({case.borough for case in self.cases if case.borough})
        for borough in (None, *boroughs):
            own = [case for case in self.cases if case.borough == borough]
            for risk in dict.fromkeys(case.risk for case in own):
                parts: dict[str, Duration] = {}
                for stage in STAGES:
                    found = self.duration_for(risk=risk, stage=stage, borough=borough, on=on)
                    if found is not None:
                        parts[stage] = found
                if not parts:
                    continue
                who = " ".join(filter(None, (borough, (risk or "").replace("_", " "))))
                same = len(set(parts.values())) == 1
                text = str(parts["first"]) if same else f"{parts['first']}, then {parts['next']}"
                lines.append((who, f"{who} {text}".strip()))
        return lines

    def case_for(
        self, *, risk: str | None = None, stage: str = "first", borough: str | None = None, on: date | None = None
    ) -> ClockCase | None:
        """The duration row that applies, with who set it; None when nothing is set.

        A borough's own row beats a general one, the site's beats the product's, a later start beats an earlier one.
        When the rule depends on risk and the level is not known (None), the shortest duration counts: not knowing is
        never a reason to wait longer. A borough that the standards do not know gets the general row.

        Raises:
            StandardsError: ``stage`` is neither 'first' nor 'next', or the rule has no duration for that risk level.
        """
        if stage not in STAGES:
            raise StandardsError(f"The clock {self.id!r} has no stage {stage!r}.", fix="Use 'first' or 'next'.")
        day = on or today()
        found = [
            case
            for case in self.cases
            if case.stage in ("any", stage)
            and case.borough in (None, borough)
            and (case.effective_from is None or case.effective_from <= day)
        ]
        if risk is not None:
            levels = {case.risk for case in found}
            if found and risk not in levels and None not in levels:
                known = ", ".join(sorted(level for level in levels if level))
                raise StandardsError(f"The clock {self.id!r} knows no risk level {risk!r}.", fix=f"Use one of {known}.")
            found = [case for case in found if case.risk in (None, risk)]
        if not found:
            return None

        def rank(case: ClockCase) -> tuple[bool, bool, date]:
            return (case.borough is not None, case.set_by != PRODUCT, case.effective_from or date.min)

        best = max(map(rank, found))
        return min((case for case in found if rank(case) == best), key=lambda case: case.duration.approximate_hours)

    def duration_for(
        self, *, risk: str | None = None, stage: str = "first", borough: str | None = None, on: date | None = None
    ) -> Duration | None:
        """The duration that applies, chosen as :meth:`case_for` says; None when there is none."""
        case = self.case_for(risk=risk, stage=stage, borough=borough, on=on)
        return case.duration if case else None

    def due_at(
        self,
        triggered_at: datetime,
        *,
        risk: str | None = None,
        stage: str = "first",
        borough: str | None = None,
        own: Duration | None = None,
    ) -> datetime | None:
        """When it is due, in UTC.

        Elapsed hours are real hours. Days end at 23:59:59 in London: ``n`` working days on the nth working day after
        the day of the trigger; ``n`` calendar days, months or years on the nth day after it or on the corresponding
        date (clamped to the end of a shorter month). 'Beginning with' counts the day of the trigger as day 1. A notice
        counts backwards; what may not happen before a day may happen from its midnight on. The day of the trigger
        decides which duration counts, so a later change of policy moves no running clock.

        Args:
            triggered_at: aware moment of the trigger.
            own: the duration in the subject's own plan; only for a rule whose basis is per_plan.

        Returns:
            None when a required duration has not been set, or a plan's own duration was not given.

        Raises:
            StandardsError: a naive time, an unknown stage or risk level, or ``own`` for a rule that does not take it.
        """
        day = local_day(triggered_at)
        if own is not None and self.basis != "per_plan":
            raise StandardsError(
                f"The clock {self.id!r} takes no duration of its own.",
                fix="Only a per_plan clock does; leave 'own' out.",
            )
        if self.basis == "at_once":
            return triggered_at.astimezone(UTC)
        duration = own or self.duration_for(risk=risk, stage=stage, borough=borough, on=day)
        if duration is None:
            return None
        sign = -1 if self.sense == "notice" else 1
        count = sign * duration.count
        if duration.unit == "hours":
            return triggered_at.astimezone(UTC) + timedelta(hours=count)
        if duration.unit == "working_days":
            start = day if count < 0 else ENGLAND_AND_WALES.day_of_arrival(triggered_at, self.working_hours)
            return end_of_day(ENGLAND_AND_WALES.add_working_days(start, count))
        beginning_with = self.calendar == "calendar_beginning_with"
        if duration.unit == "calendar_days":
            last = day + _DAY * (count - sign * beginning_with)
            return start_of_day(last) if self.sense == "not_before" else end_of_day(last)
        last = add_months(day, count * 12 if duration.unit == "years" else count)
        # A clamped date already is the last day: a month 'beginning with' 31 January ends on 28 February.
        if beginning_with and last.day == day.day:
            last -= _DAY * sign
        return start_of_day(last) if self.sense == "not_before" else end_of_day(last)
