"""What the public report says in sentences: figures of the whole force, what changed, and what cannot be said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from safelight.casework.oversight import computing, words
from safelight.casework.oversight.figures import COUNT, FIGURES, SHARE
from safelight.casework.oversight.models import Extract
from safelight.casework.oversight.store import opened

LEAST = 20
"""A share is told to the public only where at least so many lie on both sides of it, in whole per cent."""

TOLD = ("child_told", "allocated", "reviewed", "devices_triaged", "national_database", "charged_specialist",
        "charged_others", "devices_left")  # fmt: skip
CANNOT = (
    "How many children are at risk whom nobody has found: the report counts those who were found.",
    "Whether a change was caused by anything the force did: the figures compare two quarters, nothing else.",
    "How good the work was: that is what audits of cases by independent auditors are for.",
    "Counts below the limit of the disclosure rule: they are hidden so that no child can be recognised, and further "
    "counts with them where a hidden one could otherwise be worked out.",
)


def told(extract: Extract, quarter: str, since: datetime, until: datetime) -> dict[str, Any]:
    """The sentences and shares of the report of the quarter ``since`` to ``until``.

    Shares and medians are of the whole force only, rounded to whole per cent and whole hours or days; they stand beside
    the tables and are not part of the attack on them, which is why a share with fewer than :data:`LEAST` on either side
    is left out.
    """
    span = until - since
    lines, changes, silent = [], [], []
    with opened(extract.path) as base:
        for one in FIGURES:
            if one.id not in TOLD or one.kind == COUNT or one.moment:
                continue
            now, before = (
                computing.figure_at(base, one, start, end, extract.made_at)
                for start, end in ((since, until), (since - span, since))
            )
            if not _enough(now):
                silent.append(f"{one.title}: too few in {quarter} to say a share without telling of single cases.")
                continue
            lines.append({
                "id": one.id, "title": one.title, "definition": one.definition, "value": words.value_text(one, now),
                "doubt": f"{100 * now['low']:.0f} to {100 * now['high']:.0f} %",
                "median": words.median_text(now) if one.kind != SHARE else "",
            })  # fmt: skip
            if _enough(before):
                changes.append(f"{one.title}: {words.change_text(one, now, before)}.")
            else:
                silent.append(f"{one.title}: too few in the quarter before to say whether it changed.")
    return {"quarter": quarter, "figures": lines, "changes": changes, "cannot": [*CANNOT, *silent]}


def _enough(value: dict[str, Any]) -> bool:
    if value["value"] is None:
        return False
    inside = value["value"] * value["n"]
    return min(inside, value["n"] - inside) >= LEAST or (value["n"] >= 5 * LEAST and value["value"] in (0.0, 1.0))
