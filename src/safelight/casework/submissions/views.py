"""Pages of submissions to the national database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look, page, require
from safelight.casework.cases.models import Case
from safelight.casework.devices.forms import category_words
from safelight.casework.devices.models import Device
from safelight.casework.identification.queries import of_case
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.submissions import queries, services
from safelight.casework.submissions.forms import NothingForm, ReceiptForm, SentForm, SettleForm
from safelight.casework.submissions.models import Submission
from safelight.errors import CaseworkError

TAGS = {"written": "yellow", "sent": "blue", "receipted": "green", "part_rejected": "orange"}
ITEM_TAGS = {"included": "grey", "accepted": "green", "rejected": "red", "settled": "blue"}


def find(request: HttpRequest, reference: str) -> Submission:
    """The submission if this person may see it, else 404."""
    found: Submission = Submission.objects.select_related("case__unit", "device", "run", "written_by").get_visible(
        request.user, reference
    )
    return found


@page("submissions.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """All submissions that the person may see, newest first."""
    state = request.GET.get("state", "") if request.GET.get("state", "") in Submission.State.values else ""
    rows = queries.listed(request.user, state=state, before=request.GET.get("before", ""))
    look(request, "list", None, list="submissions", shown=[row.reference for row in rows.rows], state=state)
    here = reverse("submissions:index")
    kept = {"state": state} if state else {}
    return render(
        request,
        "submissions/index.html",
        {
            "rows": rows.rows,
            "tags": TAGS,
            "states": [
                (words, f"{here}?{urlencode({'state': code})}" if code else here, code == state)
                for code, words in [("", "All"), *Submission.State.choices]
            ],
            "pages": {
                "previous_url": f"{here}?{urlencode(kept)}" if request.GET.get("before") else "",
                "next_url": f"{here}?{urlencode({**kept, 'before': rows.after})}" if rows.after else "",
            },
        },
    )


@page("submissions.view", looks="case")
def case_submissions(request: HttpRequest, reference: str) -> HttpResponse:
    """What a case has submitted, and what waits."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    look(request, "case", case, tab="submissions")
    user, is_open = request.user, case.status == "open"
    answers, victims = of_case(case)
    return render(
        request,
        "submissions/case_submissions.html",
        {
            "case": case,
            "tab": "submissions",
            "standing": queries.standing(case),
            "outstanding": queries.outstanding(case),
            "idle": queries.nothing_waits(case),
            "answers": answers,
            "victims": victims,
            "tags": TAGS,
            "category_words": category_words,
            "may_grade": is_open and user.has_perm("submissions.grade", case),
            "may_write": is_open and user.has_perm("submissions.write", case),
        },
    )


@page("submissions.view", looks="submission")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """One submission: its items and what became of them."""
    submission = find(request, reference)
    look(request, "submission", submission)
    rows = queries.items_of(submission, after=request.GET.get("after", ""))
    here = reverse("submissions:detail", args=[submission.reference])
    user = request.user
    return render(
        request,
        "submissions/detail.html",
        {
            "submission": submission,
            "case": submission.case,
            "items": [(item, category_words(item.category)) for item in rows.rows],
            "rejected": queries.rejected_of(submission),
            "tags": TAGS,
            "item_tags": ITEM_TAGS,
            "may_send": submission.state == "written" and user.has_perm("submissions.send", submission),
            "may_receipt": submission.state == "sent" and user.has_perm("submissions.receipt", submission),
            "may_settle": user.has_perm("submissions.settle", submission),
            "pages": {
                "previous_url": here if request.GET.get("after") else "",
                "next_url": f"{here}?after={rows.after}" if rows.after else "",
            },
        },
    )


@page("submissions.view", looks="submission")
def download(request: HttpRequest, reference: str) -> HttpResponse:
    """The file as it was written, after its digest was compared; who took a copy is recorded."""
    submission = find(request, reference)
    require(request.user, "submissions.send", submission)
    look(request, "submission", submission, page="file")
    try:
        path = services.check_file(submission)
    except CaseworkError as error:
        raise Http404(str(error)) from error
    record(
        request.user,
        "submission.downloaded",
        submission,
        category=Category.DISCLOSURE,
        recipient=str(request.user),
        payload={"sha256": submission.sha256},
    )
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="application/json")


def _device(case: Any, reference: str) -> Device:
    device = case.devices.filter(pk=Device.key_of(reference)).first()
    if device is None:
        raise Http404(f"{case.reference} has no device {reference}.")
    return device


