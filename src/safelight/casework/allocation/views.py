"""Giving a case to an investigator: the suggestion with one click, or another person with a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.accounts.models import User
from safelight.casework.allocation.forms import AllocateForm
from safelight.casework.allocation.handing_over import code_for
from safelight.casework.allocation.queries import may_take, suggest
from safelight.casework.allocation.reasons import REASONS
from safelight.casework.allocation.services import allocate, end_allocation, reallocate
from safelight.casework.allocation.together import MOST, propose
from safelight.casework.allocation.weights import Standing, points_of_case, standings
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.base.standards import standards
from safelight.casework.cases.steps import case_for
from safelight.errors import CaseworkError


def load_label(person: Any, standing: Standing) -> str:
    """ "Asha Demo, Camden, 12.0 of 60 points (20%)"."""
    label = f"{person.name}, {person.unit or 'no unit'}, {standing.points:.1f} of {standing.available:g} points"
    return f"{label} ({standing.percent:.0f}%)"


def _form(case: Any, data: Any) -> AllocateForm:
    now = case.investigator
    people = [person for person in may_take(case) if now is None or person.pk != now.pk]
    found = standings(people)
    labels = {person.pk: load_label(person, found[person.pk]) for person in people}
    return AllocateForm(data, people=people, labels=labels, moving=now is not None)


@page("allocation.allocate", looks="case", methods=("GET", "POST"))
def allocate_page(request: HttpRequest, reference: str) -> HttpResponse:
    """The suggestions with their reasons, and the form for another choice."""
    case = case_for(request, reference, "allocation.allocate")
    form = _form(case, posted(request))
    if request.method == "POST":

        def step() -> Any:
            data = form.cleaned_data
            if "code" in data:
                return reallocate(
                    request.user,
                    case,
                    investigator=data["investigator"],
                    code=data["code"],
                    reason=data["reason"],
                    sensitive=data["sensitive"],
                )
            return allocate(
                request.user,
                case,
                investigator=data["investigator"],
                reason=data["reason"],
                sensitive=data["sensitive"],
            )

        made = attempt(form, step)
        if made is not None:
            messages.success(request, f"{made.investigator} has {case.reference}.")
            return redirect("cases:detail", reference=case.reference)
    skill = standards().skills.get(case.required_skill)
    return render(
        request,
        "allocation/allocate.html",
        {
            "case": case,
            "tab": "",
            "form": form,
            "moving": case.investigator is not None,
            "suggestions": suggest(case),
            "skill": skill.title if skill else case.required_skill,
            "reasons": REASONS,
            "points": points_of_case(case),
            "code": code_for(request.user, case, case.investigator) if case.investigator is not None else "",
        },
    )


@page("allocation.allocate", looks="list")
def unallocated(request: HttpRequest) -> HttpResponse:
    """Every case of the unit that nobody has, with who should take it: worked out for all of them together."""
    proposals, more = propose(request.user)
    shown = [one.case.reference for one in proposals]
    look(request, "list", None, list="cases without an investigator", shown=shown)
    context = {"proposals": proposals, "more": more, "most": MOST, "unit": request.user.unit}
    return render(request, "allocation/unallocated.html", context)


@page("allocation.allocate", methods=("POST",))
def accept(request: HttpRequest, reference: str) -> HttpResponse:
    """Take a suggestion. Its sentence becomes the reason: made again here, not taken from the page."""
    case = case_for(request, reference, "allocation.allocate")
    chosen = request.POST.get("investigator", "")
    listed = request.POST.get("back") == "unallocated"
    again = redirect("allocation:unallocated") if listed else redirect("allocation:allocate", reference=case.reference)
    found = next((one for one in suggest(case, limit=50) if str(one.investigator.pk) == chosen), None)
    if found is None:
        person = User.objects.filter(pk=int(chosen)).first() if chosen.isdecimal() and len(chosen) < 18 else None
        who = person.name if person else "That person"
        messages.error(request, f"{who} is no longer suggested for this case. Look at the list again.")
        return again
    try:
        if case.investigator is not None and not listed:
            code = request.POST.get("code", "")
            reallocate(
                request.user, case, investigator=found.investigator, code=code, reason=found.reason, suggested=True
            )
        else:
            allocate(request.user, case, investigator=found.investigator, reason=found.reason, suggested=True)
    except CaseworkError as error:
        messages.error(request, str(error))
        return again
    messages.success(request, f"{found.investigator} has {case.reference}.")
    return again if listed else redirect("cases:detail", reference=case.reference)


class EndForm(forms.Form):
    """Why nobody has the case from now on."""

    reason = forms.CharField(label="Why the case is taken back", widget=forms.Textarea, max_length=300)


@page("allocation.allocate", looks="case", methods=("GET", "POST"))
def end(request: HttpRequest, reference: str) -> HttpResponse:
    """Take the case back without giving it to anybody."""
    case = case_for(request, reference, "allocation.allocate")
    form = EndForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: end_allocation(request.user, case, reason=form.cleaned_data["reason"]))
        if made is not None:
            messages.warning(request, f"Nobody has {case.reference} now.")
            return redirect("cases:detail", reference=case.reference)
    context = {
        "title": "Take the case back",
        "caption": f"{case.reference} {case.title}",
        "form": form,
        "intro": "The case will be unallocated, and the clock to give it to somebody starts again. "
        "If you know who takes it, move it instead.",
        "button": "Take it back",
        "destructive": True,
        "cancel_url": reverse("allocation:allocate", kwargs={"reference": case.reference}),
    }
    return render(request, "form_page.html", context)
