"""Pages of re-reviews."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.rereview import forms, queries, services
from safelight.casework.rereview.choosing import chosen_cases
from safelight.casework.rereview.models import Entry, ReReview
from safelight.casework.rereview.questions import QUESTIONS

BOTH = ("GET", "POST")


@page("rereview.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """``?state=open|closed|all&before=<key>``: newest first."""
    state = request.GET.get("state", "open")
    state = state if state in ("open", "closed", "all") else "open"
    rows = ReReview.objects.visible_to(request.user)
    if state != "all":
        rows = rows.filter(closed_at__isnull=state == "open")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(queries.with_progress(rows).select_related("made_by", "unit").order_by("-pk")[:51])
    shown = found[:50]
    look(request, "list", None, list="re-reviews", shown=[row.reference for row in shown])
    pages = {
        "previous_url": f"?state={state}" if before else "",
        "next_url": f"?{urlencode({'state': state, 'before': shown[-1].pk})}" if len(found) > 50 else "",
    }
    context = {
        "rows": [(row, queries.is_late(row)) for row in shown], "state": state, "pages": pages,
        "may_lead": request.user.has_perm("rereview.lead"),
    }  # fmt: skip
    return render(request, "rereview/index.html", context)


@page("rereview.lead", methods=BOTH)
def new(request: HttpRequest) -> HttpResponse:
    """Choose a set; the first sending counts the cases, the second freezes them."""
    form = forms.FreezeForm(posted(request))
    counted: int | None = None
    if request.method == "POST" and "count" in request.POST:
        made = attempt(form, lambda: chosen_cases(request.user, form.criteria()))
        counted = len(made) if made is not None else None
    elif request.method == "POST":

        def act() -> ReReview:
            names = ("title", "why", "reason", "due_on")
            given = {name: form.cleaned_data[name] for name in names}
            return services.freeze(request.user, criteria=form.criteria(), **given)

        row = attempt(form, act)
        if row is not None:
            messages.success(
                request, f"{row.reference} is frozen: {row.entries.count()} cases. Now choose who examines."
            )
            return redirect("rereview:assign", reference=row.reference)
    context = {"title": "Set up a re-review", "form": form, "counted": counted, "cancel_url": reverse("rereview:index")}
    return render(request, "rereview/new.html", context)


def _shown(request: HttpRequest, reference: str) -> Any:
    row = ReReview.objects.select_related("made_by", "closed_by", "unit").get_visible(request.user, reference)
    look(request, "rereview", row)
    return row


@page("rereview.view", looks="rereview")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """Progress, what is late, what was found, and the cases: ``?state=waiting&after=<number>``."""
    row = _shown(request, reference)
    state = request.GET.get("state", "")
    state = state if state in queries.STATES else ""
    after = request.GET.get("after", "")
    number = int(after) if after.isascii() and after.isdecimal() and len(after) < 10 else 0
    entries, more = queries.entry_page(request.user, row, state=state, after=number)
    look(request, "rereview", row, shown=[entry.case.reference for entry in entries])
    chosen = {"state": state} if state else {}
    context = {
        "row": row, "late": queries.is_late(row), "progress": queries.progress_of(row), "entries": entries,
        "results": queries.results_of(row), "actions": queries.actions_of(row), "reviewers": queries.reviewers_of(row),
        "state": state, "states": queries.STATES,
        "pages": {
            "previous_url": f"?{urlencode(chosen)}" if number else "",
            "next_url": f"?{urlencode({**chosen, 'after': more})}" if more else "",
        },
        "may_lead": request.user.has_perm("rereview.lead", row) and row.closed_at is None,
    }  # fmt: skip
    return render(request, "rereview/detail.html", context)


@page("rereview.lead", looks="rereview", methods=BOTH)
def assign(request: HttpRequest, reference: str) -> HttpResponse:
    """Spread the cases that nobody has."""
    row = _shown(request, reference)
    require(request.user, "rereview.lead", row)
    people = forms.reviewers()
    if row.unit_id is not None and request.GET.get("all") != "1":
        # Colleagues of the same unit mostly worked on its cases; the others are one click away, and the first choice.
        people = people.exclude(unit=row.unit_id)
    form = forms.AssignForm(posted(request), people=people)
    back = reverse("rereview:detail", args=[row.reference])
    if request.method == "POST":
        made = attempt(form, lambda: services.assign(request.user, row, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made['given']} cases are given out.")
            if made["left"]:
                messages.warning(request, f"For {made['left']} cases none of them will do: choose others for those.")
            return redirect(back)
    context = {
        "title": "Who examines", "caption": f"{row.reference} {row.title}", "form": form, "button": "Give out",
        "cancel_url": back, "intro": "Restricted cases go only to people who may see them anyway.",
    }  # fmt: skip
    return render(request, "form_page.html", context)


def _entry(request: HttpRequest, reference: str, number: int) -> Any:
    row = ReReview.objects.get_visible(request.user, reference)
    rows = Entry.objects.visible_to(request.user).filter(rereview=row, number=number)
    entry = rows.select_related("case__unit", "rereview", "reviewer", "answered_by").first()
    if entry is None:
        raise Http404(f"There is no case {number} in {reference} that you may see.")
    look(request, "rereview", row, number=number)
    look(request, "case", entry.case)
    return entry


@page("rereview.view", looks=("rereview", "case"), methods=BOTH)
def case(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """One case: for its reviewer the questions, for others the answers."""
    entry = _entry(request, reference, number)
    may = request.user.has_perm("rereview.answer", entry) and entry.answered_at is None and not entry.rereview.closed_at
    form = forms.AnswerForm(posted(request))
    if request.method == "POST":
        require(request.user, "rereview.answer", entry)

        def act() -> Entry:
            given = {name: form.cleaned_data[name] for name in ("text", "action")}
            return services.answer(request.user, entry, answers=form.answers(), **given)

        made = attempt(form, act)
        if made is not None:
            messages.success(request, f"{made.case.reference} is answered.")
            return redirect("rereview:detail", reference=reference)
    said = [(one.text, getattr(entry, f"get_{one.field}_display")()) for one in QUESTIONS]
    return render(request, "rereview/case.html", {"entry": entry, "form": form, "may": may, "said": said})


@page("rereview.answer", looks=("rereview", "case"), methods=BOTH)
def child(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """A child who was missed is referred now."""
    entry = _entry(request, reference, number)
    require(request.user, "rereview.answer", entry)
    form = forms.ChildForm(posted(request))
    back = reverse("rereview:case", args=[reference, number])
    if request.method == "POST":
        made = attempt(form, lambda: services.refer_child_now(request.user, entry, **form.arguments()))
        if made is not None:
            messages.success(request, f"{made.reference}: the clock to tell social care runs, and the unit is told.")
            return redirect(back)
    context = {
        "title": "Refer a child now", "caption": f"{entry.case.reference} {entry.case.title}", "form": form,
        "button": "Record the child at risk", "cancel_url": back,
        "intro": "A closed case is opened again, and the clock to tell social care starts at once.",
    }  # fmt: skip
    return render(request, "form_page.html", context)


@page("rereview.lead", looks=("rereview", "case"), methods=BOTH)
def move(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """Another reviewer for one case."""
    entry = _entry(request, reference, number)
    require(request.user, "rereview.lead", entry)
    form = forms.MoveForm(posted(request))
    back = reverse("rereview:detail", args=[reference])
    if request.method == "POST":
        made = attempt(form, lambda: services.move(request.user, entry, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made.case.reference} is given to {made.reviewer}.")
            return redirect(back)
    context = {"title": "Another reviewer", "caption": entry.case.reference, "form": form, "button": "Give"}
    return render(request, "form_page.html", {**context, "cancel_url": back})


@page("rereview.lead", looks="rereview", methods=BOTH)
def close(request: HttpRequest, reference: str) -> HttpResponse:
    """Close it, when every case is answered."""
    row = _shown(request, reference)
    require(request.user, "rereview.lead", row)
    form = forms.CloseForm(posted(request))
    back = reverse("rereview:detail", args=[row.reference])
    if request.method == "POST":
        made = attempt(form, lambda: services.close(request.user, row, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made.reference} is closed.")
            return redirect(back)
    context = {
        "title": "Close the re-review", "caption": f"{row.reference} {row.title}", "form": form, "button": "Close",
        "cancel_url": back, "destructive": True, "intro": "Reviewers no longer see the cases lent to them.",
    }  # fmt: skip
    return render(request, "form_page.html", context)
