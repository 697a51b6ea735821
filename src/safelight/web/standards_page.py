"""The standards page: every clock and setting with its source, and what is law, guidance, a default, a draft or missing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from safelight.casework.base.policy import SIGNED_IN, page
from safelight.casework.base.standards import standards

KINDS = {
    "statute": "Statute",
    "statutory_guidance": "Statutory guidance",
    "national_guidance": "National guidance",
    "inspection_finding": "Inspection finding",
    "local": "Local policy",
    "product_default": "Product default",
    "data_definition": "Data definition",
}
STATUSES = {
    "verified": "Verified: read in the source",
    "draft": "Draft: a person must confirm it",
    "required": "Required: the force must set it",
}
STATUS_COLOURS = {"verified": "green", "draft": "yellow", "required": "red"}
MARKS = {
    "V": "Read in the source",
    "V2": "Read in a copy, the press or other people's code",
    "S": "From a founding news report",
    "M": "General knowledge, no source read",
    "P": "A choice of this product",
}
CALENDARS = {
    "elapsed": "real hours, day and night",
    "working": "working days, England and Wales",
    "calendar": "calendar days, the day of the trigger not counted",
    "calendar_beginning_with": "calendar days, beginning with the day of the trigger",
}


def chosen(request: HttpRequest, name: str, known: dict[str, str]) -> str:
    """The filter in the address, or nothing when it is not one of ours."""
    value = request.GET.get(name, "")
    return value if value in known else ""


def words(identifier: Any) -> str:
    """``very_high`` -> ``Very high``."""
    text = str(identifier).replace("_", " ")
    return text[:1].upper() + text[1:]


@page(SIGNED_IN)
def standards_page(request: HttpRequest) -> HttpResponse:
    """Filters in the address: ``?kind=statute&status=draft&area=safeguarding``; unknown values are ignored."""
    current = standards()
    areas = {rule.area: words(rule.area) for rule in current.clocks.values()}
    picked = {
        "kind": chosen(request, "kind", KINDS),
        "status": chosen(request, "status", STATUSES),
        "area": chosen(request, "area", areas),
    }
    rules = [
        rule
        for rule in current.clocks.values()
        if all(not value or str(getattr(rule, name)) == value for name, value in picked.items())
    ]
    counts = {
        status: sum(1 for rule in current.clocks.values() if str(rule.status) == status) for status in STATUSES
    }
    links = {status: f"?{urlencode({'status': status})}#clocks" for status in STATUSES}
    return render(
        request,
        "web/standards.html",
        {
            "standards": current,
            "rules": rules,
            "total": len(current.clocks),
            "unset": current.unset(),
            "picked": picked,
            "counts": counts,
            "links": links,
            "kinds": KINDS,
            "statuses": STATUSES,
            "colours": STATUS_COLOURS,
            "marks": MARKS,
            "calendars": CALENDARS,
            "areas": areas,
        },
    )
