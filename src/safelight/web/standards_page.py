"""The standards page: every clock and setting with its source, and what is law, guidance, default, draft or missing."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from safelight.casework.base.policy import SIGNED_IN, page
from safelight.casework.base.standards import standards
from safelight.standards.audit_rows import CriteriaSet, Phrase, ReferBackReason
from safelight.standards.escalation import EscalationStep
from safelight.standards.model import (
    PRODUCT,
    Category,
    GradeScale,
    Outcome,
    RiskLevel,
    Role,
    Row,
    SignInRule,
    Skill,
    Unit,
    VicsMap,
)
from safelight.web.filters import words

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


SENSES = {
    "notice": "At least that long before",
    "not_before": "Nothing may happen earlier",
    "threshold": "Counts as something from then on",
}
OTHERS = (
    ("Risk levels", "risks"),
    ("Categories", "categories"),
    ("Category numbers of lists", "vics_maps"),
    ("Grade scales", "grades"),
    ("Criteria of audits", "criteria"),
    ("Reasons to send a case back", "refer_back_reasons"),
    ("Outcomes of a case sent back", "refer_back_outcomes"),
    ("Wording that blames a child", "wording"),
    ("Outcomes", "outcomes"),
    ("Roles", "roles"),
    ("Signing in", "sign_in"),
    ("Skills", "skills"),
    ("Bases for sharing", "sharing_bases"),
    ("Units", "units"),
    ("Who hears of a clock, and when", "escalation"),
)


def detail(row: Row) -> str:
    """What is particular about a row of one of the other tables, in one line."""
    match row:
        case RiskLevel():
            return f"Short: {row.short}"
        case GradeScale():
            return f"{row.applies_to}: {', '.join(grade.title for grade in row.grades)}"
        case CriteriaSet():
            return f"Version {row.version}: {', '.join(heading.title for heading in row.headings)}"
        case ReferBackReason():
            return f"An answer is due within {row.hours} hours"
        case Phrase():
            return f"{', '.join(row.forms)}. {row.why} Consider: {row.consider}"
        case Category():
            known = "a hit is known material" if row.known else "not known material"
            return f"{known}; {'a person must grade it' if row.needs_grading else 'needs no further grading'}"
        case VicsMap():
            numbers = ", ".join(f"{number} = {words(category)}" for number, category in row.numbers)
            return f"{row.pattern}: {numbers or 'numbers not set'}"
        case Outcome():
            sure = "" if row.number_status == "verified" else f" ({row.number_status})"
            return f"Number {row.number}{sure}; {row.group_title}"
        case EscalationStep():
            when = f"{row.before_percent}% of its time left" if row.before_percent else f"{row.after_hours} hours late"
            where = f"; {', '.join(row.areas)}" if row.areas else ""
            where = f"; all but {', '.join(row.except_areas)}" if row.except_areas else where
            return f"{when}: {', '.join(map(words, row.to))}{where}"
        case Role():
            later = "" if row.available else " Not available for sign-in yet."
            return f"{row.does}. Sees: {row.sees}.{later}"
        case SignInRule():
            factor = "A second factor is owed" if row.second_factor else "A password alone is enough"
            ends = f"ends after {row.idle_minutes} minutes of nothing and {row.longest_hours} hours in all"
            return f"{factor}; a session {ends}; at most {row.sessions} at a time"
        case Skill():
            return f"For: {', '.join(words(role).lower() for role in row.applies_to)}"
        case Unit():
            return ", ".join(row.boroughs) or "The whole force"
        case _:
            return ""


def chosen(request: HttpRequest, name: str, known: dict[str, str]) -> str:
    """The filter in the address, or nothing when it is not one of ours."""
    value = request.GET.get(name, "")
    return value if value in known else ""


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
    counts = {status: sum(1 for rule in current.clocks.values() if str(rule.status) == status) for status in STATUSES}
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
            # What the force has set is no longer missing, whatever the shipped row says of itself.
            "to_set": sum(1 for rule in current.clocks.values() if not rule.is_set),
            "set_by_force": sum(1 for rule in current.clocks.values() if rule.set_by != PRODUCT),
            "links": links,
            "kinds": KINDS,
            "statuses": STATUSES,
            "colours": STATUS_COLOURS,
            "marks": MARKS,
            "calendars": CALENDARS,
            "areas": areas,
            "senses": SENSES,
            "others": [(name, table, list(getattr(current, table).values())) for name, table in OTHERS],
            "detail": detail,
            "role": lambda code: current.roles[code].title if code in current.roles else words(code),
            # Only the name: where the file lies on the server is nobody's business.
            "site_name": PurePath(current.site).name if current.site else "",
        },
    )
