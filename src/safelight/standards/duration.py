"""A length of time as standards state it: a whole number of one unit.

The unit decides how it is counted: hours are real elapsed hours (also across a change of the clocks), working days skip
weekends and bank holidays of England and Wales, calendar days, months and years go by the calendar of Europe/London.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

DurationUnit = Literal["hours", "working_days", "calendar_days", "months", "years"]
UNITS: tuple[DurationUnit, ...] = get_args(DurationUnit)
"""Units in which a duration may be written."""

LIMITS: dict[DurationUnit, int] = {
    "hours": 20_000,
    "working_days": 2_000,
    "calendar_days": 4_000,
    "months": 1_200,
    "years": 100,
}
_APPROXIMATE_HOURS: dict[DurationUnit, float] = {
    "hours": 1.0,
    "working_days": 24.0 * 7 / 5,
    "calendar_days": 24.0,
    "months": 24.0 * 365.25 / 12,
    "years": 24.0 * 365.25,
}


@dataclass(frozen=True, slots=True)
class Duration:
    """``Duration(24, "hours")``. ``str()`` reads '24 hours', '1 working day', '6 months', '1 year'."""

    count: int
    unit: DurationUnit

    def __str__(self) -> str:
        words = self.unit.replace("_", " ")
        return f"{self.count} {words[:-1] if self.count == 1 else words}"

    @property
    def approximate_hours(self) -> float:
        """For ordering durations of different units; never for a due time."""
        return self.count * _APPROXIMATE_HOURS[self.unit]


def duration_from_text(text: str) -> Duration | None:
    """The Duration that ``str()`` wrote ('24 hours'), or None for any other text."""
    count, _, unit = text.partition(" ")
    for known in UNITS:
        words = known.replace("_", " ")
        if count.isascii() and count.isdigit() and unit in (words, words[:-1]):
            return Duration(int(count), known)
    return None


def duration_fault(raw: object) -> str:
    """Says what is wrong with ``raw`` as a duration; an empty string when nothing is."""
    if not isinstance(raw, dict) or len(raw) != 1:
        return f"a duration is one number with its unit ({', '.join(UNITS)}), not {raw!r}"
    ((unit, count),) = raw.items()
    if unit not in UNITS:
        return f"unknown unit {unit!r}: use one of {', '.join(UNITS)}"
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= LIMITS[unit]:
        return f"{unit} = {count!r} is not a whole number from 1 to {LIMITS[unit]:,}"
    return ""


def parse_duration(raw: dict[str, int]) -> Duration:
    """Turns ``{"hours": 24}`` into a Duration. Check with :func:`duration_fault` first."""
    ((unit, count),) = raw.items()
    for known in UNITS:
        if unit == known:
            return Duration(count, known)
    raise ValueError(duration_fault(raw))
