"""Charts of the measures as SVG (Altair), each with the table that says the same. Readable in black and white.

Groups differ by shape, dash and lightness, never by colour alone. An SVG holds no script and no style element, so that
it stands in a page under a strict content security policy. Importing this module loads no chart library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safelight.measures.agreement import GradeTable
from safelight.measures.charts import ControlChart, Funnel
from safelight.measures.effects import EffectReport, Overlap
from safelight.measures.errors import EmptySampleError
from safelight.measures.intervals import Interval
from safelight.measures.rules import RULE_TEXT
from safelight.measures.survival import Curve

INK, MIDDLE, PALE, FAINT = "#0b0c0c", "#505a5f", "#b1b4b6", "#e3e5e6"
FONT = "arial, sans-serif"
WIDTH = 620
SHADES = ("#ffffff", "#b1b4b6", "#505a5f", "#2b2d2e", "#0b0c0c")
DASHES = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (1, 4), (10, 4))
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart and its table.

    Attributes:
        title: what it shows. note: what the reader must know to read it.
        svg: the picture. head, rows: the same as a table; every row has a cell for each heading.
    """

    title: str
    svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def percent(value: float | None, digits: int = 1) -> str:
    """``30.7 %``; 'none' where there is no value."""
    return "none" if value is None else f"{value * 100:.{digits}f} %"


def intervals_chart(
    title: str, points: Sequence[tuple[str, Interval | None, str]], *, axis: str = "Per cent"
) -> Drawing:
    """Shares with their intervals, one below the other.

    Args:
        points: (label, interval or None where there is none, kind); kinds differ by shape and are in the legend.

    Raises:
        EmptySampleError: no point has an interval.
    """
    import altair as alt

    rows: list[dict[str, Any]] = [
        {"label": label, "kind": kind, "share": one.estimate * 100, "low": one.low * 100, "high": one.high * 100}
        for label, one, kind in points
        if one is not None
    ]
    if not rows:
        raise EmptySampleError("There is no share to draw.", fix="Say that there is nothing to show.")
    order = [label for label, _, _ in points]
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=300))
    base = _on(rows).encode(y=y)
    whole = alt.Scale(domain=[0, 100])
    line = base.mark_rule(color=INK, strokeWidth=2).encode(x=alt.X("low:Q", title=axis, scale=whole), x2="high:Q")
    legend = alt.Legend(orient="top", title=None, labelLimit=400, columns=1) if len(kinds) > 1 else None
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=list(SHAPES[: len(kinds)])), legend=legend)
    dots = base.mark_point(filled=True, size=90, color=INK, opacity=1).encode(x="share:Q", shape=shape)
    table = tuple(
        (
            label,
            kind,
            percent(one.estimate if one else None),
            f"{one.low * 100:.1f} to {one.high * 100:.1f}" if one else "none",
        )
        for label, one, kind in points
    )
    chart = (line + dots).properties(width=WIDTH - 280, height=max(60, 26 * len(rows)))
    return Drawing(title, _svg(chart), ("Figure", "Kind", "Share", "95 % interval"), table)


