"""Grading sessions, and welfare appointments: one's own figures, and for supervisors the state of each colleague."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.accounts.models import User
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.fields import DayField
from safelight.casework.base.policy import look, page
from safelight.casework.workforce.exposure import caps, end_session, record_appointment, start_session
from safelight.casework.workforce.models import Appointment
from safelight.casework.workforce.welfare import states
from safelight.errors import CaseworkError


@page("workforce.own", methods=("POST",))
def start(request: HttpRequest) -> HttpResponse:
    """Begin to grade."""
    try:
        start_session(request.user)
    except CaseworkError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Your session began. End it when you stop, also for a break.")
    return redirect("workforce:me")


@page("workforce.own", methods=("POST",))
def end(request: HttpRequest) -> HttpResponse:
    """Stop grading, for a break or for the day."""
    try:
        row = end_session(request.user)
    except CaseworkError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Your session ended after {row.minutes} minutes.")
    return redirect("workforce:me")


@page("workforce.welfare", looks="list")
def welfare(request: HttpRequest) -> HttpResponse:
    """Everybody of the unit who grades: limits kept, appointments held. State, no figures."""
    found = states(request.user.unit) if request.user.unit_id else []
    look(request, "list", None, list="welfare of those who grade", shown=[one.user.username for one in found])
    return render(request, "workforce/welfare.html", {"states": found, "caps": caps(), "unit": request.user.unit})


class AppointmentForm(forms.Form):
    """The day of an appointment and whether it was kept. Nothing about what was said."""

    held_on = DayField(label="Day of the appointment")
    outcome = forms.ChoiceField(
        label="Was it kept",
        choices=Appointment.Outcome.choices,
        widget=forms.RadioSelect,
        help_text="Nothing about what was said is recorded, here or anywhere in Safelight.",
    )


@page("workforce.welfare", looks="staff", methods=("GET", "POST"))
def appointment(request: HttpRequest, username: str) -> HttpResponse:
    """Record a welfare appointment of somebody of the unit."""
    person = User.objects.filter(username=username).select_related("unit").first()
    if person is None or not request.user.has_perm("workforce.welfare", person):
        raise Http404("There is nobody of this name whose supervisor you are.")
    look(request, "staff", person, username=person.username)
    form = AppointmentForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: record_appointment(request.user, user=person, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"Recorded for {person}.")
            return redirect("workforce:welfare")
    context = {
        "title": "Record a welfare appointment",
        "caption": person.name,
        "form": form,
        "button": "Record",
        "cancel_url": reverse("workforce:welfare"),
    }
    return render(request, "form_page.html", context)
