"""Pages that change an offender: each is one form and one service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.offenders import children, forms, notifying, services, visiting
from safelight.casework.offenders.models import Duty, Offender
from safelight.casework.offenders.visiting import DECIDE, failed_limit

BOTH = ("GET", "POST")
Act = Callable[[Any, Any, dict[str, Any]], Any]


def _step(
    request: HttpRequest,
    reference: str,
    form: Callable[[Any, Any], django_forms.Form],
    act: Act,
    *,
    title: str,
    button: str,
    said: str,
    rule: str = "offenders.manage",
    intro: Any = "",
    destructive: bool = False,
) -> HttpResponse:
    """One form about one offender: shown, checked, done, said."""
    rows = Offender.objects.select_related("person", "unit", "manager")
    offender = rows.get_visible(request.user, reference)
    require(request.user, rule, offender)
    look(request, "offender", offender)
    filled = form(posted(request), offender)
    back = reverse("offenders:detail", args=[offender.reference])
    if request.method == "POST":
        made = attempt(filled, lambda: act(request.user, offender, filled.cleaned_data))
        if made is not None:
            messages.success(request, said)
            return redirect(back)
    context = {
        "title": title, "caption": f"{offender.reference} {offender.person.name}", "form": filled, "button": button,
        "cancel_url": back, "intro": intro, "destructive": destructive,
    }  # fmt: skip
    return render(request, "form_page.html", context)


@page("offenders.manage", methods=BOTH)
def new(request: HttpRequest) -> HttpResponse:
    """Put a person on the register of one's own unit."""
    form = forms.RegisterForm(posted(request), managers=forms.managers_of(request.user.unit_id))
    if request.method == "POST":

        def act() -> Offender:
            made = services.register(request.user, unit=request.user.unit, **form.arguments())
            return _placed(request.user, made, form.cleaned_data)

        made = attempt(form, act)
        if made is not None:
            messages.success(request, f"{made.reference} is on the register. Now set the plan: how often to visit.")
            return redirect("offenders:plan", reference=made.reference)
    context = {
        "title": "Put on the register",
        "form": form,
        "button": "Register",
        "cancel_url": reverse("offenders:index"),
    }
    return render(request, "form_page.html", context)


