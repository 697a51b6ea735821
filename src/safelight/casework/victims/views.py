"""Pages about victims: who is to be told, and what was told."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.cases.models import Case
from safelight.casework.victims.forms import EntitlementForm, ToldForm, VictimForm, WishForm
from safelight.casework.victims.models import Victim, VictimUpdate
from safelight.casework.victims.queries import due_page, victims_of
from safelight.casework.victims.services import record_told, record_victim, record_wish, set_entitlement

STATES = {"breached": "Late", "running": "Still in time"}


@page("victims.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Filters in the address: ``?state=breached&mine=1&after=...``."""
    state = request.GET.get("state", "") if request.GET.get("state", "") in STATES else ""
    mine = request.GET.get("mine") == "1"
    typed = request.GET.get("after", "")
    rows, after = due_page(request.user, state=state, mine=mine, after=typed)
    chosen = {name: value for name, value in (("state", state), ("mine", "1" if mine else "")) if value}
    look(request, "list", None, list="victims to be told", filters=chosen, shown=[one.row.reference for one in rows])
    return render(
        request,
        "victims/index.html",
        {
            "rows": rows,
            "states": STATES,
            "picked": {"state": state, "mine": mine},
            "filtered": bool(chosen),
            "pages": {
                "previous_url": f"?{urlencode(chosen)}" if typed else "",
                "next_url": f"?{urlencode({**chosen, 'after': after})}" if after else "",
            },
        },
    )


@page("victims.view", looks="case")
def case_victims(request: HttpRequest, reference: str) -> HttpResponse:
    """The victims of a case: entitlement, wish, and every update that is due, given or not wished."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    look(request, "case", case, tab="victims")
    return render(
        request,
        "victims/case.html",
        {
            "case": case,
            "tab": "victims",
            "victims": victims_of(case),
            "may": request.user.has_perm("victims.work", case),
        },
    )


def _step(request: HttpRequest, case: Any, form: forms.Form, title: str, **more: Any) -> HttpResponse:
    look(request, "case", case, tab="victims")
    context = {
        "title": title,
        "caption": f"{case.reference} {case.title}",
        "form": form,
        "cancel_url": reverse("victims:case_victims", args=[case.reference]),
        **more,
    }
    return render(request, "form_page.html", context)


def _back(case: Any) -> HttpResponse:
    return redirect("victims:case_victims", reference=case.reference)


@page("victims.work", looks="case", methods=("GET", "POST"))
def add(request: HttpRequest, reference: str) -> HttpResponse:
    """Record a victim with what they are entitled to."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    require(request.user, "victims.work", case)
    form = VictimForm(posted(request), case=case)
    if request.method == "POST":
        made = attempt(form, lambda: record_victim(request.user, case, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made.reference} is recorded. They are told of everything that happens next.")
            return _back(case)
    intro = "The people of the case who are no suspects, and its children. Who is missing is added to the case first."
    return _step(request, case, form, "Record a victim", intro=intro, button="Record")


def _victim(request: HttpRequest, reference: str) -> Victim:
    found: Victim = Victim.objects.select_related("case__unit", "person").get_visible(request.user, reference)
    require(request.user, "victims.work", found.case)
    return found


@page("victims.work", looks="case", methods=("GET", "POST"))
def entitlement(request: HttpRequest, reference: str) -> HttpResponse:
    """Set the entitlement with its reason."""
    victim = _victim(request, reference)
    form = EntitlementForm(posted(request), initial={"entitlement": victim.entitlement, "reason": victim.reason})
    if request.method == "POST":
        made = attempt(form, lambda: set_entitlement(request.user, victim, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made.reference}: {made.get_entitlement_display().lower()}.")
            return _back(victim.case)
    intro = "Enhanced rights make updates that are due fall due earlier. Standard rights move nothing back."
    return _step(request, victim.case, form, f"Rights of {victim.reference}", intro=intro, button="Record")


@page("victims.work", looks="case", methods=("GET", "POST"))
def wish(request: HttpRequest, reference: str) -> HttpResponse:
    """Record that a victim does not wish updates, or wishes them again."""
    victim = _victim(request, reference)
    form = WishForm(posted(request))
    updates = victim.no_updates_since is not None
    if request.method == "POST":
        made = attempt(
            form, lambda: record_wish(request.user, victim, updates=updates, since=form.cleaned_data["since"])
        )
        if made is not None:
            messages.success(request, f"{made.reference}: {'updates are wished' if updates else 'no updates'}.")
            return _back(victim.case)
    title = f"{victim.reference} wishes updates again" if updates else f"{victim.reference} does not wish updates"
    intro = (
        "They are told of everything that happens from now on."
        if updates
        else "You record this by name. What is due now is not given; nothing more falls due until they wish it again."
    )
    return _step(request, victim.case, form, title, intro=intro, button="Record", destructive=not updates)


@page("victims.work", looks="case", methods=("GET", "POST"))
def told(request: HttpRequest, reference: str) -> HttpResponse:
    """Record that the victim was told: how, when, by you."""
    row = VictimUpdate.objects.select_related("case__unit", "victim").get_visible(request.user, reference)
    require(request.user, "victims.work", row.case)
    form = ToldForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: record_told(request.user, row, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{row.victim.reference}: told of {row.title.lower()}.")
            return _back(row.case)
    intro = [
        f"{row.title}, {timezone.localtime(row.happened_at):%d %b %Y %H:%M}.",
        "Only how and when is kept here. What was said stays in your own record of the conversation.",
    ]
    return _step(request, row.case, form, f"{row.victim.reference} was told", intro=intro, button="Record")
