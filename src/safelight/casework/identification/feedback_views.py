"""Pages: what the national database answered, to which case, and what was done about it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.identification import queries
from safelight.casework.identification.feedback import Imported, import_feedback, settle_feedback
from safelight.casework.identification.forms import FeedbackForm, SettleFeedbackForm
from safelight.casework.identification.models import Feedback, FeedbackFile, FeedbackLine
from safelight.casework.identification.views import pages_of

KINDS = [choice for choice in FeedbackLine.Kind.choices if choice[0]]
STATES = [("open", "Wait to be settled"), ("settled", "Settled"), ("all", "All")]
TAGS = {"told": "blue", "no_case": "grey", "same": "grey", "quarantined": "red"}


@page("identification.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Answers told to cases that the person sees."""
    state = request.GET.get("state", "open")
    state = state if state in dict(STATES) else "open"
    kind = request.GET.get("kind", "") if request.GET.get("kind", "") in dict(KINDS) else ""
    rows = queries.feedback_page(request.user, state=state, kind=kind, before=request.GET.get("before", ""))
    shown = [row.reference for row, _ in rows.rows]
    look(request, "list", None, list="national answers", shown=shown, filter={"state": state, "kind": kind})
    here = reverse("identification:feedback_list")
    return render(
        request,
        "identification/feedback_list.html",
        {
            "rows": rows.rows,
            "kinds": dict(KINDS),
            "choices": [("state", "State", STATES), ("kind", "Kind", [("", "All"), *KINDS])],
            "chosen": {"state": state, "kind": kind},
            "pages": pages_of(request, here, {"state": state, "kind": kind}, rows.after),
            "may_import": request.user.has_perm("identification.import"),
        },
    )


@page("identification.import", looks="list")
def files(request: HttpRequest) -> HttpResponse:
    """Imported files."""
    rows = queries.files(request.user, before=request.GET.get("before", ""))
    look(request, "list", None, list="feedback files", shown=[row.reference for row, _ in rows.rows])
    here = reverse("identification:feedback_files")
    context = {
        "rows": rows.rows,
        "outcomes": FeedbackLine.Outcome.choices,
        "pages": pages_of(request, here, {}, rows.after),
    }
    return render(request, "identification/feedback_files.html", context)


@page("identification.import", methods=("GET", "POST"))
def import_file(request: HttpRequest) -> HttpResponse:
    """Import a file of answers."""
    form = FeedbackForm(posted(request), request.FILES or None)
    if request.method == "POST":

        def step() -> Imported:
            upload = form.cleaned_data["file"]
            return import_feedback(request.user, name=upload.name, content=upload.read())

        done = attempt(form, step)
        if done is not None:
            told = Feedback.objects.visible_to(request.user).filter(line__file=done.file).count()
            messages.success(request, f"Imported: {told} {'task' if told == 1 else 'tasks'} for cases that you see.")
            bad = done.outcomes["quarantined"]
            if bad:
                words = "1 line cannot" if bad == 1 else f"{bad} lines cannot"
                messages.warning(request, f"{words} be used; each is kept with the reason.")
            return redirect("identification:feedback_file", done.file.reference)
    context = {
        "title": "Import answers of the national database",
        "form": form,
        "button": "Import",
        "cancel_url": reverse("identification:feedback_list"),
        "intro": "Every line gets an outcome. Every case concerned, a closed one too, gets a task with a clock.",
    }
    return render(request, "form_page.html", context)


@page("identification.import", looks="feedback_file")
def file(request: HttpRequest, reference: str) -> HttpResponse:
    """One file, line by line."""
    found = FeedbackFile.objects.select_related("imported_by").get_visible(request.user, reference)
    outcome = request.GET.get("outcome", "") if request.GET.get("outcome", "") in FeedbackLine.Outcome.values else ""
    rows = queries.lines_of(request.user, found, outcome=outcome, after=request.GET.get("after", ""))
    look(request, "feedback_file", found, lines=[line.number for line, _ in rows.rows])
    here = reverse("identification:feedback_file", args=[found.reference])
    return render(
        request,
        "identification/feedback_file.html",
        {
            "file": found,
            "rows": rows.rows,
            "tags": TAGS,
            "chosen": outcome,
            "outcome_words": dict(FeedbackLine.Outcome.choices),
            "outcomes": [("", "All"), *FeedbackLine.Outcome.choices],
            "pages": pages_of(request, here, {"outcome": outcome}, rows.after, "after"),
        },
    )


@page("identification.view", looks="feedback", methods=("GET", "POST"))
def settle(request: HttpRequest, reference: str) -> HttpResponse:
    """One answer: what it says, and what was done about it."""
    found = Feedback.objects.select_related("case__unit", "series", "settled_by", "line__file").get_visible(
        request.user, reference
    )
    may = found.settled_at is None and request.user.has_perm("identification.settle", found)
    form = SettleFeedbackForm(posted(request), category=found.kind == FeedbackLine.Kind.CATEGORY)
    if request.method == "POST":
        require(request.user, "identification.settle", found)
        if attempt(form, lambda: settle_feedback(request.user, found, **form.cleaned_data)):
            messages.success(request, f"{found.reference} is settled.")
            return redirect("identification:feedback", found.reference)
    look(request, "feedback", found)
    context = {
        "feedback": found,
        "case": found.case,
        "form": form,
        "may_settle": may,
        "clock": queries.clocks_of([found.pk]).get(found.pk),
        "kind": dict(KINDS)[found.kind],
    }
    return render(request, "identification/feedback.html", context)
