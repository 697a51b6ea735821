"""The contact check of a referral, and the children of a case."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look, page, require
from safelight.casework.cases.models import Case
from safelight.casework.referrals.models import Referral, State
from safelight.casework.safeguarding.forms import CheckForm
from safelight.casework.safeguarding.queries import (
    child_views,
    children_of,
    children_of_referral,
    in_motion,
    named_in_report,
    outstanding,
    says_yes,
    sent_views,
    unassessed_around,
)
from safelight.casework.safeguarding.services import answer_contact_check


@page("safeguarding.check", looks="contact_check", methods=("GET", "POST"))
def check(request: HttpRequest, reference: str) -> HttpResponse:
    """Step 1 of every referral: who lives with, sees or works with children."""
    referral = Referral.objects.select_related("case").get_visible(request.user, reference)
    require(request.user, "safeguarding.check", referral)
    look(request, "contact_check", referral)
    back = reverse("referrals:detail", args=[referral.reference])
    if referral.state == State.CLOSED:
        messages.info(request, f"{referral.reference} was closed without a case.")
        return redirect(back)
    held = getattr(referral, "contact_check", None)
    names = ("lives_with", "sees", "works_with", "basis")
    form = CheckForm(request.POST or None, initial={name: getattr(held, name) for name in names} if held else None)
    if request.method == "POST":
        made = attempt(
            form, lambda: answer_contact_check(request.user, referral, **{n: form.cleaned_data[n] for n in names})
        )
        if made is not None:
            if says_yes(made) and not referral.children.exists():
                messages.warning(
                    request, "A child is near the suspect. Name the children now: their clock starts with it."
                )
                return redirect("safeguarding:child_add", reference=referral.reference)
            if made.open_questions:
                messages.warning(request, "The answers are recorded. What is not known yet stays on the work list.")
            else:
                messages.success(request, "The answers are recorded.")
            return redirect(back)
    children = child_views(children_of_referral(referral))
    context = {
        "title": "Look for children",
        "caption": referral.reference,
        "form": form,
        "referral": referral,
        "suspects": list(referral.people.filter(role="suspect").select_related("person")),
        "children": children,
        "danger": any(view.child.immediate_danger for view in children),
        "unnamed": named_in_report(referral),
        "button": "Record the answers",
        "cancel_url": back,
    }
    return render(request, "safeguarding/check.html", context)


@page("safeguarding.view", looks="case")
def case_children(request: HttpRequest, reference: str) -> HttpResponse:
    """The tab 'Children' of a case: every child with contact, clock and hold, and what went to social care."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    look(request, "case", case, tab="children")
    children = child_views(children_of(case))
    refer = request.user.has_perm("safeguarding.refer", case)
    return render(
        request,
        "safeguarding/case_children.html",
        {
            "case": case,
            "tab": "children",
            "children": children,
            "sent": sent_views(case),
            "outstanding": outstanding(case) if case.status == "open" else [],
            "motion": in_motion(case, request.user),
            "unassessed": unassessed_around(case) if case.status == "open" else [],
            "danger": any(view.child.immediate_danger for view in children),
            "untold": [view for view in children if not view.sent],
            "referrals": list(case.referrals.select_related("contact_check").order_by("pk")),
            # A closed case takes no new child, but social care can be told of one who is recorded.
            "may": refer and case.status == "open",
            "may_refer": refer,
        },
    )
