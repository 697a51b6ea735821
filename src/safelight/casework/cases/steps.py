"""The steps of a case, each a form of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.base.standards import standards
from safelight.casework.cases.forms import (
    AccessForm,
    CloseForm,
    OpenCaseForm,
    ReopenForm,
    RiskForm,
    SettleForm,
    assessed,
)
from safelight.casework.cases.models import Case, Settlement
from safelight.casework.cases.queries import address, obstacles
from safelight.casework.cases.services import (
    close_case,
    grant_access,
    open_case,
    record_risk,
    reopen_case,
    settle,
)
from safelight.casework.referrals.models import Referral


def case_for(request: HttpRequest, reference: str, rule: str) -> Any:
    """The case that this person may see (404) and do this to (403), the look recorded."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    require(request.user, rule, case)
    look(request, "case", case)
    return case


def step_page(
    request: HttpRequest, case: Any, form: forms.Form, title: str, *, template: str = "form_page.html", **more: Any
) -> HttpResponse:
    """One form about one case."""
    context = {
        "case": case,
        "title": title,
        "caption": f"{case.reference} {case.title}",
        "form": form,
        "cancel_url": reverse("cases:detail", kwargs={"reference": case.reference}),
        **more,
    }
    return render(request, template, context)


def unit_of(borough: str) -> str:
    """The code of the unit that covers a borough; "" when none does."""
    return next((unit.id for unit in standards().units.values() if borough in unit.boroughs), "")


@page("cases.open", looks="referral", methods=("GET", "POST"))
def open_new(request: HttpRequest) -> HttpResponse:
    """``?referral=R-000123``: a case from this referral, its unit suggested from the borough."""
    referral = Referral.objects.get_visible(request.user, request.GET.get("referral", ""))
    look(request, "referral", referral)
    back = address("referrals:detail", reference=referral.reference) or reverse("cases:index")
    if referral.case_id:
        messages.info(request, f"{referral.reference} already has the case {referral.case.reference}.")
        return redirect(back)
    if not hasattr(referral, "contact_check"):
        messages.error(
            request, f"{referral.reference}: answer first which children the suspect lives with, sees or works with."
        )
        return redirect(address("safeguarding:check", reference=referral.reference) or back)
    code = referral.unit.code if referral.unit else unit_of(referral.borough)
    known = {"unit": code, "borough": referral.borough, "required_skill": "ocsae_investigator"}
    form = OpenCaseForm(posted(request), initial=known)
    if request.method == "POST":
        names = ("title", "unit", "risk", "risk_source", "required_skill", "borough", "restricted", "access")

        def step() -> Any:
            data = {name: form.cleaned_data[name] for name in names}
            data["access_reason"] = form.cleaned_data["access_reason"]
            return open_case(request.user, referral=referral, **data)

        case = attempt(form, step)
        if case is not None:
            messages.success(request, f"{case.reference} is open. It has no investigator yet.")
            return redirect("cases:detail", reference=case.reference)
    intro = (
        "The suspects and the children of the referral come along, and so do their clocks. "
        "The clock to give the case to an investigator counts from when the referral was recorded."
    )
    context = {
        "title": "Open a case",
        "caption": f"Referral {referral.reference}",
        "form": form,
        "intro": intro,
        "button": "Open the case",
        "cancel_url": back,
        "action": f"?referral={referral.reference}",
    }
    return render(request, "form_page.html", context)


@page("cases.risk", looks="case", methods=("GET", "POST"))
def risk(request: HttpRequest, reference: str) -> HttpResponse:
    """Record the level that somebody assessed."""
    case = case_for(request, reference, "cases.risk")
    form = RiskForm(posted(request), initial={"risk": case.risk})
    if request.method == "POST":
        made = attempt(
            form,
            lambda: record_risk(request.user, case, risk=form.cleaned_data["risk"], source=assessed(form.cleaned_data)),
        )
        if made is not None:
            messages.success(request, f"Risk recorded: {standards().risks[made.risk].title.lower()}.")
            return redirect("cases:detail", reference=case.reference)
    intro = (
        "Record the level from the force's own assessment. Its questions and scores stay in that tool. "
        "A higher level brings open clocks forward; a lower one moves none back."
    )
    return step_page(request, case, form, "Record the risk", intro=intro, button="Record the risk")


@page("cases.settle", looks="case", methods=("GET", "POST"))
def settle_area(request: HttpRequest, reference: str, area: str) -> HttpResponse:
    """A supervisor's reason why an unfinished part does not keep the case open."""
    if area not in Settlement.Area.values:
        raise Http404(f"There is no part {area!r} to settle.")
    case = case_for(request, reference, "cases.settle")
    form = SettleForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: settle(request.user, case, area=area, reason=form.cleaned_data["reason"]))
        if made is not None:
            messages.success(request, f"{made.get_area_display()}: settled with your reason.")
            return redirect("cases:close", reference=case.reference)
    unfinished = [one.text for one in obstacles(case) if one.area == area]
    intro = ["You answer for this by name. Unfinished now:", *unfinished]
    title = f"Settle: {Settlement.Area(area).label.lower()}"
    return step_page(request, case, form, title, intro=intro, button="Settle", destructive=True)


@page("cases.close", looks="case", methods=("GET", "POST"))
def close(request: HttpRequest, reference: str) -> HttpResponse:
    """The outcome, or everything that keeps the case open with a link to mend each."""
    case = case_for(request, reference, "cases.close")
    if case.status == "closed":
        messages.info(request, f"{case.reference} is closed already.")
        return redirect("cases:detail", reference=case.reference)
    form = CloseForm(posted(request))
    if request.method == "POST":
        made = attempt(
            form,
            lambda: close_case(
                request.user, case, outcome=form.cleaned_data["outcome"], note=form.cleaned_data["note"]
            ),
        )
        if made is not None:
            messages.success(request, f"{case.reference} is closed: {standards().outcomes[made.outcome].title}.")
            return redirect("cases:detail", reference=case.reference)
    more = {
        "obstacles": obstacles(case),
        "areas": dict(Settlement.Area.choices),
        "button": "Close the case",
        "destructive": True,
    }
    return step_page(request, case, form, "Close the case", template="cases/close.html", **more)


@page("cases.close", looks="case", methods=("GET", "POST"))
def reopen(request: HttpRequest, reference: str) -> HttpResponse:
    """Open a closed case again."""
    case = case_for(request, reference, "cases.close")
    form = ReopenForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: reopen_case(request.user, case, reason=form.cleaned_data["reason"]))
        if made is not None:
            messages.success(request, f"{case.reference} is open again. It has no investigator.")
            return redirect("cases:detail", reference=case.reference)
    intro = "The outcome is taken back, settled parts must be settled afresh, and the case needs an investigator."
    return step_page(request, case, form, "Reopen the case", intro=intro, button="Reopen", destructive=True)


@page("cases.grant_access", looks="case", methods=("GET", "POST"))
def access(request: HttpRequest, reference: str) -> HttpResponse:
    """Name one more person who may see the case."""
    case = case_for(request, reference, "cases.grant_access")
    form = AccessForm(posted(request))
    if request.method == "POST":
        made = attempt(
            form,
            lambda: grant_access(
                request.user, case, user=form.cleaned_data["user"], reason=form.cleaned_data["reason"]
            ),
        )
        if made is not None:
            messages.success(request, f"{made.user} may now see {case.reference}.")
            return redirect("cases:detail", reference=case.reference)
    intro = [f"{row.user}: {row.reason}" for row in case.access.select_related("user")] or ["Nobody is named yet."]
    return step_page(request, case, form, "Who may see this case", intro=intro, button="Give access")