def _placed(actor: Any, row: Offender, data: dict[str, Any]) -> Offender:
    if data["latitude"] is None and data["longitude"] is None:
        return row
    return services.change_entry(
        actor, row, register_reference=row.register_reference, aliases=row.aliases, has_home=row.has_home,
        until=row.until, latitude=data["latitude"], longitude=data["longitude"],
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def entry(request: HttpRequest, reference: str) -> HttpResponse:
    """Change the entry."""

    def make(data: Any, one: Offender) -> django_forms.Form:
        start = {
            "register_reference": one.register_reference, "aliases": "\n".join(one.aliases), "until": one.until,
            "has_home": one.has_home, "latitude": one.latitude, "longitude": one.longitude,
        }  # fmt: skip
        return forms.EntryForm(data, initial=start)

    return _step(request, reference, make, lambda user, one, data: services.change_entry(user, one, **data),
                 title="Change the entry", button="Save", said="The entry is saved.")  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def manager(request: HttpRequest, reference: str) -> HttpResponse:
    """Give the offender to an officer."""
    return _step(
        request, reference,
        lambda data, one: forms.ManagerForm(data, managers=forms.managers_of(one.unit_id)),
        lambda user, one, data: services.assign(user, one, **data),
        title="Give to an offender manager", button="Give",
        said="Given. The open clocks are theirs, and they are told.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def risk(request: HttpRequest, reference: str) -> HttpResponse:
    """Record an assessed level."""
    return _step(
        request, reference, lambda data, one: forms.RiskForm(data),
        lambda user, one, data: services.record_risk(user, one, **data),
        title="Record the risk level", button="Record", said="The level is recorded. Does the plan still fit?",
        intro="The level does not set how often to visit: the plan of this offender does.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def plan(request: HttpRequest, reference: str) -> HttpResponse:
    """Set the plan."""

    def make(data: Any, one: Offender) -> django_forms.Form:
        last = one.plans.order_by("-id").first()
        names = ("every", "every_unit", "minutes", "actions")
        return forms.PlanForm(data, initial={name: getattr(last, name) for name in names} if last else None)

    return _step(request, reference, make, lambda user, one, data: services.set_plan(user, one, **data),
                 title="Risk management plan", button="Set the plan", said="The plan is set.",
                 intro="Set for each offender since June 2017, not by category: no number is offered.")  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def visit(request: HttpRequest, reference: str) -> HttpResponse:
    """Record a visit."""
    return _step(
        request, reference, lambda data, one: forms.VisitForm(data, officers=forms.officers_of(one.unit_id)),
        lambda user, one, data: visiting.record_visit(user, one, **data),
        title="Record a visit", button="Record", said="The visit is recorded.",
        intro="Record failed visits too: only one in which the offender was seen moves the clock.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def notification(request: HttpRequest, reference: str) -> HttpResponse:
    """Record what the offender notified."""
    return _step(
        request, reference, lambda data, one: forms.NotificationForm(data),
        lambda user, one, data: notifying.record_notification(user, one, **data),
        title="Record a notification", button="Record", said="The notification is recorded.",
        intro="Is it about a household with a child? Then record the child first: “A child in the household”.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def event(request: HttpRequest, reference: str) -> HttpResponse:
    """Record a change that the offender must notify."""
    return _step(
        request, reference, lambda data, one: forms.EventForm(data),
        lambda user, one, data: notifying.record_event(user, one, **data),
        title="A change that must be notified", button="Record", said="Recorded. The clock of three days runs.",
        intro="For what you learn otherwise. The offender has three days beginning with the day it happened.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def child(request: HttpRequest, reference: str) -> HttpResponse:
    """Record a stay in a household with a child: the child comes first."""
    held: list[forms.ChildForm] = []

    def make(data: Any, one: Offender) -> django_forms.Form:
        held.append(forms.ChildForm(data))
        return held[0]

    def act(user: Any, one: Offender, data: dict[str, Any]) -> Any:
        return children.record_child_in_household(
            user,
            one,
            stayed_on=data["stayed_on"],
            what=data["what"],
            borough=data["borough"],
            children=held[0].children(),
        )

    return _step(
        request, reference, make, act, title="A child in the household", button="Record the children at risk",
        said="Each child is recorded as at risk, and the clock to tell social care runs. The desk has the referral.",
        intro="Each child is at risk at once, whatever the offender has notified. The referral goes to the desk now.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def away(request: HttpRequest, reference: str) -> HttpResponse:
    """Custody, hospital, abroad."""
    return _step(
        request, reference, lambda data, one: forms.AwayForm(data),
        lambda user, one, data: services.record_away(user, one, **data),
        title="Custody, hospital or abroad", button="Record",
        said="Recorded. What cannot be done meanwhile rests until the return.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def back(request: HttpRequest, reference: str) -> HttpResponse:
    """Release or return."""
    return _step(
        request, reference, lambda data, one: forms.BackForm(data),
        lambda user, one, data: services.record_back(user, one, **data),
        title="Release or return", button="Record", said="Recorded. What rested runs on.",
        intro="Release from custody and return from abroad are notified within three days beginning with that day.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def mappa(request: HttpRequest, reference: str) -> HttpResponse:
    """MAPPA category and level."""
    return _step(
        request, reference,
        lambda data, one: forms.MappaForm(data, initial={"category": one.mappa_category, "level": one.mappa_level}),
        lambda user, one, data: services.record_mappa(user, one, **data),
        title="MAPPA", button="Record", said="Recorded. Levels 2 and 3 have a date for review.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def intelligence(request: HttpRequest, reference: str) -> HttpResponse:
    """Intelligence: ends reactive management."""
    return _step(
        request, reference, lambda data, one: forms.TextForm(data),
        lambda user, one, data: services.record_intelligence(user, one, **data),
        title="Record intelligence", button="Record", said="Recorded.",
        intro="Under reactive management any intelligence brings the offender back to active management at once.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def note(request: HttpRequest, reference: str) -> HttpResponse:
    """A note."""
    return _step(request, reference, lambda data, one: forms.TextForm(data),
                 lambda user, one, data: services.add_note(user, one, **data),
                 title="Add a note", button="Add", said="Added.")  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def breach(request: HttpRequest, reference: str) -> HttpResponse:
    """An established breach."""
    return _step(
        request, reference, lambda data, one: forms.TextForm(data),
        lambda user, one, data: services.record_breach(user, one, **data),
        title="Record a breach", button="Record",
        said="Recorded. It goes to local and national systems within 24 hours.",
    )  # fmt: skip


@page("offenders.manage", looks="offender", methods=BOTH)
def happened(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """A change announced in advance took place."""
    duty = Duty.objects.filter(pk=pk, offender=Offender.objects.get_visible(request.user, reference)).first()
    if duty is None:
        raise Http404("There is no such announcement of this offender.")

    def act(user: Any, one: Offender, data: dict[str, Any]) -> Any:
        return notifying.announced_change_happened(user, duty, on=data["on"])

    return _step(
        request, reference, lambda data, one: forms.HappenedForm(data), act, title="The announced change took place",
        button="Record", said="Recorded.", intro="More than two days early, it needs a fresh notice (section 84(3)).",
    )  # fmt: skip


@page("offenders.approve", looks="offender", methods=BOTH)
def reactive(request: HttpRequest, reference: str) -> HttpResponse:
    """A supervisor approves reactive management."""
    return _step(
        request, reference, lambda data, one: forms.ReviewForm(data),
        lambda user, one, data: services.approve_reactive(user, one, **data), rule="offenders.approve",
        title="Approve reactive management", button="Approve", said="Approved. Every notification stays due.",
        intro="Low risk for three years without a break, and reviewed. No more home visits; every notification stays; "
        "any intelligence brings active management back.",
    )  # fmt: skip


@page("offenders.approve", looks="offender", methods=BOTH)
def decide(request: HttpRequest, reference: str) -> HttpResponse:
    """A supervisor decides after failed visits."""
    limit = failed_limit(DECIDE)
    return _step(
        request, reference, lambda data, one: forms.DecisionForm(data),
        lambda user, one, data: visiting.decide_on_failed_visits(user, one, **data), rule="offenders.approve",
        title="Decide after failed visits", button="Record the decision", said="The decision is recorded.",
        intro=f"After {limit} failed visits in a row a supervisor says if arrest or a warrant follows, and why not.",
    )  # fmt: skip


@page("offenders.approve", looks="offender", methods=BOTH)
def end(request: HttpRequest, reference: str) -> HttpResponse:
    """Off the register."""
    return _step(
        request, reference, lambda data, one: forms.EndForm(data),
        lambda user, one, data: services.take_off(user, one, **data), rule="offenders.approve",
        title="Take off the register", button="Take off the register", said="Off the register. The record is kept.",
        intro="Every clock of this offender ends. The record stays, and can be read.", destructive=True,
    )  # fmt: skip
