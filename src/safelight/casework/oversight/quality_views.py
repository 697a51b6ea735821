"""Pages of data quality: every rule with its counts by unit, and the rows behind it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from safelight.casework.base.policy import look, page
from safelight.casework.oversight import quality, queries
from safelight.casework.oversight.figures import figure


@page("oversight.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Every rule: how many rows break it, by unit, as the records stood at the last extract."""
    extract = queries.latest()
    counts = extract.values.get(QUALITY, {}) if extract else {}
    names = queries.unit_names()
    look(request, "list", None, list="data quality", extract=extract)
    rows = [(one, counts.get(one.id, {}).get("", 0), _units(counts.get(one.id, {}), names)) for one in quality.RULES]
    context = {"extract": extract, "rows": rows, "total": sum(n for _, n, _ in rows)}
    return render(request, "oversight/quality.html", context)


@page("oversight.view", looks="list")
def detail(request: HttpRequest, name: str) -> HttpResponse:
    """One rule: the rows behind it, now, of those that the reader may see."""
    one = quality.rule(name.replace("-", "_"))
    if one is None:
        raise Http404(f"There is no rule {name}.")
    after = request.GET.get("after", "")
    rows, more = quality.rows_behind(
        one, request.user, after=int(after) if after.isdecimal() and len(after) < 18 else 0
    )
    look(request, "list", None, list="data quality", rule=one.id, shown=[row.text for row in rows if row.href])
    here = reverse("oversight:quality_rule", args=[name])
    spoils = [found for found in (figure(name) for name in one.spoils) if found]
    pages = {"previous_url": here if after else "", "next_url": f"{here}?after={more}" if more else ""}
    names = queries.unit_names()
    context = {"rule": one, "rows": [(row, names.get(row.unit, "No unit yet")) for row in rows], "pages": pages,
               "spoils": spoils}  # fmt: skip
    return render(request, "oversight/quality_rule.html", context)


QUALITY = "data_quality"


def _units(counts: dict[str, int], names: dict[str, str]) -> str:
    found = sorted(((n, names.get(unit, unit)) for unit, n in counts.items() if unit), reverse=True)
    return "; ".join(f"{name} {n:,}" for n, name in found[:6]) + ("; …" if len(found) > 6 else "")
