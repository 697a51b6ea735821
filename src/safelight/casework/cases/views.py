"""Pages that show cases. The steps that change one are in :mod:`.steps`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.base.standards import standards
from safelight.casework.cases.chronology import title_of
from safelight.casework.cases.filters import STATUSES, filters_from
from safelight.casework.cases.forms import NoteForm
from safelight.casework.cases.models import Case
from safelight.casework.cases.picture import MOST, course
from safelight.casework.cases.queries import (
    STAGES,
    address,
    case_page,
    chronology_page,
    obstacles,
    people_of,
    settled_areas,
    stage_of,
    unallocated_count,
)
from safelight.casework.cases.services import note
from safelight.casework.clocks.queries import clocks_of_case, late_or_met, next_due
from safelight.casework.ledger.queries import entry_page, lines
from safelight.casework.workforce.models import Unit


def number(text: str) -> int | None:
    """A page key in an address; None for anything that is no key."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


@page("cases.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Filters in the address: ``?unit=CN&risk=high&stage=children&mine=1&unallocated=1&breached=1&before=123``."""
    units = dict(Unit.objects.values_list("code", "name"))
    filters = filters_from(request.GET, units)
    chosen = filters.chosen()
    found = case_page(request.user, filters, before=number(request.GET.get("before", "")))
    look(request, "list", None, list="cases", filters=chosen, shown=[row.case.reference for row in found.rows])
    next_url = f"?{urlencode({**chosen, 'before': found.before})}" if found.before else ""
    first_url = f"?{urlencode(chosen)}" if request.GET.get("before") else ""
    return render(
        request,
        "cases/index.html",
        {
            "rows": found.rows,
            "pages": {"previous_url": first_url, "next_url": next_url},
            "filters": filters,
            "filtered": bool(chosen),
            "units": units,
            "risks": {**{level.id: level.title for level in standards().risks.values()}, "none": "Not assessed"},
            "stages": STAGES,
            "statuses": STATUSES,
            "waiting": unallocated_count(request.user) if request.user.role == "supervisor" else 0,
        },
    )


@page("cases.view", looks="case")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """What is known, who is in it, what is due next, what keeps it open."""
    case = _shown(request, reference)
    return render(
        request,
        "cases/detail.html",
        {
            "case": case,
            "tab": "summary",
            "stage": STAGES[stage_of(case)],
            "people": [(link, address("people:detail", reference=link.person.reference)) for link in people_of(case)],
            "children": list(case.children.select_related("person").order_by("pk")),
            "children_url": address("safeguarding:case_children", reference=case.reference),
            "referrals": [(row, address("referrals:detail", reference=row.reference)) for row in case.referrals.all()],
            "clocks": next_due(case),
            "obstacles": obstacles(case) if case.status == "open" else [],
            "settled": settled_areas(case),
            "allocations": list(case.allocations.select_related("investigator", "allocated_by")[:10]),
            "latest": list(case.chronology.select_related("actor")[:5]),
            "title_of": title_of,
            "skill": _title(standards().skills, case.required_skill),
            "outcome": _title(standards().outcomes, case.outcome),
            "access": list(case.access.select_related("user")) if case.restricted else [],
            "may": _may(request.user, case),
        },
    )


def _may(user: Any, case: Any) -> dict[str, bool]:
    rules = {
        "risk": "cases.risk",
        "contact": "cases.live_contact",
        "allocate": "allocation.allocate",
        "review": "supervision.review",
        "settle": "cases.settle",
        "close": "cases.close",
        "access": "cases.grant_access",
    }
    return {name: user.has_perm(rule, case) for name, rule in rules.items()}


def _title(rows: Any, key: str) -> str:
    row = rows.get(key)
    return row.title if row else key


def _shown(request: HttpRequest, reference: str) -> Any:
    """The case, its look recorded; 404 for one that this person may not see."""
    rows = Case.objects.select_related("unit", "risk_recorded_by", "opened_by", "closed_by")
    case = rows.get_visible(request.user, reference)
    look(request, "case", case)
    return case


@page("cases.view", looks="case", methods=("GET", "POST"))
def chronology(request: HttpRequest, reference: str) -> HttpResponse:
    """What happened, latest first, as a timeline with its table; POST adds an entry."""
    case = _shown(request, reference)
    form = NoteForm(posted(request))
    if request.method == "POST":
        made = attempt(
            form,
            lambda: note(
                request.user, case, form.cleaned_data["kind"], form.cleaned_data["text"], at=form.cleaned_data["at"]
            ),
        )
        if made is not None:
            messages.success(request, f"{title_of(made.kind)}: added to the chronology.")
            return redirect("cases:chronology", reference=case.reference)
    found = chronology_page(case, before=request.GET.get("before", ""))
    first = not request.GET.get("before")
    newest = list(case.chronology.all()[:MOST]) if first else []
    picture = course(case, newest, clocks_of_case(case)) if first else ""
    here = reverse("cases:chronology", kwargs={"reference": case.reference})
    return render(
        request,
        "cases/chronology.html",
        {
            "case": case,
            "tab": "chronology",
            "form": form,
            "entries": found.entries,
            "picture": picture,
            "cut": len(newest) == MOST,
            "title_of": title_of,
            "pages": {
                "previous_url": here if request.GET.get("before") else "",
                "next_url": f"?{urlencode({'before': found.before})}" if found.before else "",
            },
        },
    )


@page("cases.view", looks="case")
def clocks(request: HttpRequest, reference: str) -> HttpResponse:
    """Every clock of the case with where its time comes from."""
    case = _shown(request, reference)
    views = clocks_of_case(case)
    met, late = late_or_met(views)
    may_hold = request.user.has_perm("clocks.hold") and request.user.has_perm("allocation.allocate", case)
    context = {"case": case, "tab": "clocks", "clocks": views, "met": met, "late": late, "may_hold": may_hold}
    return render(request, "cases/clocks.html", context)


@page("cases.view", looks="case")
def ledger(request: HttpRequest, reference: str) -> HttpResponse:
    """Every change of the case and every look at it."""
    case = _shown(request, reference)
    before = number(request.GET.get("before", ""))
    found = entry_page(request.user, case=case, before=before)
    here = reverse("cases:ledger", kwargs={"reference": case.reference})
    return render(
        request,
        "cases/ledger.html",
        {
            "case": case,
            "tab": "ledger",
            "lines": lines(found.entries),
            "pages": {
                "previous_url": here if before else "",
                "next_url": f"?before={found.before}" if found.before else "",
            },
        },
    )
