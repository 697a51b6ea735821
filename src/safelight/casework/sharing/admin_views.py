"""Agencies and the partner accounts that belong to them, for the administrator. No case content."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.sharing.forms import AgencyForm, JoinForm
from safelight.casework.sharing.models import Agency, Membership
from safelight.casework.sharing.services import create_agency, join


@page("sharing.agencies", looks="list")
def agencies(request: HttpRequest) -> HttpResponse:
    """Every agency with the accounts that belong to it now."""
    live = Membership.objects.filter(until=None).select_related("user").order_by("user__name")
    rows = list(Agency.objects.prefetch_related(Prefetch("members", queryset=live, to_attr="live")))
    look(request, "list", None, list="agencies", shown=[row.name for row in rows])
    return render(request, "sharing/agencies.html", {"agencies": rows})


@page("sharing.agencies", methods=("GET", "POST"))
def new_agency(request: HttpRequest) -> HttpResponse:
    """A new agency."""
    form = AgencyForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: create_agency(request.user, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made} is recorded.")
            return redirect("sharing:agencies")
    context = {"title": "Record an agency", "form": form, "button": "Record it"}
    return render(request, "form_page.html", {**context, "cancel_url": reverse("sharing:agencies")})


@page("sharing.agencies", methods=("GET", "POST"))
def member(request: HttpRequest) -> HttpResponse:
    """Give a partner's account to an agency."""
    form = JoinForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: join(request.user, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made.user} belongs to {made.agency}.")
            return redirect("sharing:agencies")
    context = {
        "title": "Give a partner's account to an agency",
        "form": form,
        "button": "Give it",
        "intro": "The account sees what is shared with that agency from then on, and no longer what another one has.",
    }
    return render(request, "form_page.html", {**context, "cancel_url": reverse("sharing:agencies")})
