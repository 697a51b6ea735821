"""Possible links: the queue, one pair with its evidence, and who is linked to a person."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.people.link_forms import DecideForm, UndoForm
from safelight.casework.people.link_queries import candidate, waiting
from safelight.casework.people.linking import decide_link, undo_link
from safelight.casework.people.models import Person, PossibleLink
from safelight.casework.people.network import picture, ties

STATES = dict(PossibleLink.State.choices)


@page("people.link", looks="list")
def links(request: HttpRequest) -> HttpResponse:
    """Records that may be of one person, the surest first. ``?state=same`` or ``different`` shows what was decided."""
    state = request.GET.get("state", "waiting")
    state = state if state in STATES else "waiting"
    rows = waiting(request.user, state=state)
    look(request, "list", None, list="possible links", state=state, shown=[one.link.reference for one in rows])
    return render(request, "people/links.html", {"rows": rows, "state": state, "states": STATES})


@page("people.link", looks="link", methods=("GET", "POST"))
def link(request: HttpRequest, reference: str) -> HttpResponse:
    """Both records beside each other with the evidence, step by step, and the decision."""
    row = PossibleLink.objects.select_related("person", "other", "decided_by").get_visible(request.user, reference)
    look(request, "link", row)
    seen = candidate(row, request.user)
    form = DecideForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: decide_link(request.user, row, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{row.reference} is decided: {made.get_state_display().lower()}.")
            return redirect("people:links")
    return render(
        request,
        "people/link.html",
        {
            "title": f"{row.reference}: {row.get_kind_display().lower()}",
            "seen": seen,
            "link": row,
            "form": form,
            "steps": row.evidence.get("steps", []) if seen.person.shown and seen.other.shown else [],
            "decidable": row.state == "waiting" and row.kind == "person" and seen.person.shown and seen.other.shown,
        },
    )


@page("people.link", looks="link", methods=("GET", "POST"))
def undo(request: HttpRequest, reference: str) -> HttpResponse:
    """Take a decision back."""
    row = PossibleLink.objects.get_visible(request.user, reference)
    look(request, "link", row)
    back = reverse("people:link", args=[row.reference])
    form = UndoForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: undo_link(request.user, row, reason=form.cleaned_data["reason"]))
        if made is not None:
            messages.success(request, f"The decision about {row.reference} is taken back. The pair waits again.")
            return redirect(back)
    context = {"title": "Take the decision back", "caption": row.reference, "form": form, "button": "Take it back"}
    return render(request, "form_page.html", {**context, "cancel_url": back})


@page("people.view", looks="person")
def network(request: HttpRequest, reference: str) -> HttpResponse:
    """Household and network of a person: a picture, and its table."""
    person = Person.objects.get_visible(request.user, reference)
    require(request.user, "people.view", person)
    look(request, "person", person)
    found = ties(person, request.user)
    others = sorted({one.person.reference for one in found if one.person})
    record(request.user, "person.network", person, category=Category.COMBINATION, payload={"others": others})
    context = {"person": person, "ties": found, "picture": picture(person, found)}
    return render(request, "people/network.html", context)
