"""Handing over: whose cases wait, moving many at once; and how complex a case is."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.accounts.models import User
from safelight.casework.allocation.forms import SUGGESTED, ComplexityForm, HandOverForm
from safelight.casework.allocation.handing_over import MOST, handing_over, returned
from safelight.casework.allocation.models import Allocation, Complexity
from safelight.casework.allocation.moving import Move, reassign_many
from safelight.casework.allocation.services import record_complexity
from safelight.casework.allocation.together import Proposal, propose_for
from safelight.casework.allocation.views import load_label
from safelight.casework.allocation.weights import points_of, points_of_case, standings
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.errors import NotPossible
from safelight.casework.base.policy import look, page
from safelight.casework.base.standards import standards
from safelight.casework.cases.models import Case
from safelight.casework.cases.steps import case_for, step_page

NAMED = 5


@page("allocation.hand_over", looks="list")
def handing_over_page(request: HttpRequest) -> HttpResponse:
    """Whose live cases wait to be handed over and why, who came back, and everybody's load."""
    leavers, back = handing_over(request.user), returned(request.user)
    shown = {one.case.reference for leaver in leavers for one in leaver.waiting}
    shown |= {case.reference for one in back for case in one.cases}
    look(request, "list", None, list="cases to hand over", shown=sorted(shown))
    people = list(User.objects.filter(unit=request.user.unit, role="investigator", is_active=True).order_by("name"))
    found = standings(people) if request.user.unit else {}
    context = {
        "leavers": leavers,
        "returned": back,
        "loads": [(person, found[person.pk]) for person in people if person.pk in found],
        "unit": request.user.unit,
    }
    return render(request, "allocation/handing_over.html", context)


def _held(user: Any, person: Any) -> list[Any]:
    """The cases of the supervisor's unit that this person has and the supervisor sees, riskiest first."""
    rows = Allocation.objects.filter(
        Case.objects.visible_to(user).filter(unit=user.unit_id).holding("case"), ended_at=None, investigator=person
    )
    order = {level: place for place, level in enumerate(standards().risks, start=1)}
    cases = [row.case for row in rows.select_related("case__unit").order_by("case_id")[:MOST]]
    return sorted(cases, key=lambda case: (order.get(case.risk, 0), case.pk))


def _label(case: Any) -> str:
    risk = standards().risks[case.risk].title if case.risk in standards().risks else "Risk not set"
    return f"{case.reference} {case.title} ({risk.lower()})"


@page("allocation.hand_over", looks="list", methods=("GET", "POST"))
def hand_over(request: HttpRequest, username: str) -> HttpResponse:
    """Move cases of one person: those that wait are ticked, and each has its suggestion."""
    person = User.objects.filter(username=username).select_related("unit").first()
    cases = _held(request.user, person) if person is not None else []
    if person is None or not cases:
        raise Http404("This person has no case of your unit that you may see.")
    look(request, "list", None, list=f"cases of {username}", shown=[case.reference for case in cases])
    unit = request.user.unit
    proposals = {one.case.pk: one for one in propose_for(unit, cases, without=[person.pk])}
    waiting = [one for leaver in handing_over(request.user, person=person) for one in leaver.waiting]
    chosen = {one.case.pk: one for one in waiting}
    why = "; ".join(dict.fromkeys(one.why for one in waiting))
    people = list(
        User.objects.filter(role="investigator", is_active=True)
        .exclude(pk=person.pk)
        .select_related("unit")
        .order_by("unit__name", "name")
    )
    people.sort(key=lambda user: user.unit_id != request.user.unit_id)
    found = standings(people)
    form = HandOverForm(
        posted(request),
        cases={case.pk: _label(case) for case in cases},
        hints={str(case.pk): _hint(proposals[case.pk]) for case in cases},
        people={one.pk: load_label(one, found[one.pk]) for one in people if found[one.pk].absence is None},
        initial={
            "cases": list(chosen),
            "taker": SUGGESTED if chosen else "",
            "code": waiting[0].code if waiting else "",
        },
    )
    if request.method == "POST":
        made = attempt(form, lambda: _move(request.user, unit, person, cases, form.cleaned_data))
        if made is not None:
            messages.success(request, _told(made))
            return redirect("allocation:handing_over")
    return render(
        request,
        "form_page.html",
        {
            "title": f"Hand over cases of {person}",
            "caption": why[:1].upper() + why[1:],
            "form": form,
            "intro": "All chosen cases move together, with their clocks, or none does.",
            "button": "Move the cases",
            "cancel_url": reverse("allocation:handing_over"),
        },
    )


def _hint(proposal: Proposal) -> str:
    if proposal.investigator is None:
        return f"Nobody is suggested. {proposal.reason}"
    return f"Suggested: {proposal.investigator}. {proposal.reason}"


def _move(user: Any, unit: Any, person: Any, cases: list[Any], data: dict[str, Any]) -> list[Allocation]:
    wanted = [case for case in cases if case.pk in set(data["cases"])]
    if data["taker"] == SUGGESTED:
        # Worked out again, for the chosen ones alone: the page may be an hour old.
        proposals = propose_for(unit, wanted, without=[person.pk])
        nobody = [one.case.reference for one in proposals if one.investigator is None]
        if nobody:
            raise NotPossible(
                f"Nobody is suggested for {', '.join(nobody[:NAMED])}"
                f"{f' and {len(nobody) - NAMED} more' if len(nobody) > NAMED else ''}. Nothing was moved.",
                fix="Leave them out, or choose a person.",
            )
        moves = [Move(one.case.pk, one.investigator, person.pk, one.reason) for one in proposals]
    else:
        taker = User.objects.select_related("unit").get(pk=int(data["taker"]))
        moves = [Move(case.pk, taker, person.pk) for case in wanted]
    return reassign_many(user, moves, code=data["code"], reason=data["reason"], sensitive=data["sensitive"])


def _told(made: list[Allocation]) -> str:
    takers: dict[Any, int] = {}
    for row in made:
        takers[row.investigator] = takers.get(row.investigator, 0) + 1
    said = ", ".join(f"{person} has {count} more" for person, count in list(takers.items())[:NAMED])
    more = len(takers) - NAMED
    number = f"{len(made)} case{'s' if len(made) != 1 else ''} moved"
    return f"{number}: {said}{f' and {more} others' if more > 0 else ''}."


@page("allocation.allocate", looks="case", methods=("GET", "POST"))
def complexity(request: HttpRequest, reference: str) -> HttpResponse:
    """How complex the case is: its points follow."""
    case = case_for(request, reference, "allocation.allocate")
    now = Complexity.objects.filter(case=case, ended_at=None).first()
    form = ComplexityForm(posted(request), initial={"level": now.level if now else Complexity.Level.STANDARD})
    if request.method == "POST":
        made = attempt(form, lambda: record_complexity(request.user, case, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{case.reference} counts {points_of_case(case):g} points from now on.")
            return redirect("cases:detail", reference=case.reference)
    weights = ", ".join(
        f"{label.lower()} {points_of(case.risk, complexity=level, live_contact=case.live_contact):g}"
        for level, label in Complexity.Level.choices
    )
    intro = f"Points of this case by complexity, at its risk today: {weights}."
    return step_page(request, case, form, "Complexity of the case", intro=intro, button="Record")
