"""Pages on which grades are recorded. They show digests, paths and distances; never a picture."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look, page, require
from safelight.casework.cases.models import Case
from safelight.casework.devices.forms import category_words
from safelight.casework.submissions import services
from safelight.casework.submissions.agreement import agreement_of
from safelight.casework.submissions.forms import GradesForm, ImportGradesForm, SettleGradeForm
from safelight.casework.submissions.grading import Recorded, votes_of
from safelight.casework.submissions.material import files_of, to_grade

PAGE = 50


@page("submissions.grade", looks="case", methods=("GET", "POST"))
def grade(request: HttpRequest, reference: str) -> HttpResponse:
    """Record the grades of several files at once."""
    case = Case.objects.get_visible(request.user, reference)
    require(request.user, "submissions.grade", case)
    waiting = sorted(to_grade(files_of(case)), key=lambda file: file.first.pk)
    form = GradesForm(request.POST or None, files=waiting[:PAGE])
    if request.method == "POST":
        done = attempt(
            form,
            lambda: services.record_grades(
                request.user,
                case,
                grades=form.grades(),
                graded_in=form.cleaned_data["graded_in"],
                graded_at=form.cleaned_data["graded_at"],
            ),
        )
        if done:
            return _told(request, case, done)
    look(request, "case", case, page="grades")
    more = len(waiting) - PAGE
    return render(
        request,
        "form_page.html",
        {
            "title": "Record grades",
            "caption": f"{case.reference} {case.title}",
            "form": form,
            "button": "Record",
            "cancel_url": reverse("submissions:case_submissions", args=[case.reference]),
            "intro": f"The first {PAGE} files; {more} more wait." if more > 0 else "",
        },
    )


@page("submissions.grade", looks="case", methods=("GET", "POST"))
def import_list(request: HttpRequest, reference: str) -> HttpResponse:
    """Record the grades in a file of the grading tool."""
    case = Case.objects.get_visible(request.user, reference)
    require(request.user, "submissions.grade", case)
    form = ImportGradesForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        done = attempt(form, lambda: _import(request.user, case, form.cleaned_data))
        if done:
            return _told(request, case, done)
    look(request, "case", case, page="import grades")
    return render(
        request,
        "form_page.html",
        {
            "title": "Import grades",
            "caption": f"{case.reference} {case.title}",
            "form": form,
            "button": "Import",
            "cancel_url": reverse("submissions:case_submissions", args=[case.reference]),
        },
    )


def _import(user: Any, case: Any, data: dict[str, Any]) -> Recorded:
    upload = data["file"]
    return services.import_grades(
        user,
        case,
        name=PurePath(upload.name).name,
        content=upload.read(),
        graded_in=data["graded_in"],
        graded_at=data["graded_at"],
    )


@page("submissions.grade", looks="case", methods=("GET", "POST"))
def settle(request: HttpRequest, reference: str, md5: str) -> HttpResponse:
    """Settle what graders disagree about."""
    case = Case.objects.get_visible(request.user, reference)
    require(request.user, "submissions.grade", case)
    votes = votes_of(case, [md5.lower()]).get(md5.lower(), [])
    form = SettleGradeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        done = attempt(form, lambda: services.settle_grade(request.user, case, md5, **form.cleaned_data))
        if done:
            messages.success(request, "Settled, with your reason. The votes stay on record.")
            return redirect("submissions:case_submissions", case.reference)
    look(request, "case", case, page="settle a grade")
    cast = [f"{vote.grader}: {category_words(vote.category)}, in {vote.graded_in}" for vote in votes]
    return render(
        request,
        "form_page.html",
        {
            "title": "Settle a disagreement of graders",
            "caption": f"{case.reference} {case.title}",
            "form": form,
            "button": "Settle",
            "cancel_url": reverse("submissions:case_submissions", args=[case.reference]),
            "intro": [f"MD5 {md5}", *cast, "Look at it in the grading tool, then decide. You may not have graded it."],
        },
    )


@page("submissions.view", looks="list")
def agreement(request: HttpRequest) -> HttpResponse:
    """How far graders agree, over the cases that the person sees."""
    found = agreement_of(request.user)
    look(request, "list", None, list="grading agreement", shown=[], files=found.files)
    return render(request, "submissions/agreement.html", {"found": found, "words": category_words})


def _told(request: HttpRequest, case: Any, done: Recorded) -> HttpResponse:
    messages.success(request, f"{done.new} files graded, {done.changed} grades changed, {done.same} as before.")
    if done.disputed:
        messages.warning(
            request, f"Graders disagree about {done.disputed} of them: somebody else has to settle it before they go."
        )
    if done.not_here:
        messages.warning(
            request,
            f"{len(done.not_here)} graded files are no finding of this case and were not recorded; "
            f"the first is {done.not_here[0]}.",
        )
    for where, reason in done.problems[:10]:
        messages.warning(request, f"Not used, {where}: {reason}.")
    if len(done.problems) > 10:
        messages.warning(request, f"{len(done.problems) - 10} more rows were not used.")
    return redirect("submissions:case_submissions", case.reference)
