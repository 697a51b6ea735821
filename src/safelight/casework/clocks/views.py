"""The list of open clocks, and holds."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.base.standards import standards
from safelight.casework.cases.queries import live_contact_count
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import clock_page, has_clocks_without_time, view_of
from safelight.casework.clocks.services import lift_hold, longest_hold_hours, place_hold

STATES = {
    "breached": "Past their time",
    "running": "Still running",
    "paused": "Paused",
    "not_set": "No time set by the force",
}


@page("clocks.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Filters in the address: ``?state=breached&area=safeguarding&mine=1&after=...``."""
    areas = {rule.area: rule.area.replace("_", " ").capitalize() for rule in standards().clocks.values()}
    state = request.GET.get("state", "") if request.GET.get("state", "") in STATES else ""
    area = request.GET.get("area", "") if request.GET.get("area", "") in areas else ""
    mine = request.GET.get("mine") == "1"
    chosen = {name: value for name, value in (("state", state), ("area", area), ("mine", "1" if mine else "")) if value}
    found = clock_page(request.user, state=state, area=area, mine=mine, after=request.GET.get("after", ""))
    shown = [view.clock.subject_label for view in found.rows]
    look(request, "list", None, list="clocks", filters=chosen, shown=shown)
    return render(
        request,
        "clocks/index.html",
        {
            "clocks": found.rows,
            "states": STATES,
            "areas": areas,
            "picked": {"state": state, "area": area, "mine": mine},
            "filtered": bool(chosen),
            "live": live_contact_count(request.user),
            "without_time": state != "not_set" and has_clocks_without_time(request.user),
            "pages": {
                "previous_url": f"?{urlencode(chosen)}" if request.GET.get("after") else "",
                "next_url": f"?{urlencode({**chosen, 'after': found.after})}" if found.after else "",
            },
        },
    )


class HoldForm(forms.Form):
    """Why a clock will be late, and until when that holds."""

    reason = forms.CharField(label="Reason", widget=forms.Textarea, max_length=2_000)
    hours = forms.IntegerField(label="For how many hours")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        longest = longest_hold_hours()
        self.fields["hours"] = forms.IntegerField(
            label="For how many hours", min_value=1, max_value=longest, help_text=f"1 to {longest}"
        )


class LiftForm(forms.Form):
    """Nothing to fill in; one step to confirm."""


def _clock(request: HttpRequest, pk: int) -> Clock:
    clock = Clock.objects.visible_to(request.user).select_related("case", "referral").filter(pk=pk).first()
    if clock is None:
        raise Http404("There is no clock with this number that you may see.")
    require(request.user, "clocks.hold", clock)
    return clock


def _step(request: HttpRequest, clock: Clock, form: forms.Form, title: str, **more: Any) -> HttpResponse:
    if clock.case:
        look(request, "case", clock.case)
    elif clock.referral:
        look(request, "referral", clock.referral)
    return render(
        request,
        "clocks/step.html",
        {
            "title": title,
            "caption": clock.subject_label,
            "form": form,
            "clock": view_of(clock),
            "cancel_url": _back(clock),
            "destructive": True,
            **more,
        },
    )


def _back(clock: Clock) -> str:
    if clock.case:
        return reverse("cases:clocks", kwargs={"reference": clock.case.reference})
    return reverse("clocks:index")


@page("clocks.hold", methods=("GET", "POST"))
def hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Place a hold: named, reasoned, at most 24 hours. The clock runs on."""
    clock = _clock(request, pk)
    form = HoldForm(posted(request))
    if request.method == "POST":
        made = attempt(
            form,
            lambda: place_hold(
                request.user, clock, reason=form.cleaned_data["reason"], hours=form.cleaned_data["hours"]
            ),
        )
        if made is not None:
            messages.warning(request, f"{clock.title}: on hold for {made.hours} hours. The clock runs on.")
            return redirect(_back(clock))
    intro = "You place this hold by name. It explains the delay and ends by itself; it stops no clock."
    return _step(request, clock, form, "Place a hold", intro=intro, button="Place the hold")


@page("clocks.hold", methods=("GET", "POST"))
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """End a hold before it expires."""
    clock = _clock(request, pk)
    live = clock.holds.filter(lifted_at=None).first()
    if live is None or not live.is_live():
        messages.info(request, f"{clock.title} is not on hold.")
        return redirect(_back(clock))
    form = LiftForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: lift_hold(request.user, live))
        if made is not None:
            messages.success(request, f"{clock.title}: the hold is lifted.")
            return redirect(_back(clock))
    return _step(request, clock, form, "Lift the hold", intro=f"Held because: {live.reason}", button="Lift the hold")
