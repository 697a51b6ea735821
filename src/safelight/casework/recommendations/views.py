"""Pages of recommendations: the list, one of them, and its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.recommendations import queries, services
from safelight.casework.recommendations.forms import (
    ActionForm,
    JudgeForm,
    OwnerForm,
    ProofForm,
    RecommendationForm,
    ReportForm,
)
from safelight.casework.recommendations.models import Recommendation, Report


def find(reference: str) -> Recommendation:
    """The recommendation, else 404."""
    rows = Recommendation.objects.select_related("report__audit", "owner", "planned_by", "closed_by")
    row = rows.filter(pk=Recommendation.key_of(reference)).first()
    if row is None:
        raise Http404(f"There is no recommendation {reference}.")
    return row


@page("recommendations.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """``?state=open|overdue|offered|closed|all&mine=1``."""
    state = request.GET.get("state", "open")
    state = state if state in queries.STATES else "open"
    mine = request.GET.get("mine") == "1"
    after = request.GET.get("after", "")
    rows, more = queries.page_of(state, request.user.pk if mine else None, after)
    look(request, "list", None, list="recommendations", state=state, shown=[row.reference for row in rows])
    chosen = {"state": state, **({"mine": "1"} if mine else {})}
    pages = {
        "previous_url": f"?{urlencode(chosen)}" if after else "",
        "next_url": f"?{urlencode({**chosen, 'after': more})}" if more else "",
    }
    context = {"rows": rows, "pages": pages, "state": state, "states": queries.STATES, "mine": mine,
               "counts": queries.counts(), "reports": Report.objects.order_by("-published_on", "-pk")[:20]}  # fmt: skip
    return render(request, "recommendations/index.html", context)


@page("recommendations.record", methods=("GET", "POST"))
def report(request: HttpRequest) -> HttpResponse:
    """Record a published report."""
    form = ReportForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: services.record_report(request.user, **form.cleaned_data))
        if made is not None:
            return redirect("recommendations:new", reference=made.reference)
    intro = "Its recommendations follow one by one. Their action plans are due six weeks after the day of publication."
    return _form(request, form, "Record a report", intro, "Record it", reverse("recommendations:index"))


@page("recommendations.record", methods=("GET", "POST"))
def new(request: HttpRequest, reference: str) -> HttpResponse:
    """Another recommendation of a report."""
    row = Report.objects.filter(pk=Report.key_of(reference)).first()
    if row is None:
        raise Http404(f"There is no report {reference}.")
    form = RecommendationForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: services.add_recommendation(request.user, row, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made.reference} is recorded, due on {made.due_on:%d %B %Y}. Add the next one.")
            return redirect("recommendations:new", reference=row.reference)
    intro = f"Of the report “{row.title}”, published on {row.published_on:%d %B %Y}."
    return _form(request, form, "Record a recommendation", intro, "Record it", reverse("recommendations:index"))


@page("recommendations.view", looks="recommendation")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """One recommendation: plan, evidence, the inspector's word."""
    row = find(reference)
    look(request, "recommendation", row)
    user: Any = request.user
    context = {
        "row": row,
        "clock": queries.plan_clock(row),
        "proofs": row.proofs.select_related("added_by", "audit"),
        "may": {step: user.has_perm(f"recommendations.{step}", row) for step in ("assign", "act", "close")},
    }
    return render(request, "recommendations/detail.html", context)


def _step(
    request: HttpRequest,
    reference: str,
    rule: str,
    make: type[forms.Form],
    service: Callable[..., Any],
    title: str,
    intro: str,
    button: str,
    **given: Any,
) -> HttpResponse:
    """One step of a recommendation: a form, and the service that takes its fields."""
    row = find(reference)
    require(request.user, rule, row)
    back = reverse("recommendations:detail", args=[row.reference])
    if row.closed_at:
        messages.info(request, f"{row.reference} is closed.")
        return redirect(back)
    form = make(posted(request), **given)
    if request.method == "POST":
        if attempt(form, lambda: service(request.user, row, **form.cleaned_data)) is not None:
            messages.success(request, "Recorded.")
            return redirect(back)
    else:
        look(request, "recommendation", row)
    return _form(request, form, title, intro, button, back, caption=f"{row.reference} · {row.get_kind_display()}")


@page("recommendations.assign", looks="recommendation", methods=("GET", "POST"))
def owner(request: HttpRequest, reference: str) -> HttpResponse:
    """Make somebody answerable."""
    row = find(reference)
    return _step(request, reference, "recommendations.assign", OwnerForm, services.assign, "Who answers for it?",
                 row.text[:400], "Make answerable", initial={"owner": row.owner_id})  # fmt: skip


@page("recommendations.act", looks="recommendation", methods=("GET", "POST"))
def plan(request: HttpRequest, reference: str) -> HttpResponse:
    """Write the action plan."""
    row = find(reference)
    return _step(request, reference, "recommendations.act", ActionForm, services.write_plan, "Action plan",
                 row.text[:400], "Keep the plan", initial={"plan": row.plan})  # fmt: skip


@page("recommendations.act", looks="recommendation", methods=("GET", "POST"))
def proof(request: HttpRequest, reference: str) -> HttpResponse:
    """Add evidence."""
    intro = "Evidence is something that an inspector can look at. Saying that it is met closes nothing."
    return _step(
        request, reference, "recommendations.act", ProofForm, services.add_proof, "Add evidence", intro, "Add it"
    )


@page("recommendations.close", looks="recommendation", methods=("GET", "POST"))
def judge(request: HttpRequest, reference: str) -> HttpResponse:
    """An inspector's word."""

    def service(actor: Any, row: Recommendation, *, met: str, note: str) -> Recommendation:
        return services.judge(actor, row, met=met == "yes", note=note)

    intro = "Closing it is the inspector's, not the owner's."
    return _step(request, reference, "recommendations.close", JudgeForm, service, "Is it met?", intro, "Record it")


def _form(
    request: HttpRequest, form: Any, title: str, intro: str, button: str, back: str, caption: str = ""
) -> HttpResponse:
    context = {"title": title, "caption": caption, "form": form, "intro": intro, "button": button, "cancel_url": back}
    return render(request, "form_page.html", context)
