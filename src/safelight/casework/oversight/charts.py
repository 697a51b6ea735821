"""Charts of figures as SVG inside the page: readable in black and white; the table beside each says the same."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from safelight.casework.base.charts import INK, drawn
from safelight.casework.oversight.figures import COUNT, Figure

MONTHLY = {"interval": "month", "step": 1}
SHADE = "#b1b4b6"


def trend_chart(one: Figure, trend: list[list[Any]]) -> Markup | None:
    """Month by month, with the interval as a grey band; a month without a value has none."""
    rows = [{"month": f"{label}-01", **_scaled(one, value)} for label, value in trend if value["value"] is not None]
    if len(rows) < 2:
        return None
    import altair

    base = altair.Chart(altair.Data(values=rows)).encode(
        x=altair.X(
            "month:T",
            title=None,
            axis=altair.Axis(format="%b %Y", labelAngle=-45, tickCount=MONTHLY),
        )
    )
    y = altair.Y("value:Q", title="Number" if one.kind == COUNT else "Per cent", scale=altair.Scale(zero=True))
    band = base.mark_area(color=SHADE, opacity=0.7).encode(y="low:Q", y2="high:Q")
    line = base.mark_line(color=INK, strokeWidth=2, point={"color": INK, "size": 40}).encode(y=y)
    return drawn((band + line).properties(width=660, height=240))


def units_chart(one: Figure, values: dict[str, dict[str, Any]], names: dict[str, str]) -> Markup | None:
    """Each unit with its interval, and the force as a dashed line."""
    rows = [
        {"unit": names.get(unit, unit), **_scaled(one, value)}
        for unit, value in values.items()
        if unit and value["value"] is not None
    ]
    if not rows:
        return None
    import altair

    title = "Number" if one.kind == COUNT else "Per cent"
    base = altair.Chart(altair.Data(values=rows)).encode(
        y=altair.Y("unit:N", title=None, sort=altair.EncodingSortField("value", order="descending"),
                   axis=altair.Axis(labelLimit=300))
    )  # fmt: skip
    layers = [
        base.mark_rule(color=INK, strokeWidth=1.5).encode(x=altair.X("low:Q", title=title), x2="high:Q"),
        base.mark_point(color=INK, filled=True, size=70).encode(x="value:Q"),
    ]
    whole = values.get("", {})
    if one.kind != COUNT and whole.get("value") is not None:
        mark = altair.Chart(altair.Data(values=[{"force": 100 * whole["value"]}]))
        layers.append(mark.mark_rule(color=INK, strokeDash=[5, 4]).encode(x="force:Q"))
    return drawn(altair.layer(*layers).properties(width=480, height=altair.Step(26)))


def answer_chart(rows: list[dict[str, Any]], title: str) -> Markup | None:
    """Bars of the answer to a question, at most forty of them."""
    if not rows:
        return None
    import altair

    chart = (
        altair.Chart(altair.Data(values=rows[:40]))
        .mark_bar(color="#1d70b8", stroke=INK, strokeWidth=0.5)
        .encode(
            y=altair.Y("label:N", title=None, sort=None, axis=altair.Axis(labelLimit=320)),
            x=altair.X("value:Q", title=title),
        )
        .properties(width=480, height=altair.Step(24))
    )
    return drawn(chart)


def _scaled(one: Figure, value: dict[str, Any]) -> dict[str, float]:
    by = 1 if one.kind == COUNT else 100
    return {name: by * value[name] for name in ("value", "low", "high")}
