"""A bar chart as plain SVG numbers for the template: no script and no style attribute, which the site's policy forbids.

The table beside the chart says the same in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from safelight.casework.supervision.queries import Load

ROW, WIDTH, LABELS = 30, 720, 260


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its top edge and length in SVG units, and the text at its end."""

    label: str
    top: int
    length: float
    text: str
    overloaded: bool


@dataclass(frozen=True)
class Bars:
    """A chart: the bars, its size, and where the line of full capacity stands (SVG units)."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    start: int
    capacity_at: float


def bars(loads: Sequence[Load], capacity: float) -> Bars:
    """Caseload bars, longest first. The scale reaches the longest bar or the capacity, whichever is longer."""
    room = WIDTH - LABELS - 110
    top = max([capacity, *(float(load.points) for load in loads)]) or 1.0
    made = tuple(
        Bar(
            str(load.investigator)[:34],
            ROW * place,
            round(room * float(load.points) / top, 1),
            f"{load.points} points" + (" !" if load.overloaded else ""),
            load.overloaded,
        )
        for place, load in enumerate(loads)
    )
    return Bars(made, WIDTH, ROW * len(made) + 24, LABELS, round(LABELS + room * capacity / top, 1))
