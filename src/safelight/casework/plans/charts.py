"""Charts of a plan as SVG (Altair), for the inside of a page: no script, no style, and its table beside it."""

from __future__ import annotations

from typing import Any

COLOURS = ("#1d70b8", "#f47738", "#00703c", "#4c2c92", "#d53880", "#505a5f", "#b58840")
WIDTH = 640
FONT = "arial, sans-serif"


def charts_of(data: dict[str, Any]) -> list[dict[str, str]]:
    """Title, text for who cannot see it, and SVG of each chart of an answer (see `planning.outcome.as_data`)."""
    scenarios = data["scenarios"]
    if not scenarios:
        return []
    made = [
        _bars("Clocks breached, per cent", scenarios, ("Child not", "No investigator", "Device not", "No outcome")),
        _bars("Children whose case waits for a person", scenarios, ("Children whose",)),
        _bars("Days since seizure of devices that wait", scenarios, ("Days since seizure",)),
    ]
    made += [_lines(title, scenarios) for title in scenarios[0]["series"]]
    return [one for one in made if one is not None]


def _bars(title: str, scenarios: list[dict[str, Any]], starts: tuple[str, ...]) -> dict[str, str] | None:
    import altair as alt

    rows = [
        {"question": _short(answer["title"]), "scenario": one["name"], **_interval(answer)}
        for one in scenarios
        for answer in one["answers"]
        if answer["title"].startswith(starts) and answer["mean"] is not None
    ]
    if not rows:
        return None
    order = list(dict.fromkeys(row["question"] for row in rows))
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("question:N", title=None, sort=order, axis=alt.Axis(labelLimit=320)),
        yOffset=alt.YOffset("scenario:N", sort=[one["name"] for one in scenarios]),
    )
    bars = base.mark_bar().encode(x=alt.X("mean:Q", title=None), color=_colour(scenarios))
    doubt = base.mark_rule(color="#0b0c0c", strokeWidth=1.5).encode(x="low:Q", x2="high:Q")
    height = max(60, 9 * len(rows) + 16 * len(order))
    asked = [answer for one in scenarios for answer in one["answers"] if answer["title"].startswith(starts)]
    if len(asked) > len(rows):
        title += " (what grows without limit has no bar)"
    return _svg(title, (bars + doubt).properties(width=WIDTH - 250, height=height))


def _lines(title: str, scenarios: list[dict[str, Any]]) -> dict[str, str] | None:
    import altair as alt

    rows = [
        {"scenario": one["name"], "year": year, "mean": mean, "low": max(0.0, mean - half), "high": mean + half}
        for one in scenarios
        for year, mean, half in one["series"][title]
    ]
    if not rows:
        return None
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("year:Q", title="Years from now"), color=_colour(scenarios))
    band = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y="mean:Q")
    return _svg(f"{title}, over time", (band + line).properties(width=WIDTH - 80, height=220))


def _colour(scenarios: list[dict[str, Any]]) -> Any:
    import altair as alt

    names = [one["name"] for one in scenarios]
    scale = alt.Scale(domain=names, range=list(COLOURS[: len(names)]))
    return alt.Color("scenario:N", title=None, scale=scale, legend=alt.Legend(orient="top", labelLimit=400, columns=1))


def _svg(title: str, chart: Any) -> dict[str, str]:
    import vl_convert

    spec = chart.configure(font=FONT, background="white").configure_axis(labelFontSize=13, titleFontSize=14)
    svg = vl_convert.vegalite_to_svg(spec.configure_legend(labelFontSize=14).to_dict())
    # The chart is one picture for a screen reader, named here; the table below it has the numbers.
    return {"title": title, "svg": svg.replace("<svg ", '<svg role="presentation" focusable="false" ', 1)}


def _interval(answer: dict[str, Any]) -> dict[str, float]:
    mean = answer["mean"]
    low, high = answer["low"], answer["high"]
    return {"mean": mean, "low": mean if low is None else low, "high": mean if high is None else high}


def _short(title: str) -> str:
    return (
        title.replace("Child not referred to social care in time", "Social care told late")
        .replace("No investigator in time", "Investigator late")
        .replace("No outcome in time after the devices are back", "Outcome late")
        .replace("Device not triaged in time", "Device triaged late")
        .replace("Children whose case waits for a person", "Children waiting")
        .replace("Days since seizure, devices waiting for ", "Waiting for ")
    )
