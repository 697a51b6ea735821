"""What the pages of plans read."""

from __future__ import annotations

from typing import Any

from safelight.casework.plans.models import WhatIf

PAGE = 50


def plans_page(before: str = "") -> tuple[list[WhatIf], str]:
    """Plans, newest first, and the key before which the next page begins ("" on the last)."""
    found = WhatIf.objects.select_related("made_by").defer("result").order_by("-pk")
    if before.isdecimal() and len(before) <= 15:
        found = found.filter(pk__lt=int(before))
    rows = list(found[: PAGE + 1])
    return rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else ""


def table_of(result: dict[str, Any]) -> list[list[Any]]:
    """A row for each question: its title, then for each scenario the answer and what is different."""
    scenarios = result.get("scenarios", [])
    if not scenarios:
        return []
    return [
        [answer["title"], *((one["answers"][place]["text"], one["answers"][place]["change"]) for one in scenarios)]
        for place, answer in enumerate(scenarios[0]["answers"])
    ]


def changes_in_words(changes: dict[str, Any]) -> list[tuple[str, str]]:
    """Each change with the parameter's title."""
    from safelight.planning.parameters import load_parameters

    rows = load_parameters().rows
    said = []
    for name, value in changes.items():
        base, _, level = name.rpartition(".")
        row = rows.get(name) or rows.get(base)
        title = row.title if row else name
        if row is not None and name not in rows:
            title = f"{title} ({level.replace('_', ' ')})"
        said.append((title, _value(value)))
    return said


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{level.replace('_', ' ')} {one:g}" for level, one in value.items())
    if isinstance(value, list):
        return ", ".join(f"{one:g}" for one in value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)
