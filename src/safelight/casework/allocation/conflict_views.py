"""Conflicts of interest: one's own, and for supervisors those of the unit."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.accounts.models import User
from safelight.casework.allocation.conflicts import declare, end_conflict
from safelight.casework.allocation.forms import ConflictForm
from safelight.casework.allocation.models import Conflict
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.cases.models import Case
from safelight.casework.people.models import Person

MOST = 200


def _what(row: Conflict, cases: set[int], people: set[int], user: Any) -> str:
    """The reference, for whoever typed it and those who see the record."""
    if row.declared_by_id == user.pk or (row.case_id in cases) or (row.person_id in people):
        return str((row.case or row.person).reference)  # type: ignore[union-attr]
    return "A case" if row.case_id else "A person"


@page("allocation.declare", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Live conflicts first, then those that ended."""
    found = list(
        Conflict.objects.visible_to(request.user)
        .select_related("user", "case", "person", "declared_by", "ended_by")
        .order_by("ended_at", "-declared_at")[:MOST]
    )
    found.sort(key=lambda row: row.ended_at is not None)
    mine = Case.objects.visible_to(request.user).filter(pk__in=[row.case_id for row in found if row.case_id])
    seen = Person.objects.visible_to(request.user).filter(pk__in=[row.person_id for row in found if row.person_id])
    cases, people = set(mine.values_list("pk", flat=True)), set(seen.values_list("pk", flat=True))
    look(request, "list", None, list="conflicts of interest", shown=[row.pk for row in found])
    rows = [(row, _what(row, cases, people, request.user)) for row in found]
    reads = request.user.role == "supervisor"
    return render(request, "allocation/conflicts.html", {"rows": rows, "reads": reads, "most": MOST})


@page("allocation.declare", methods=("GET", "POST"))
def new(request: HttpRequest) -> HttpResponse:
    """Declare a conflict: one's own, or as a supervisor that of somebody of the unit."""
    people: Any = None
    if request.user.role == "supervisor":
        people = User.objects.filter(is_active=True, unit=request.user.unit).order_by("name")
    form = ConflictForm(posted(request), people=people)
    if request.method == "POST":

        def step() -> Conflict:
            data = form.cleaned_data
            user = data.get("user") or request.user
            return declare(request.user, user=user, reference=data["reference"], reason=data["reason"])

        made = attempt(form, step)
        if made is not None:
            messages.success(request, f"Declared. {made.user} is not given such a case and does not see it.")
            return redirect("allocation:conflicts")
    context = {
        "title": "Declare a conflict of interest",
        "form": form,
        "intro": "From then on nobody gives the officer such a case, and they do not see it. A case that they have now "
        "shows at once for handing over.",
        "button": "Declare",
        "cancel_url": reverse("allocation:conflicts"),
    }
    return render(request, "form_page.html", context)


class EndConflictForm(forms.Form):
    """Why there is no conflict any more."""

    reason = forms.CharField(label="Why there is no conflict any more", widget=forms.Textarea, max_length=300)


@page("allocation.hand_over", looks="list", methods=("GET", "POST"))
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a conflict of somebody of the unit."""
    row = Conflict.objects.visible_to(request.user).filter(pk=pk, ended_at=None).select_related("user").first()
    if row is None or row.user_id == request.user.pk:
        raise Http404("There is no live conflict here that you may end.")
    look(request, "list", None, list="conflict of interest", shown=[row.pk])
    form = EndConflictForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: end_conflict(request.user, row, reason=form.cleaned_data["reason"]))
        if made is not None:
            messages.success(request, f"The conflict of {made.user} has ended.")
            return redirect("allocation:conflicts")
    context = {
        "title": f"End a conflict of interest of {row.user}",
        "form": form,
        "intro": "The case or person is open to them again as their role and unit allow.",
        "button": "End the conflict",
        "destructive": True,
        "cancel_url": reverse("allocation:conflicts"),
    }
    return render(request, "form_page.html", context)