@page("submissions.write", methods=("POST",))
def write(request: HttpRequest, reference: str, device: str) -> HttpResponse:
    """Write a submission of what waits on one device."""
    case = Case.objects.get_visible(request.user, reference)
    return _write(request, _device(case, device), back=("submissions:case_submissions", case.reference))


def _write(request: HttpRequest, device: Device, *, back: tuple[str, str], again: Any = ()) -> HttpResponse:
    try:
        made = services.write_submission(request.user, device, again=again)
    except CaseworkError as error:
        messages.error(request, str(error))
        return redirect(*back)
    messages.success(request, f"{made.reference} is written and checked. Send it, then record that it was sent.")
    return redirect("submissions:detail", made.reference)


@page("submissions.settle", methods=("POST",))
def resubmit(request: HttpRequest, reference: str) -> HttpResponse:
    """Submit chosen rejected items again."""
    submission = find(request, reference)
    keys = [int(key) for key in request.POST.getlist("item") if key.isdecimal() and len(key) < 16]
    items = list(submission.items.filter(pk__in=keys))
    back = ("submissions:detail", submission.reference)
    if not items:
        messages.error(request, "Choose the items to submit again.")
        return redirect(*back)
    return _write(request, submission.device, back=back, again=items)


def _step(
    request: HttpRequest,
    submission: Submission,
    form: forms.Form,
    service: Callable[[], Any],
    *,
    title: str,
    said: str,
    **context: Any,
) -> HttpResponse:
    if request.method == "POST" and attempt(form, service):
        messages.success(request, said)
        return redirect("submissions:detail", submission.reference)
    look(request, "submission", submission, page=title)
    back = reverse("submissions:detail", args=[submission.reference])
    values = {"title": title, "caption": submission.reference, "form": form, "button": "Record", "cancel_url": back}
    return render(request, "form_page.html", {**values, **context})


@page("submissions.send", looks="submission", methods=("GET", "POST"))
def sent(request: HttpRequest, reference: str) -> HttpResponse:
    """Record that the file was sent."""
    submission = find(request, reference)
    require(request.user, "submissions.send", submission)
    form = SentForm(request.POST if request.method == "POST" else None)
    return _step(
        request,
        submission,
        form,
        lambda: services.mark_sent(request.user, submission, **form.cleaned_data),
        title="Record that the submission was sent",
        said=f"{submission.reference} is recorded as sent to the national database.",
        intro="Send the file with the force's own connection first. Safelight sends nothing by itself.",
    )


@page("submissions.receipt", looks="submission", methods=("GET", "POST"))
def receipt(request: HttpRequest, reference: str) -> HttpResponse:
    """Record the receipt."""
    submission = find(request, reference)
    require(request.user, "submissions.receipt", submission)
    form = ReceiptForm(request.POST or None, case=submission.case)
    return _step(
        request,
        submission,
        form,
        lambda: services.record_receipt(request.user, submission, **form.cleaned_data),
        title="Record the receipt",
        said=f"The receipt of {submission.reference} is recorded.",
    )


@page("submissions.settle", looks="submission", methods=("GET", "POST"))
def settle(request: HttpRequest, reference: str, item: int) -> HttpResponse:
    """Settle one rejected item."""
    submission = find(request, reference)
    found = submission.items.filter(pk=item).first()
    if found is None:
        raise Http404("There is no such item.")
    if found.owner_id != request.user.pk:
        require(request.user, "submissions.settle", submission)
    form = SettleForm(request.POST or None)
    return _step(
        request,
        submission,
        form,
        lambda: services.settle_item(request.user, found, **form.cleaned_data),
        title="Settle a rejected item",
        said="The item is settled.",
        intro=[f"MD5 {found.md5}", f"Rejected: {found.rejected_reason}"],
    )


@page("submissions.write", looks="case", methods=("GET", "POST"))
def nothing(request: HttpRequest, reference: str, device: str) -> HttpResponse:
    """Record that there is nothing to submit from a device."""
    case = Case.objects.get_visible(request.user, reference)
    require(request.user, "submissions.write", case)
    found = _device(case, device)
    form = NothingForm(request.POST or None)

    def service() -> bool:
        services.nothing_to_submit(request.user, found, **form.cleaned_data)
        return True

    if request.method == "POST" and attempt(form, service):
        messages.success(request, f"Recorded: nothing to submit from {found.exhibit}.")
        return redirect("submissions:case_submissions", case.reference)
    look(request, "case", case, page="nothing to submit")
    return render(
        request,
        "form_page.html",
        {
            "title": f"Nothing to submit from {found.exhibit}",
            "caption": f"{case.reference} {case.title}",
            "form": form,
            "button": "Record",
            "cancel_url": reverse("submissions:case_submissions", args=[case.reference]),
        },
    )
