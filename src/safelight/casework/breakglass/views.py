"""Asking for break-glass access, the list of those that run and those that wait for review, and the review."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from safelight.casework.accounts.fresh import freshly_signed_in
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.permissions import permissions
from safelight.casework.base.policy import look, page, require
from safelight.casework.breakglass import queries, services
from safelight.casework.breakglass.forms import AskForm, ReviewForm
from safelight.casework.breakglass.models import Opening
from safelight.errors import CaseworkError

RECENT = 50


def _find(request: HttpRequest, reference: str) -> Opening:
    rows = Opening.objects.select_related("user", "case", "ended_by", "reviewed_by")
    return rows.get_visible(request.user, reference)  # type: ignore[no-any-return]


@page("breakglass.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Those that run, those that wait for review, and those reviewed last."""
    rows = Opening.objects.visible_to(request.user).select_related("user", "case", "reviewed_by")
    now = timezone.now()
    running = list(rows.running(now).order_by("until")[:RECENT])
    waiting = list(rows.over(now).unreviewed().order_by("review_due_at")[:RECENT])
    done = list(rows.exclude(reviewed_at=None).order_by("-reviewed_at")[:RECENT])
    shown = [*running, *waiting, *done]
    look(request, "list", None, list="break-glass accesses", shown=[row.reference for row in shown])
    return render(
        request,
        "breakglass/index.html",
        {
            "parts": [
                ("Running now", running, "Nobody has broken the glass."),
                ("Awaiting review", waiting, "Nothing waits for review."),
                ("Reviewed", done, "None has been reviewed."),
            ],
            "named": queries.named_to(request.user, shown),
            "may_ask": request.user.has_perm("breakglass.ask"),
            "reviews": request.user.role in permissions().break_glass.reviewers,
            "now": now,
            "most": RECENT,
        },
    )


@page("breakglass.ask", methods=("GET", "POST"))
@freshly_signed_in
def ask(request: HttpRequest) -> HttpResponse:
    """Break the glass. An attempt that opens nothing leaves an entry too."""
    form = AskForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: services.break_glass(request.user, **form.cleaned_data))
        if made is not None:
            messages.warning(request, f"{made.case.reference} is open to you. Every look is recorded and reviewed.")
            return redirect("cases:detail", reference=made.case.reference)
        if "reference" in form.errors and form.cleaned_data.get("reference") is None and request.POST.get("reference"):
            services.note_refusal(request.user, request.POST["reference"])
    context = {
        "title": "Break the glass",
        "form": form,
        "intro": [
            "For a case that you may not see, when a child cannot wait for whoever may. You read it as your role reads "
            "cases; what you may do in it is what your role may do.",
            "The supervisors of the case and the chief officers are told at once, by name. Each look is recorded. "
            "Afterwards somebody else reviews whether it was justified.",
        ],
        "button": "Break the glass",
        "destructive": True,
        "cancel_url": reverse("breakglass:index"),
    }
    return render(request, "form_page.html", context)


@page("breakglass.view", looks="break_glass")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """One access: why, until when, what was looked at, and what the review said."""
    row = _find(request, reference)
    look(request, "break_glass", row)
    sees_case = row.case_id in queries.named_to(request.user, [row])
    return render(
        request,
        "breakglass/detail.html",
        {
            "row": row,
            "sees_case": sees_case,
            "looks": queries.looks_of(row, named=sees_case or row.user_id == request.user.pk),
            "may_end": row.running
            and (row.user_id == request.user.pk or request.user.has_perm("breakglass.review", row)),
            "may_review": not row.running
            and row.reviewed_at is None
            and request.user.has_perm("breakglass.review", row),
        },
    )


@page("breakglass.view", methods=("POST",))
def end(request: HttpRequest, reference: str) -> HttpResponse:
    """End an access before its time."""
    row = _find(request, reference)
    if row.user_id != request.user.pk:
        require(request.user, "breakglass.review", row)
    try:
        services.end(request.user, row)
    except CaseworkError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{row.reference} has ended. The case is closed again.")
    return redirect("breakglass:detail", reference=row.reference)


@page("breakglass.review", looks="break_glass", methods=("GET", "POST"))
def review(request: HttpRequest, reference: str) -> HttpResponse:
    """Say whether it was justified."""
    row = _find(request, reference)
    require(request.user, "breakglass.review", row)
    look(request, "break_glass", row)
    form = ReviewForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: services.review(request.user, row, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"Reviewed: {made.get_verdict_display().lower()}.")
            return redirect("breakglass:detail", reference=row.reference)
    sees_case = row.case_id in queries.named_to(request.user, [row])
    context = {
        "title": f"Review the break-glass access of {row.user}",
        "caption": row.reference,
        "row": row,
        "sees_case": sees_case,
        "looks": queries.looks_of(row, named=sees_case),
        "form": form,
        "button": "Record the review",
        "cancel_url": reverse("breakglass:detail", kwargs={"reference": row.reference}),
    }
    return render(request, "breakglass/review.html", context)
