"""Public reports: draft with one click, read as the public will, publish, take its files."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from safelight.casework.base.policy import look, page
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.oversight import queries
from safelight.casework.oversight.files import context, write_files
from safelight.casework.oversight.models import PublicReport
from safelight.casework.oversight.reporting import draft, last_quarter
from safelight.casework.oversight.reporting import publish as publish_report
from safelight.casework.oversight.safe import policy_in_force
from safelight.errors import CaseworkError

TYPES = {".html": "text/html", ".pdf": "application/pdf", ".json": "application/json", ".csv": "text/csv"}


def find(reference: str) -> PublicReport:
    """The report, else 404."""
    row = PublicReport.objects.select_related("extract", "made_by").filter(pk=PublicReport.key_of(reference)).first()
    if row is None:
        raise Http404(f"There is no public report {reference}.")
    return row


@page("oversight.view", looks="list", methods=("GET", "POST"))
def index(request: HttpRequest) -> HttpResponse:
    """Every report; a POST drafts the one of the quarter given (left out: the last one that is over)."""
    if request.method == "POST":
        try:
            made = draft(request.user, request.POST.get("quarter", "").strip() or last_quarter())
        except CaseworkError as error:
            messages.error(request, str(error))
            return redirect("oversight:reports")
        return redirect("oversight:report", reference=made.reference)
    rows = list(PublicReport.objects.select_related("made_by")[:200])
    look(request, "list", None, list="public reports", shown=[row.reference for row in rows])
    context_ = {
        "rows": rows, "quarter": last_quarter(), "extract": queries.latest(), "policy": policy_in_force(),
        "may_report": request.user.has_perm("oversight.report"),
    }  # fmt: skip
    return render(request, "oversight/reports.html", context_)


@page("oversight.view", looks="report")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """One report as the public reads it, with the proof of its attack."""
    row = find(reference)
    look(request, "report", row)
    may = request.user.has_perm("oversight.report")
    return render(request, "oversight/report.html", {**context(row), "may_report": may, "files": row.files()})


@page("oversight.report", methods=("GET", "POST"))
def publish(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask once more, then publish."""
    row = find(reference)
    if request.method == "POST":
        try:
            publish_report(request.user, row)
        except CaseworkError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{row.quarter} is published. Its files are below.")
        return redirect("oversight:report", reference=row.reference)
    return render(request, "oversight/publish.html", {"report": row})


@page("oversight.view")
def file(request: HttpRequest, reference: str, name: str) -> FileResponse:
    """One file of a published report. Recorded in the ledger."""
    row = find(reference)
    if row.state == PublicReport.State.PUBLISHED and not row.files():
        write_files(row)  # a restored database: everything in them is in the row
    path = next((one for one in row.files() if one.name == name), None)
    if path is None:
        raise Http404(f"{row.reference} has no file {name}.")
    record(request.user, "report.taken", row, category=Category.DISCLOSURE, payload={"file": path.name})
    kind = TYPES.get(path.suffix, "application/octet-stream")
    return FileResponse(path.open("rb"), content_type=kind, as_attachment=True, filename=f"{row.quarter}-{path.name}")
