"""Charts of the exchange as SVG inside the page: no script, no style attribute; the table beside each says the same."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from safelight.casework.base.charts import WIDTH, drawn
from safelight.casework.exchange.queries import Availability, Day

_COLOURS = {"Exact": "#1d70b8", "Likeness": "#f47738"}


def hits_chart(days: Sequence[Day]) -> Markup:
    """Matches told by day, exact ones below likenesses."""
    rows = [
        {"day": one.day.isoformat(), "kind": kind, "matches": number}
        for one in days
        for kind, number in (("Exact", one.exact), ("Likeness", one.likeness))
    ]
    import altair

    chart = (
        altair.Chart(altair.Data(values=rows))
        .mark_bar()
        .encode(
            x=altair.X("day:T", timeUnit="yearmonthdate", title=None, axis=altair.Axis(format="%-d %b", tickCount=10)),
            y=altair.Y("matches:Q", title="Matches told to platforms", axis=altair.Axis(tickMinStep=1)),
            color=altair.Color("kind:N", scale=altair.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))),
        )
        .properties(width=WIDTH - 80, height=220)
    )
    return drawn(chart)


def availability_chart(rows: Sequence[Availability]) -> Markup:
    """Of each platform: how many notices ended in removal, in refusal, or wait."""
    words = {"removed": "Removed", "waiting": "Still available", "refused": "Refused"}
    data = [
        {"platform": row.name, "state": text, "notices": getattr(row, name)}
        for row in rows
        for name, text in words.items()
    ]
    import altair

    chart = (
        altair.Chart(altair.Data(values=data))
        .mark_bar()
        .encode(
            y=altair.Y("platform:N", title=None, sort=None, axis=altair.Axis(labelLimit=240)),
            x=altair.X("notices:Q", title="Takedown notices", axis=altair.Axis(tickMinStep=1)),
            color=altair.Color(
                "state:N",
                sort=list(words.values()),
                scale=altair.Scale(domain=list(words.values()), range=["#00703c", "#f47738", "#6f72af"]),
            ),
        )
        .properties(width=WIDTH - 280, height=altair.Step(30))
    )
    return drawn(chart)
