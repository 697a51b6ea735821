"""The page of one colleague: hours, leave, postings, accreditations. And one's own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.workforce import time_and_place as services
from safelight.casework.workforce.models import Absence, Period, Posting, Reduction
from safelight.casework.workforce.queries import colleague
from safelight.casework.workforce.staff_forms import (
    AbsenceForm,
    CancelForm,
    EndForm,
    HoursForm,
    PostingForm,
    ReductionForm,
)
from safelight.casework.workforce.welfare import own

PLANS: dict[str, tuple[str, type[forms.Form], Any]] = {
    "absence": ("Record an absence", AbsenceForm, services.record_absence),
    "posting": ("Record a posting", PostingForm, services.record_posting),
    "hours": ("Record working hours", HoursForm, services.record_hours),
    "reduction": ("Record reduced hours", ReductionForm, services.record_reduction),
}
PERIODS: dict[str, type[Period]] = {"absence": Absence, "posting": Posting, "reduction": Reduction}


def _person(request: HttpRequest, username: str) -> Any:
    """The colleague (404 when not of the supervisor's unit), the look recorded."""
    person = User.objects.filter(username=username).select_related("unit").first()
    if person is None or not request.user.has_perm("workforce.plan", person):
        raise Http404("There is nobody of this name whom you answer for.")
    look(request, "staff", person, username=person.username)
    return person


@page("workforce.plan", looks="staff")
def staff(request: HttpRequest, username: str) -> HttpResponse:
    """One colleague, for the supervisor or the administrator."""
    person = _person(request, username)
    context = {"person": person, "shown": colleague(person), "plans": PLANS, "own": False}
    return render(request, "workforce/staff.html", context)


@page("workforce.own", looks="staff")
def me(request: HttpRequest) -> HttpResponse:
    """What the system holds about oneself."""
    look(request, "staff", request.user, username=request.user.username)
    context = {
        "person": request.user,
        "shown": colleague(request.user),
        "plans": {},
        "own": True,
        "exposure": own(request.user),
    }
    return render(request, "workforce/staff.html", context)


@page("workforce.plan", looks="staff", methods=("GET", "POST"))
def plan(request: HttpRequest, username: str, what: str) -> HttpResponse:
    """Record an absence, a posting, hours or a reduction of hours."""
    if what not in PLANS:
        raise Http404("There is no such form.")
    person = _person(request, username)
    require(request.user, "workforce.plan", person)
    title, form_class, service = PLANS[what]
    form = form_class(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: service(request.user, user=person, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"Recorded for {person}.")
            person.refresh_from_db()
            here = request.user.has_perm("workforce.plan", person)
            return redirect("workforce:staff", username=username) if here else redirect("workforce:index")
    context = {
        "title": title,
        "caption": person.name,
        "form": form,
        "button": "Record",
        "cancel_url": reverse("workforce:staff", args=[username]),
    }
    return render(request, "form_page.html", context)


@page("workforce.plan", looks="staff", methods=("GET", "POST"))
def period(request: HttpRequest, username: str, what: str, pk: int) -> HttpResponse:
    """Set the end of an absence, posting or reduction, or take it back (``?take=back``)."""
    person = _person(request, username)
    model = PERIODS.get(what)
    row: Any = model._default_manager.filter(user=person, pk=pk, cancelled_at=None).first() if model else None
    if row is None:
        raise Http404("There is no such row, or it was taken back.")
    back = request.GET.get("take") == "back"
    form: forms.Form = (
        CancelForm(posted(request)) if back else EndForm(posted(request), initial={"until_day": _end(row)})
    )
    if request.method == "POST":

        def step() -> Any:
            if back:
                return services.cancel_period(request.user, row, reason=form.cleaned_data["reason"])
            return services.end_period(request.user, row, until_day=form.cleaned_data["until_day"])

        made = attempt(form, step)
        if made is not None:
            messages.success(request, f"Recorded for {person}.")
            person.refresh_from_db()
            here = request.user.has_perm("workforce.plan", person)
            return redirect("workforce:staff", username=username) if here else redirect("workforce:index")
    kind = row._meta.verbose_name
    context = {
        "title": f"Take this {kind} back" if back else f"When this {kind} ends",
        "caption": person.name,
        "form": form,
        "button": "Take it back" if back else "Record",
        "destructive": back,
        "cancel_url": reverse("workforce:staff", args=[username]),
    }
    return render(request, "form_page.html", context)


def _end(row: Any) -> Any:
    return row.until_day or timezone.localdate()
