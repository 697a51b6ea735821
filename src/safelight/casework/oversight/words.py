"""Values in words: what the page, the report and the screen reader say."""

from __future__ import annotations

from typing import Any

from safelight.casework.oversight.figures import COUNT, SHARE, Figure
from safelight.measures import MeasuresError, two_proportions

SHOWN, NOT_SHOWN = "a change is shown", "a change is not shown"


def value_text(one: Figure, value: dict[str, Any] | None) -> str:
    """The value: ``82 %``, ``14``; or that there is none."""
    if not value or value["value"] is None:
        return "cannot be said"
    if one.kind == COUNT:
        return f"{value['value']:,}"
    return f"{100 * value['value']:.0f} %"


def doubt_text(one: Figure, value: dict[str, Any] | None) -> str:
    """Its interval, what it rests on, and what is still open."""
    if not value or value["value"] is None:
        return str((value or {}).get("note", "There is none in this time."))
    if one.kind == COUNT:
        return f"chance alone: {value['low']:.0f} to {value['high']:.0f}"
    of = f"{100 * value['low']:.0f} to {100 * value['high']:.0f} %"
    if one.kind == SHARE:
        return f"{of}; {value['k']:,} of {value['n']:,}"
    return f"{of}; {value['n']:,} clocks, {value['open']:,} still open"


def median_text(value: dict[str, Any] | None) -> str:
    """The median of a time, or that fewer than half are met."""
    hours = (value or {}).get("median")
    if hours is None:
        return "no median yet: fewer than half are met"
    return f"median {hours:.1f} hours" if hours < 72 else f"median {hours / 24:.1f} days"


def change_text(one: Figure, now: dict[str, Any] | None, before: dict[str, Any] | None) -> str:
    """Whether it changed since the quarter before, said only where it is shown."""
    if not now or not before or now["value"] is None or before["value"] is None:
        return "nothing to compare with yet"
    if one.kind == COUNT:
        return _counts(now["k"], before["k"])
    if one.kind == SHARE:
        try:
            shown = two_proportions(before["k"], before["n"], now["k"], now["n"]).shown
        except MeasuresError:
            return NOT_SHOWN
        return _way(now["value"] - before["value"], shown)
    # Two curves that share no clock: their intervals are independent.
    spread = sum((v["high"] - v["low"]) ** 2 for v in (now, before)) ** 0.5 / 2
    return _way(now["value"] - before["value"], abs(now["value"] - before["value"]) > spread)


def _counts(now: int, before: int) -> str:
    from scipy.stats import binomtest

    if now + before == 0:
        return "none in either quarter"
    shown = binomtest(now, now + before, 0.5).pvalue < 0.05
    if not shown:
        return f"{NOT_SHOWN} ({before:,} before)"
    return f"{'more' if now > before else 'fewer'} than the {before:,} before"


def _way(change: float, shown: bool) -> str:
    if not shown:
        return f"{NOT_SHOWN} ({100 * change:+.0f} points)"
    return f"{'up' if change > 0 else 'down'} {abs(100 * change):.0f} points"
