"""Who hears of a clock, and when: the steps of escalation.toml."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from safelight.standards.clocks import ClockRule
from safelight.standards.faults import RowReader
from safelight.standards.model import Row
from safelight.standards.rows import read_common

PLACES = ("owner", "first", "second")


@dataclass(frozen=True, kw_only=True)
class EscalationStep(Row):
    """One step: when it is taken, of which clocks, and who hears.

    Attributes:
        before_percent: share of the clock's time that is left, 1 to 99; None for a step after the due time.
        after_hours: hours after the due time; None for a step before it.
        to: 'owner', 'first', 'second' (places in the clock's own escalation) or role ids.
        areas, except_areas: parts of the work; both empty: every clock.
    """

    to: tuple[str, ...]
    before_percent: int | None = None
    after_hours: int | None = None
    areas: tuple[str, ...] = ()
    except_areas: tuple[str, ...] = ()

    def applies_to(self, rule: ClockRule) -> bool:
        """Whether clocks of this rule take the step."""
        if rule.sense in ("not_before", "threshold"):
            # When something becomes possible nobody is late.
            return False
        return rule.area in self.areas if self.areas else rule.area not in self.except_areas

    def moment(self, triggered_at: datetime, due_at: datetime) -> datetime:
        """When the step is taken for a clock with these times."""
        if self.before_percent is not None:
            whole = max(due_at - triggered_at, timedelta(0))
            return due_at - whole * self.before_percent / 100
        return due_at + timedelta(hours=self.after_hours or 0)

    def roles(self, rule: ClockRule) -> tuple[str, ...]:
        """'owner' and role ids, in order, each once."""
        found: list[str] = []
        for name in self.to:
            if name in ("first", "second"):
                if not rule.escalation:
                    continue
                name = rule.escalation[min(PLACES.index(name) - 1, len(rule.escalation) - 1)]
            if name not in found:
                found.append(name)
        return tuple(found)


def read_step(row: RowReader, row_id: str, roles: Iterable[str], areas: Iterable[str]) -> EscalationStep:
    """One row of escalation.toml."""
    before, after = row.raw("before_percent"), row.raw("after_hours")
    if (before is None) == (after is None):
        row.fault("a step is taken before or after the due time", "Give before_percent or after_hours.")
    for key, value, low, high in (("before_percent", before, 1, 99), ("after_hours", after, 0, 2_000)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high):
            row.fault(f"{key} = {value!r} is not a whole number from {low} to {high}", "Correct it.")
            before, after = None, 0
    known = list(areas)
    step = EscalationStep(
        **read_common(row, row_id),
        to=row.names("to", needed=True, choices=(*PLACES, *roles)),
        before_percent=before if isinstance(before, int) else None,
        after_hours=after if isinstance(after, int) else None,
        areas=row.names("areas", choices=known),
        except_areas=row.names("except_areas", choices=known),
    )
    if step.areas and step.except_areas:
        row.fault("areas together with except_areas", "Give one of them.")
    return step
