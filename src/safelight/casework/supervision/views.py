"""The supervisor's morning, board and review, and the plan of a case."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.base.standards import standards
from safelight.casework.cases.chronology import KINDS, counts, unknown_codes
from safelight.casework.cases.steps import case_for, step_page
from safelight.casework.clocks.queries import next_due
from safelight.casework.supervision.actions import add_action, end_action, owners_for
from safelight.casework.supervision.bars import bars
from safelight.casework.supervision.forms import ActionForm, EndActionForm, ReviewForm
from safelight.casework.supervision.mornings import facts_of, morning
from safelight.casework.supervision.queries import board
from safelight.casework.supervision.services import record_review

MOST = 25


@page("supervision.board", looks="list")
def board_page(request: HttpRequest) -> HttpResponse:
    """What cannot wait comes first: live contact, children past their clock, cases without an investigator."""
    shown = board(request.user, most=MOST)
    references = {case.reference for case in (*shown.live_contact, *shown.unallocated)}
    references |= {drift.case.reference for drift in shown.drifting}
    for view in (*shown.children, *shown.reviews):
        references.add((view.clock.case or view.clock.referral).reference)
    look(request, "list", None, list="supervisor's board", shown=sorted(references))
    capacity = float(standards().policy["caseload_capacity_points"].value)
    context = {"board": shown, "unit": request.user.unit, "bars": bars(shown.loads, capacity), "most": MOST}
    counting = [kind.title for kind in KINDS.values() if counts(kind.code)]
    more = {"capacity": capacity, "counting": counting, "unknown": unknown_codes()}
    return render(request, "supervision/board.html", {**context, **more})


@page("supervision.review", looks="case", methods=("GET", "POST"))
def review(request: HttpRequest, reference: str) -> HttpResponse:
    """The review form, beside the reviews before it."""
    case = case_for(request, reference, "supervision.review")
    form = ReviewForm(posted(request), people=owners_for(case), initial={"owner": case.investigator})
    if request.method == "POST":
        made = attempt(form, lambda: record_review(request.user, case, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"Review of {case.reference} recorded.")
            return redirect("cases:detail", reference=case.reference)
    return render(
        request,
        "supervision/review.html",
        {
            "case": case,
            "title": "Review the case",
            "caption": f"{case.reference} {case.title}",
            "form": form,
            "button": "Record the review",
            "cancel_url": reverse("cases:detail", kwargs={"reference": case.reference}),
            "reviews": list(case.reviews.select_related("reviewer")[:5]),
            "clocks": next_due(case),
            "facts": facts_of(case),
            "actions": list(case.plan_actions.filter(state="open").select_related("owner")),
        },
    )


@page("supervision.board", looks="list")
def morning_page(request: HttpRequest) -> HttpResponse:
    """What is breached, what breaches today, who is overloaded, who waits: each line leads to where to act."""
    shown = morning(request.user)
    look(request, "list", None, list="supervisor's morning", shown=shown.references)
    return render(request, "supervision/morning.html", {"morning": shown, "unit": request.user.unit, "most": MOST})


@page("cases.view", looks="case", methods=("GET", "POST"))
def plan(request: HttpRequest, reference: str) -> HttpResponse:
    """The plan of a case: its actions, and for those who run the case the form that adds one."""
    case = case_for(request, reference, "cases.view")
    may = case.status == "open" and request.user.has_perm("supervision.plan", case)
    form = ActionForm(posted(request), people=owners_for(case)) if may else None
    if request.method == "POST":
        require(request.user, "supervision.plan", case)
        if form is None:
            raise Http404(f"{case.reference} is closed.")
        made = attempt(form, lambda: add_action(request.user, case, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"Added, for {made.owner}.")
            return redirect("supervision:plan", reference=case.reference)
    rows = list(case.plan_actions.select_related("owner", "added_by", "ended_by"))
    context = {
        "case": case,
        "tab": "plan",
        "form": form,
        "open": [row for row in rows if row.state == "open"],
        "ended": sorted((row for row in rows if row.state != "open"), key=lambda row: row.ended_at, reverse=True),
        "may_end": {row.pk for row in rows if case.status == "open" and (may or row.owner_id == request.user.pk)},
    }
    return render(request, "supervision/plan.html", context)


@page("cases.view", looks="case", methods=("GET", "POST"))
def action_end(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """Say that an action is done or cancelled."""
    case = case_for(request, reference, "cases.view")
    row = case.plan_actions.filter(pk=pk, state="open").select_related("owner").first()
    if row is None:
        raise Http404("There is no such action, or it has ended.")
    if row.owner_id != request.user.pk:
        require(request.user, "supervision.plan", case)
    form = EndActionForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: end_action(request.user, row, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"The action is {made.get_state_display().lower()}.")
            return redirect("supervision:plan", reference=case.reference)
    return step_page(
        request,
        case,
        form,
        "End an action of the plan",
        intro=f"{row.text} By {row.owner}, due {row.due_on.day} {row.due_on:%b %Y}.",
        button="Record",
        cancel_url=reverse("supervision:plan", kwargs={"reference": case.reference}),
    )
