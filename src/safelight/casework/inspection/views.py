"""Pages of audits: plans, their draw, and their result. Pages of one audited case are in :mod:`.case_views`."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.base.standards import standards
from safelight.casework.inspection import queries, services
from safelight.casework.inspection.forms import PlanForm
from safelight.casework.inspection.models import AuditPlan
from safelight.casework.inspection.population import DIMENSIONS, STATUSES
from safelight.casework.inspection.results import result_of
from safelight.casework.referrals.models import Source
from safelight.errors import CaseworkError


def find(request: HttpRequest, reference: str) -> AuditPlan:
    """The plan if this person sees it, else 404."""
    row: AuditPlan = AuditPlan.objects.select_related("made_by", "drawn_by", "closed_by", "entry").get_visible(
        request.user, reference
    )
    return row


@page("inspection.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Every audit that this person sees, newest first."""
    before = request.GET.get("before", "")
    rows, more = queries.plans_page(request.user, before)
    look(request, "list", None, list="audit plans", shown=[row.reference for row in rows])
    here = reverse("inspection:index")
    pages = {"previous_url": here if before else "", "next_url": f"{here}?before={more}" if more else ""}
    lines = [(row, queries.progress_of(row) if row.drawn_at else None) for row in rows]
    return render(request, "inspection/index.html", {"lines": lines, "pages": pages})


@page("inspection.plan", methods=("GET", "POST"))
def new(request: HttpRequest) -> HttpResponse:
    """Declare a population and how it is drawn, before anybody looks."""
    form = PlanForm(posted(request))
    if request.method == "POST":

        def step() -> AuditPlan:
            data = form.cleaned_data
            return services.make_plan(
                request.user,
                title=data["title"],
                criteria=data["criteria"],
                query=form.query(),
                strata_by=data["strata_by"],
                margin=data["margin"] / 100,
                size=data["size"],
                minimum=data["minimum"],
                reserve=data["reserve"],
                seed=data["seed"],
                self_days=data["self_days"],
            )

        made = attempt(form, step)
        if made is not None:
            return redirect("inspection:plan", reference=made.reference)
    context = {
        "title": "Plan an audit",
        "form": form,
        "intro": [
            "The population, the number of cases and the seed are written down and sealed before anybody looks at "
            "a case. Nothing of it can be changed afterwards; a second plan over the same cases shows on both.",
            "Restricted cases are outside every audit population: who may see them is decided case by case.",
        ],
        "button": "Freeze the list and write the plan",
        "cancel_url": reverse("inspection:index"),
    }
    return render(request, "form_page.html", context)


@page("inspection.view", looks="audit_plan")
def plan(request: HttpRequest, reference: str) -> HttpResponse:
    """One plan: what was sealed, the draw, other plans over the same cases, and how far its cases are."""
    row = find(request, reference)
    after = request.GET.get("after", "")
    lines, more = queries.case_lines(request.user, row, after) if row.drawn_at else ([], "")
    look(request, "audit_plan", row, shown=[line.audit.reference for line in lines])
    here = reverse("inspection:plan", args=[row.reference])
    auditor = request.user.role == "auditor"
    context = {
        "row": row,
        "seal": services.seal_of(row),
        "query": in_words(row),
        "criteria": standards().criteria.get(row.criteria),
        "others": queries.overlapping(row),
        "wrong": queries.check_of(row),
        "lines": lines,
        "progress": queries.progress_of(row) if row.drawn_at else None,
        "left": services.waiting(row) if row.drawn_at and not row.closed_at else 0,
        "auditor": auditor,
        "sees_result": request.user.role in ("auditor", "chief_officer"),
        "pages": {"previous_url": here if after else "", "next_url": f"{here}?after={more}" if more else ""},
    }
    return render(request, "inspection/plan.html", context)


def in_words(row: AuditPlan) -> list[tuple[str, str]]:
    """The declared filter, a line for each part of it."""
    query, known = row.query, standards()
    sources = dict(Source.choices)
    risks = {**{level.id: level.title for level in known.risks.values()}, "none": "Not assessed"}
    days = [query.get("opened_from") or "the beginning", query.get("opened_to") or "the day of the plan"]
    return [
        ("Cases opened", f"from {days[0]} to {days[1]}"),
        ("Open or closed", STATUSES.get(query.get("status", "all"), "")),
        ("Risk", ", ".join(str(risks.get(one, one)) for one in query.get("risks", [])) or "All"),
        ("Units", ", ".join(query.get("units", [])) or "All"),
        ("Where from", ", ".join(str(sources.get(one, one)) for one in query.get("sources", [])) or "All"),
        ("Drawn from each", "; ".join(DIMENSIONS.get(one, one) for one in row.strata_by) or "One stratum"),
    ]


def _do(request: HttpRequest, reference: str, service: Any, said: str) -> HttpResponse:
    row = find(request, reference)
    try:
        service(request.user, row)
    except CaseworkError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("inspection:plan", reference=row.reference)


@page("inspection.plan", methods=("POST",))
def seal(request: HttpRequest, reference: str) -> HttpResponse:
    """Seal the ledger so far, the plan with it."""
    return _do(request, reference, services.seal_now, "The plan is sealed. Its root is now part of the seed.")


@page("inspection.plan", methods=("POST",))
def draw(request: HttpRequest, reference: str) -> HttpResponse:
    """Draw the cases, once."""
    return _do(request, reference, services.draw_cases, "The cases are drawn. Their units have been asked first.")


@page("inspection.plan", methods=("POST",))
def close(request: HttpRequest, reference: str) -> HttpResponse:
    """End an audit whose cases are all audited."""
    return _do(request, reference, services.close_plan, "The audit is closed.")


@page("inspection.plan")
def population(request: HttpRequest, reference: str) -> HttpResponse:
    """The frozen list as a file, for whoever repeats the draw. Recorded in the ledger."""
    row = find(request, reference)
    answer = HttpResponse(
        services.take_list(request.user, row), content_type="text/tab-separated-values; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{row.reference}-population.tsv"'
    return answer


@page("inspection.result", looks="audit_result")
def result(request: HttpRequest, reference: str) -> HttpResponse:
    """What the audit found."""
    row = find(request, reference)
    look(request, "audit_result", row)
    found = result_of(row) if row.drawn_at else None
    return render(request, "inspection/result.html", {"row": row, "found": found})