def grades_chart(
    title: str, grades: Sequence[str], groups: Mapping[str, Sequence[float]], counts: Mapping[str, int]
) -> Drawing:
    """Shares of grades, one bar for each group, best grade first and lightest.

    Args:
        grades: their titles, best first. groups: for each group the share of each grade, from 0 to 1.
        counts: cases behind each group.
    """
    import altair as alt

    rows = [
        {"group": f"{name} (n = {counts[name]})", "grade": grade, "share": share * 100, "place": place}
        for name, shares in groups.items()
        for place, (grade, share) in enumerate(zip(grades, shares, strict=True))
    ]
    if not rows:
        raise EmptySampleError("There is no group to draw.", fix="Say that nothing was graded.")
    shades = list(SHADES[: len(grades)])
    base = _on(rows).encode(
        y=alt.Y(
            "group:N",
            sort=[f"{name} (n = {counts[name]})" for name in groups],
            title=None,
            axis=alt.Axis(labelLimit=300),
        ),
        x=alt.X("share:Q", stack="zero", title="Per cent", scale=alt.Scale(domain=[0, 100])),
        order=alt.Order("place:Q"),
    )
    scale = alt.Scale(domain=list(grades), range=shades)
    colour = alt.Color("grade:N", sort=list(grades), scale=scale, legend=_framed())
    bars = base.mark_bar(stroke=INK, strokeWidth=1).encode(color=colour)
    table = tuple((name, str(counts[name]), *(percent(share) for share in shares)) for name, shares in groups.items())
    chart = bars.properties(width=WIDTH - 280, height=max(60, 30 * len(groups)))
    return Drawing(title, _svg(chart), ("Group", "Cases", *grades), table)


