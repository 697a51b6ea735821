"""Pages of retention: what is due, one case, and the steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.cases.models import Case
from safelight.casework.retention import queries, services
from safelight.casework.retention.forms import DecideForm, GroupForm, HoldForm, LiftForm, SettleForm
from safelight.casework.retention.models import Decision, Hold


@page("retention.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """What is due for review, what waits for approval, and what holds erasure."""
    due, waiting, holds = (ask(request.user) for ask in (queries.due, queries.waiting, queries.holds))
    look(request, "list", None, list="retention", shown=[row.reference for row in due])
    context = {
        "due": due,
        "waiting": waiting,
        "holds": holds,
        "may_hold_all": request.user.has_perm("retention.hold_all"),
        "may_lift": request.user.has_perm("retention.lift"),
        "most": queries.MOST,
    }
    return render(request, "retention/index.html", context)


def _case(request: HttpRequest, reference: str) -> Case:
    return Case.objects.select_related("unit").get_visible(request.user, reference)  # type: ignore[no-any-return]


@page("retention.view", looks="retention")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """How long one case is kept."""
    case = _case(request, reference)
    look(request, "retention", case)
    decisions = case.retention_decisions.select_related("proposed_by", "approved_by", "erasure").order_by("-pk")
    context = {
        "case": case,
        "schedule": getattr(case, "retention", None),
        "decisions": list(decisions),
        "holds": case.retention_holds.select_related("placed_by", "lifted_by").order_by("-pk"),
        "stopped": queries.hold_on(case),
        "may": {step: request.user.has_perm(f"retention.{step}", case) for step in ("propose", "hold")},
        "may_lift": request.user.has_perm("retention.lift"),
    }
    return render(request, "retention/detail.html", context)


def _step(
    request: HttpRequest,
    form: forms.Form,
    run: Callable[[], Any],
    *,
    title: str,
    intro: str,
    button: str,
    back: str,
    caption: str = "",
    subject: Any = None,
    destructive: bool = False,
) -> HttpResponse:
    """A form, and the service that it leads to."""
    if request.method == "POST":
        if attempt(form, run) is not None:
            messages.success(request, "Recorded.")
            return redirect(back)
    elif subject is not None:
        look(request, "retention", subject)
    context = {"title": title, "caption": caption, "form": form, "intro": [intro], "button": button,
               "cancel_url": back, "destructive": destructive}  # fmt: skip
    return render(request, "form_page.html", context)


def _of_case(
    request: HttpRequest, reference: str, rule: str, make: type[forms.Form], service: Callable[..., Any], **said: Any
) -> HttpResponse:
    case = _case(request, reference)
    require(request.user, rule, case)
    form = make(posted(request))
    return _step(
        request,
        form,
        lambda: service(request.user, case, **form.cleaned_data),
        back=reverse("retention:detail", args=[case.reference]),
        caption=case.reference,
        subject=case,
        **said,
    )


@page("retention.propose", looks="retention", methods=("GET", "POST"))
def group(request: HttpRequest, reference: str) -> HttpResponse:
    """Set the review group."""
    intro = "The group decides when the case is first reviewed, counted from the day on which it was closed."
    return _of_case(request, reference, "retention.propose", GroupForm, services.set_group,
                    title="Review group", intro=intro, button="Set the group")  # fmt: skip


@page("retention.propose", looks="retention", methods=("GET", "POST"))
def decide(request: HttpRequest, reference: str) -> HttpResponse:
    """Propose to keep or erase."""
    intro = "A chief officer approves it, never the person who proposes. What is erased cannot be brought back."
    return _of_case(request, reference, "retention.propose", DecideForm, services.propose,
                    title="Keep or erase?", intro=intro, button="Propose")  # fmt: skip


@page("retention.hold", looks="retention", methods=("GET", "POST"))
def hold(request: HttpRequest, reference: str) -> HttpResponse:
    """Hold the erasure of a case."""
    intro = "Nothing of this case is erased until a chief officer lifts the hold."
    return _of_case(request, reference, "retention.hold", HoldForm, services.place_hold,
                    title="Hold erasure", intro=intro, button="Place the hold")  # fmt: skip


@page("retention.hold_all", methods=("GET", "POST"))
def hold_all(request: HttpRequest) -> HttpResponse:
    """Hold every erasure."""
    form = HoldForm(posted(request))
    return _step(
        request,
        form,
        lambda: services.place_hold(request.user, None, **form.cleaned_data),
        title="Hold every erasure",
        intro="Nothing of any case is erased until the hold is lifted: for an inquiry's moratorium.",
        button="Hold every erasure",
        back=reverse("retention:index"),
    )


@page("retention.lift", looks="retention", methods=("GET", "POST"))
def lift(request: HttpRequest, reference: str) -> HttpResponse:
    """Lift a hold."""
    row: Hold = Hold.objects.select_related("case").get_visible(request.user, reference)
    form = LiftForm(posted(request))
    return _step(
        request,
        form,
        lambda: services.lift_hold(request.user, row, **form.cleaned_data),
        title="Lift the hold",
        intro=f"{row.get_kind_display()}: {row.reason}",
        button="Lift the hold",
        back=reverse("retention:index"),
        caption=row.reference,
        subject=row,
        destructive=True,
    )


@page("retention.approve", looks="retention", methods=("GET", "POST"))
def settle(request: HttpRequest, reference: str) -> HttpResponse:
    """Approve or refuse a proposal."""
    row: Decision = Decision.objects.select_related("case", "proposed_by").get_visible(request.user, reference)
    require(request.user, "retention.approve", row)
    form = SettleForm(posted(request))
    until = f" until {row.keep_until:%d %B %Y}" if row.keep_until else ""
    return _step(
        request,
        form,
        lambda: services.settle(request.user, row, approve=form.cleaned_data["approve"] == "yes"),
        title=f"{row.get_outcome_display()} {row.case.reference}{until}?",
        intro=f"{row.proposed_by} proposes it: {row.reason}",
        button="Answer",
        back=reverse("retention:detail", args=[row.case.reference]),
        caption=row.reference,
        subject=row,
        destructive=row.outcome == Decision.Outcome.ERASE,
    )
