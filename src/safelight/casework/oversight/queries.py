"""What the pages of oversight read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from safelight.casework.oversight import words
from safelight.casework.oversight.charts import trend_chart, units_chart
from safelight.casework.oversight.figures import Figure, groups
from safelight.casework.oversight.models import Accountable, Extract
from safelight.casework.oversight.quality import doubts
from safelight.casework.workforce.models import Unit


@dataclass(frozen=True)
class Line:
    """One figure as a row of the page."""

    figure: Figure
    value: str
    doubt: str
    change: str
    median: str = ""
    doubtful: int = 0


def accountable() -> Accountable | None:
    """Who answers for the whole now, or None: nobody is named."""
    return Accountable.objects.filter(until=None).select_related("officer", "named_by").first()


def latest() -> Extract | None:
    """The newest extract, or None before the first."""
    return Extract.objects.first()


def age_hours(extract: Extract) -> float:
    """Hours since the records were read."""
    return (timezone.now() - extract.made_at).total_seconds() / 3600


def lines(extract: Extract, unit: str = "") -> list[tuple[str, list[Line]]]:
    """Every figure of the force (or of one unit), by heading."""
    bad = extract.values.get("data_quality", {})
    return [
        (title, [_line(one, extract.values.get(one.id, {}), unit, doubts(bad, one.id, unit)) for one in found])
        for title, found in groups()
    ]


def _line(one: Figure, values: dict[str, Any], unit: str, bad: Any = ()) -> Line:
    now, before = values.get("now", {}).get(unit), values.get("before", {}).get(unit)
    median = words.median_text(now) if one.kind == "time" and now and now["n"] else ""
    if one.kind == "count" and values.get("now") is not None and now is None:
        now = {"n": 0, "k": 0, "value": 0, "low": 0.0, "high": 3.69}  # a unit without any
    change = words.change_text(one, now, before) if one.back else "compared on its own page"
    return Line(one, words.value_text(one, now), words.doubt_text(one, now), change, median, sum(n for _, n in bad))


def unit_names() -> dict[str, str]:
    """Code to name, with the rows that have no unit yet."""
    return {**dict(Unit.objects.values_list("code", "name")), "none": "No unit yet"}


def list_behind(one: Figure, user: Any) -> str:
    """The address of the list behind a figure, or "" where there is none for this person."""
    if not one.page or user.role == "auditor":
        return ""
    try:
        address = reverse(one.page)
    except NoReverseMatch:
        return ""
    return f"{address}?{one.query}" if one.query else address


def trend_of(one: Figure, extract: Extract) -> list[list[Any]]:
    """Month by month; for what cannot be worked out for the past, what earlier extracts said at the end of a month."""
    if one.back:
        return list(extract.values.get(one.id, {}).get("trend", []))
    found: dict[str, Any] = {}
    for made_at, values in Extract.objects.order_by("made_at").values_list("made_at", "values")[:2_000]:
        value = values.get(one.id, {}).get("now", {}).get("")
        if value is not None:
            found[f"{timezone.localtime(made_at):%Y-%m}"] = value
    return [[label, value] for label, value in found.items()]


def figure_context(one: Figure, extract: Extract, user: Any) -> dict[str, Any]:
    """Everything on the page of one figure."""
    values = extract.values.get(one.id, {})
    names = unit_names()
    now = values.get("now", {})
    trend = trend_of(one, extract)
    units = [
        (names.get(unit, unit), words.value_text(one, value), words.doubt_text(one, value),
         words.median_text(value) if one.kind == "time" else "")
        for unit, value in sorted(now.items(), key=lambda item: names.get(item[0], item[0]))
        if unit
    ]  # fmt: skip
    return {
        "one": one,
        "line": _line(one, values, ""),
        "units": units,
        "units_chart": units_chart(one, now, names),
        "trend": [(label, words.value_text(one, value), words.doubt_text(one, value)) for label, value in trend],
        "trend_chart": trend_chart(one, trend),
        "behind": list_behind(one, user),
        "doubts": doubts(extract.values.get("data_quality", {}), one.id),
    }


def address_of(spec: dict[str, Any]) -> str:
    """The question as the query of an address."""
    pairs = [("table", spec["table"]), *(("by", one) for one in spec["by"])]
    pairs += [(name, spec[name]) for name in ("time", "since", "until") if spec[name]]
    pairs += [(f"where_{column}", value) for column, value in spec["where"].items()]
    return urlencode(pairs)
