"""The supervisor's board and the review."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.base.standards import standards
from safelight.casework.cases.steps import case_for
from safelight.casework.clocks.queries import next_due
from safelight.casework.supervision.bars import bars
from safelight.casework.supervision.forms import ReviewForm
from safelight.casework.supervision.queries import board
from safelight.casework.supervision.services import record_review

MOST = 50


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
    return render(request, "supervision/board.html", {**context, "capacity": capacity})


@page("supervision.review", looks="case", methods=("GET", "POST"))
def review(request: HttpRequest, reference: str) -> HttpResponse:
    """The review form, beside the reviews before it."""
    case = case_for(request, reference, "supervision.review")
    form = ReviewForm(posted(request))
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
        },
    )
