"""One person: what is known, and where the person appears in what the reader may see."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look, page, require
from safelight.casework.people.forms import PersonForm
from safelight.casework.people.lists import PARTS, PeopleFilters, people_page
from safelight.casework.people.models import Merge, Person
from safelight.casework.people.queries import appearances
from safelight.casework.people.services import add_identifiers, update_person

FIELDS = ("family_name", "given_names", "born", "born_precision", "sex", "address", "postcode", "borough")


@page("people.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Filters in the address: ``?name=smi&borough=Camden&part=suspect&before=123``."""
    filters = PeopleFilters.of(request.GET)
    chosen = filters.chosen()
    key = request.GET.get("before", "")
    found = people_page(request.user, filters, before=int(key) if key.isdecimal() and len(key) < 19 else None)
    # A name that is looked for does not belong in the ledger: which filters were used, and what was shown.
    look(request, "list", None, list="people", filters=sorted(chosen), shown=[one.reference for one in found.rows])
    return render(
        request,
        "people/index.html",
        {
            "rows": found.rows,
            "filters": filters,
            "filtered": bool(chosen),
            "parts": PARTS,
            "query": urlencode(chosen),
            "pages": {
                "previous_url": f"?{urlencode(chosen)}" if key else "",
                "next_url": f"?{urlencode({**chosen, 'before': found.before})}" if found.before else "",
            },
        },
    )


@page("people.view", looks="person")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """What is known of a person, and their part in the cases and referrals that the reader sees."""
    merged = Merge.objects.filter(gone=Person.key_of(reference), undone_at=None).select_related("gone__merged_into")
    gone = merged.first()
    if gone is not None:
        kept = Person.objects.get_visible(request.user, gone.gone.merged_into.reference)
        messages.info(request, f"{gone.gone.reference} was merged into {kept.reference}, which is shown here.")
        return redirect("people:detail", kept.reference)
    person = Person.objects.get_visible(request.user, reference)
    look(request, "person", person)
    return render(
        request,
        "people/detail.html",
        {
            "person": person,
            "merges": list(person.merges.filter(undone_at=None).select_related("gone", "merged_by").order_by("-pk")),
            "may_merge": request.user.has_perm("people.link"),
            "identifiers": sorted(person.identifiers.all(), key=lambda one: (one.kind, one.value)),
            "appearances": appearances(person, request.user),
            "may_change": request.user.has_perm("people.change", person),
        },
    )


@page("people.change", looks="person", methods=("GET", "POST"))
def change(request: HttpRequest, reference: str) -> HttpResponse:
    """Change a person's record; the ledger keeps which fields changed."""
    person = Person.objects.get_visible(request.user, reference)
    require(request.user, "people.change", person)
    look(request, "person", person)
    back = reverse("people:detail", args=[person.reference])
    form = PersonForm(request.POST or None, initial={name: getattr(person, name) for name in FIELDS})
    if request.method == "POST":

        def step() -> Person:
            changed = update_person(request.user, person, **{name: form.cleaned_data[name] for name in FIELDS})
            if form.cleaned_data["identifier"]:
                pair = (form.cleaned_data["identifier_kind"], form.cleaned_data["identifier"])
                add_identifiers(request.user, person, [pair])
            return changed

        made = attempt(form, step)
        if made is not None:
            messages.success(request, "The record is saved.")
            return redirect(back)
    context = {"title": "Change the record", "caption": f"{person.reference} {person.name}", "form": form}
    return render(request, "form_page.html", {**context, "button": "Save", "cancel_url": back})