def pairs_chart(title: str, table: GradeTable, titles: Mapping[str, str]) -> Drawing:
    """The square of self against inspector; the darker, the more cases. Above the diagonal the unit is kinder."""
    import altair as alt

    names = [titles[grade] for grade in table.grades]
    most = max(max(row) for row in table.counts) or 1
    rows = [
        {"unit": names[i], "inspector": names[j], "cases": table.counts[i][j], "dark": table.counts[i][j] > most / 2}
        for i in range(len(names))
        for j in range(len(names))
    ]
    base = _on(rows).encode(
        x=alt.X("inspector:N", sort=names, title="The auditor's grade", axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("unit:N", sort=names, title="The unit's own grade"),
    )
    shade = alt.Color("cases:Q", scale=alt.Scale(domain=[0, most], range=["#ffffff", MIDDLE]), legend=None)
    cells = base.mark_rect(stroke=INK).encode(color=shade)
    ink = alt.Color("dark:N", scale=alt.Scale(domain=[False, True], range=[INK, "#ffffff"]), legend=None)
    text = base.mark_text(fontSize=18).encode(text="cases:Q", color=ink)
    layers = alt.layer(cells, text).resolve_scale(color="independent")
    head = ("The unit's own grade", *(f"Auditor: {name}" for name in names), "All")
    body = [(names[i], *(str(n) for n in row), str(sum(row))) for i, row in enumerate(table.counts)]
    body.append(("All", *(str(n) for n in table.inspector_margin), str(table.n)))
    return Drawing(title, _svg(layers.properties(width=360, height=240)), head, tuple(body))


def control_chart(title: str, chart: ControlChart, *, axis: str, as_percent: bool = False) -> Drawing:
    """A control chart with its limits; a point that breaks a rule is a filled diamond, and the table names the rule."""
    import altair as alt

    by = 100 if as_percent else 1
    # A share cannot lie beyond 0 or 100 per cent: a limit out there is none.
    bottom = None if chart.low is None or (as_percent and chart.low <= 0) else chart.low
    top = None if as_percent and chart.high >= 1 else chart.high
    rows = [
        {"place": place, "label": point.label, "value": point.value * by, "signal": bool(point.rules)}
        for place, point in enumerate(chart.points)
        if point.value is not None
    ]
    order = [point.label for point in chart.points]
    x = alt.X(
        "label:N",
        sort=order,
        title=None,
        scale=alt.Scale(domain=order),
        axis=alt.Axis(labelAngle=-60, labelOverlap=True),
    )
    base = _on(rows).encode(x=x)
    y = alt.Y("value:Q", title=axis, scale=alt.Scale(domain=[0, 100]) if as_percent else alt.Scale())
    line = base.mark_line(color=INK, strokeWidth=1.5).encode(y=y)
    same = alt.Scale(domain=[False, True])
    shape = alt.Shape("signal:N", scale=alt.Scale(domain=[False, True], range=["circle", "diamond"]), legend=None)
    fill = alt.Fill("signal:N", scale=alt.Scale(domain=same.domain, range=["#ffffff", INK]), legend=None)
    size = alt.Size("signal:N", scale=alt.Scale(domain=same.domain, range=[40, 130]), legend=None)
    dots = base.mark_point(stroke=INK, opacity=1).encode(y=y, shape=shape, fill=fill, size=size)
    lines = [
        {"y": value * by, "what": what}
        for value, what in ((chart.centre, "centre"), (bottom, "limit"), (top, "limit"))
        if value is not None
    ]
    dash = alt.StrokeDash("what:N", scale=alt.Scale(domain=["centre", "limit"], range=[[1, 0], [6, 3]]),
                          legend=alt.Legend(orient="top", title=None))  # fmt: skip
    limits = _on(lines).mark_rule(color=MIDDLE).encode(y="y:Q", strokeDash=dash)
    table = tuple(
        (
            point.label,
            "no figure" if point.value is None else f"{point.value * by:.4g}",
            "; ".join(RULE_TEXT[rule] for rule in point.rules),
        )
        for point in chart.points
    )
    low, high = ("none" if one is None else f"{one * by:.4g}" for one in (bottom, top))
    note = (
        f"{chart.kind} chart: centre {chart.centre * by:.4g}, limits {low} (lower) and {high} (upper). "
        f"A chart of this length gives a signal although nothing has changed in {chart.false_alarm * 100:.0f} of 100 "
        f"cases ({chart.false_alarm_note}). {' '.join(chart.notes)}"
    ).strip()
    drawn = (limits + line + dots).properties(width=WIDTH - 90, height=240)
    return Drawing(title, _svg(drawn), ("When", axis, "Signal"), table, note)


def funnel_chart(title: str, funnel: Funnel, *, what: str) -> Drawing:
    """Units against the funnel of chance; one beyond the outer limit is a filled diamond with its name."""
    import altair as alt

    rows: list[dict[str, Any]] = [
        {"unit": unit.name, "n": unit.n, "share": unit.share * 100, "beyond": unit.beyond or "inside"}
        for unit in funnel.units
        if unit.share is not None
    ]
    curve = [
        {"n": one.n, "kind": kind, "side": side, "y": value * 100}
        for one in funnel.curve
        for kind, side, value in (
            ("95 % limits", "low", one.warning_low),
            ("95 % limits", "high", one.warning_high),
            ("99.8 % limits", "low", one.action_low),
            ("99.8 % limits", "high", one.action_high),
        )
    ]
    dash = alt.StrokeDash("kind:N", scale=alt.Scale(domain=["95 % limits", "99.8 % limits"], range=[[2, 2], [7, 3]]),
                          legend=alt.Legend(orient="top", title=None))  # fmt: skip
    x = alt.X("n:Q", title="Cases audited", scale=alt.Scale(zero=True))
    limits = _on(curve).mark_line(color=MIDDLE, interpolate="step-after").encode(
        x=x, strokeDash=dash, detail="side:N",
        y=alt.Y("y:Q", title=f"{what}, per cent", scale=alt.Scale(domain=[0, 100])),
    )  # fmt: skip
    goal = _on([{"y": funnel.target * 100}]).mark_rule(color=INK).encode(y="y:Q")
    kinds = ["inside", "warning", "action"]
    base = _on(rows).encode(x="n:Q", y="share:Q")
    fill = alt.Fill("beyond:N", scale=alt.Scale(domain=kinds, range=["#ffffff", PALE, INK]), legend=None)
    shape = alt.Shape("beyond:N", scale=alt.Scale(domain=kinds, range=["circle", "square", "diamond"]), legend=None)
    dots = base.mark_point(stroke=INK, size=90, opacity=1).encode(fill=fill, shape=shape)
    together: dict[tuple[int, float], list[str]] = {}
    for row in rows:
        together.setdefault((row["n"], row["share"]), []).append(row["unit"])
    labels = [{"n": n, "share": share, "units": ", ".join(units)} for (n, share), units in together.items()]
    names = (
        _on(labels).mark_text(align="left", dx=8, fontSize=11, color=INK).encode(x="n:Q", y="share:Q", text="units:N")
    )
    said = {"": "inside", "warning": "beyond 95 %", "action": "beyond 99.8 %"}
    table = tuple(
        (
            unit.name,
            f"{unit.k} of {unit.n}",
            percent(unit.share),
            "none"
            if unit.limits is None
            else f"{unit.limits.action_low * 100:.1f} to {unit.limits.action_high * 100:.1f}",
            said[unit.beyond] if unit.n else "no case",
        )
        for unit in funnel.units
    )
    note = (
        f"All together {funnel.target * 100:.1f} %. The chance that any unit lies beyond the outer limits although all "
        f"are alike is at most {funnel.false_alarm * 100:.1f} %. {' '.join(funnel.notes)}"
    ).strip()
    drawn = (limits + goal + dots + names).properties(width=WIDTH - 60, height=320)
    return Drawing(title, _svg(drawn), ("Unit", "Cases", what, "99.8 % limits", "So"), table, note)


def curves_chart(title: str, curves: Mapping[str, Curve], *, unit: str, limit: float | None = None) -> Drawing:
    """Kaplan-Meier curves: the share of clocks still open by time; groups differ by dash."""
    import altair as alt

    if not curves:
        raise EmptySampleError("There is no clock to draw.", fix="Say that none was started.")
    rows: list[dict[str, Any]] = []
    for name, curve in curves.items():
        steps = [(0.0, 1.0), *zip(curve.times.tolist(), curve.survival.tolist(), strict=True)]
        rows += [{"group": name, "time": time, "open": share * 100} for time, share in steps]
        rows.append({"group": name, "time": curve.last, "open": steps[-1][1] * 100})
    names = list(curves)
    dashes = [list(DASHES[place % len(DASHES)]) for place in range(len(names))]
    legend = alt.Legend(orient="top", title=None, labelLimit=500, columns=1) if len(names) > 1 else None
    scale = alt.Scale(domain=names, range=dashes)
    dash = alt.StrokeDash("group:N", sort=names, scale=scale, legend=legend)
    last = max(curve.last for curve in curves.values())
    shown = min(last, 5 * limit) if limit else last  # one clock that runs for weeks would squash the hours that count
    note = f"Drawn up to {shown:g}; the last one was watched for {last:.0f}." if shown < last else ""
    line = _on(rows).mark_line(color=INK, interpolate="step-after", clip=True).encode(
        x=alt.X("time:Q", title=unit, scale=alt.Scale(domain=[0, shown or 1])), strokeDash=dash,
        y=alt.Y("open:Q", title="Still open, per cent", scale=alt.Scale(domain=[0, 100])),
    )  # fmt: skip
    drawn: Any = line
    if limit is not None:
        drawn = _on([{"x": limit}]).mark_rule(color=MIDDLE, strokeWidth=2).encode(x="x:Q") + line
    table = []
    for name, curve in curves.items():
        median, low, high = curve.quantile()
        reach = "not reached" if median is None else f"{median:.3g} ({_or(low)} to {_or(high)})"
        table.append((name, str(curve.n), str(curve.ended), str(curve.n - curve.ended), reach))
    return Drawing(
        title, _svg(drawn.properties(width=WIDTH - 60, height=260)),
        ("Group", "Clocks", "Met", "Still open", f"Median, {unit.lower()}"), tuple(table), note,
    )  # fmt: skip


def _on(rows: list[dict[str, Any]]) -> Any:
    """A chart of these rows."""
    import altair as alt

    return alt.Chart(alt.Data(values=rows))  # type: ignore[no-untyped-call]


def _or(value: float | None) -> str:
    return "beyond" if value is None else f"{value:.3g}"


def overlap_chart(title: str, overlap: Overlap) -> Drawing:
    """How alike the cases of the two groups are: specialists above the line, others below."""
    import altair as alt

    rows = []
    for place, (ours, theirs) in enumerate(zip(overlap.specialist, overlap.other, strict=True)):
        left, right = overlap.edges[place], overlap.edges[place + 1]
        rows.append({"left": left, "right": right, "cases": ours, "group": "Specialist"})
        rows.append({"left": left, "right": right, "cases": -theirs, "group": "Not a specialist"})
    groups = ["Specialist", "Not a specialist"]
    bars = _on(rows).mark_rect(stroke=INK).encode(
        x=alt.X("left:Q", title="Chance of being given to a specialist, by what was recorded",
                scale=alt.Scale(domain=[0, 1])), x2="right:Q",
        y=alt.Y("cases:Q", title="Cases", axis=alt.Axis(labelExpr="abs(datum.value)")), y2=alt.datum(0),
        color=alt.Color("group:N", sort=groups, scale=alt.Scale(domain=groups, range=[MIDDLE, "#ffffff"]),
                        legend=_framed()),
    )  # fmt: skip
    table = tuple(
        (f"{overlap.edges[place]:.2f} to {overlap.edges[place + 1]:.2f}", str(ours), str(theirs))
        for place, (ours, theirs) in enumerate(zip(overlap.specialist, overlap.other, strict=True))
        if ours or theirs
    )
    note = f"{overlap.outside * 100:.1f} % of the cases had next to no chance of the other group."
    chart = bars.properties(width=WIDTH - 60, height=240)
    return Drawing(title, _svg(chart), ("Chance", "Specialist", "Not a specialist"), table, note)


def effects_chart(title: str, report: EffectReport) -> Drawing:
    """The difference a specialist makes: raw, and adjusted in three ways, with intervals and the line of no effect."""
    import altair as alt

    kinds = (("Raw", report.raw), ("Regression", report.regression), ("IPW", report.ipw), ("AIPW", report.aipw))
    rows = [
        {"how": name, "by": one.estimate * 100, "low": one.low * 100, "high": one.high * 100} for name, one in kinds
    ]
    base = _on(rows).encode(y=alt.Y("how:N", sort=[name for name, _ in kinds], title=None))
    span = base.mark_rule(color=INK, strokeWidth=2).encode(x=alt.X("low:Q", title="Points"), x2="high:Q")
    dots = base.mark_point(filled=True, size=90, color=INK, opacity=1).encode(x="by:Q")
    none = _on([{"x": 0}]).mark_rule(color=MIDDLE, strokeDash=[4, 3]).encode(x="x:Q")
    table = tuple(
        (name, f"{one.estimate * 100:+.1f}", f"{one.low * 100:+.1f} to {one.high * 100:+.1f}", one.method)
        for name, one in kinds
    )
    chart = (none + span + dots).properties(width=WIDTH - 160, height=130)
    return Drawing(title, _svg(chart), ("Difference", "Points", "95 % interval", "How"), table, report.sentence)


def _framed() -> Any:
    """A legend whose white symbol is seen on white."""
    import altair as alt

    return alt.Legend(orient="top", title=None, symbolType="square", symbolStrokeColor=INK, symbolStrokeWidth=1)


def _svg(chart: Any) -> str:
    import vl_convert

    spec = chart.configure(font=FONT, background="white").configure_axis(
        labelFontSize=12, titleFontSize=13, gridColor=FAINT
    )
    svg: str = vl_convert.vegalite_to_svg(spec.configure_legend(labelFontSize=13).configure_view(stroke=PALE).to_dict())
    # The chart is one picture for a screen reader, named where it is shown; its table has the numbers.
    return svg.replace("<svg ", '<svg role="presentation" focusable="false" ', 1)
