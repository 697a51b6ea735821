"""Merging a record into another, with both beside each other first; and undoing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.people.link_forms import MergeForm, UndoForm
from safelight.casework.people.merging import merge_people, undo_merge
from safelight.casework.people.models import Merge, Person
from safelight.casework.people.queries import appearances


@page("people.link", looks="person", methods=("GET", "POST"))
def merge(request: HttpRequest, reference: str) -> HttpResponse:
    """``?with=P-000123`` shows that record beside this one before anything is merged."""
    person = Person.objects.get_visible(request.user, reference)
    look(request, "person", person)
    form = MergeForm(posted(request), initial={"other": request.GET.get("with", "")})
    wanted = form["other"].value() or ""
    other = _other(request, wanted)
    if request.method == "POST" and form.is_valid() and other is None:
        form.add_error("other", f"There is no person {wanted} that you may see. Check the reference.")
    if request.method == "POST" and other is not None:
        reason = form.cleaned_data.get("reason", "")
        made = attempt(form, lambda: merge_people(request.user, person, other, reason=reason))
        if made is not None:
            messages.success(request, f"{other.reference} is merged into {person.reference}. It can be undone.")
            return redirect("people:detail", person.reference)
    return render(
        request,
        "people/merge.html",
        {
            "title": "Merge another record into this one", "caption": f"{person.reference} {person.name}",
            "form": form, "button": "Merge the two records", "destructive": True,
            "back_url": reverse("people:detail", args=[person.reference]),
            "cancel_url": reverse("people:detail", args=[person.reference]),
            "person": person, "other": other,
            "where": [_where(person, request.user), _where(other, request.user)] if other else [],
        },
    )  # fmt: skip


def _other(request: HttpRequest, reference: str) -> Any:
    if not reference:
        return None
    try:
        found = Person.objects.get_visible(request.user, reference)
    except Http404:
        return None
    look(request, "person", found)
    return found


def _where(person: Person, user: Any) -> str:
    return ", ".join(f"{one.record.reference} ({one.part.lower()})" for one in appearances(person, user))


@page("people.link", looks="merge", methods=("GET", "POST"))
def undo(request: HttpRequest, reference: str) -> HttpResponse:
    """Give back what was moved."""
    row = Merge.objects.select_related("kept", "gone").get_visible(request.user, reference)
    look(request, "merge", row)
    back = reverse("people:detail", args=[row.kept.reference])
    form = UndoForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: undo_merge(request.user, row, reason=form.cleaned_data["reason"]))
        if made is not None:
            messages.success(request, f"{row.gone.reference} is a record of its own again.")
            return redirect(back)
    intro = (
        f"{row.gone.reference} gets back the {len(row.moved)} entries that moved to {row.kept.reference}. "
        "What was added since stays where it is."
    )
    context = {"title": "Undo the merge", "caption": row.reference, "form": form, "intro": intro, "destructive": True}
    return render(request, "form_page.html", {**context, "button": "Undo the merge", "cancel_url": back})
