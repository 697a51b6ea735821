"""Pages of triage runs: asking for one, watching it, stopping it, accounting for it, and its report."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from safelight.casework.base.policy import look, page, require
from safelight.casework.devices import queries, services
from safelight.casework.devices.forms import AcceptForm
from safelight.casework.devices.runs import LIVE
from safelight.casework.devices.views import find, find_run, step
from safelight.errors import CaseworkError, EvidenceError
from safelight.triage import TriageResult

REPORTS = {
    "report.html": "text/html; charset=utf-8",
    "report.pdf": "application/pdf",
    "report.json": "application/json",
    "findings.csv": "text/csv; charset=utf-8",
    "case-uco.jsonld": "application/ld+json",
    "vics.json": "application/json",
    "SHA256SUMS": "text/plain; charset=utf-8",
}


@page("devices.triage", methods=("POST",))
def triage(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask for triage of one image."""
    device = find(request, reference)
    key = request.POST.get("image", "")
    image = device.images.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 16 else None
    try:
        run = services.queue_triage(request.user, device, image)
    except CaseworkError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Triage {run.reference} is waiting for a worker.")
    return redirect("devices:detail", device.reference)


@page("devices.view", looks="device", unlogged="A part of the device's page, which is logged when it is opened.")
def progress(request: HttpRequest, reference: str, run: str) -> HttpResponse:
    """How far a run is; tells the page to load itself anew once the run has ended."""
    device = find(request, reference)
    found = find_run(device, run)
    if found.state not in LIVE:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    context = {
        "device": device, "run": found, "progress": queries.progress_of(found), "places": queries.places_of(found),
    }  # fmt: skip
    return render(request, "devices/_progress.html", context)


@page("devices.triage", methods=("POST",))
def cancel(request: HttpRequest, reference: str, run: str) -> HttpResponse:
    """Stop a run."""
    device = find(request, reference)
    try:
        stopped = services.cancel_run(request.user, find_run(device, run))
    except CaseworkError as error:
        messages.error(request, str(error))
    else:
        ended = stopped.state not in LIVE
        messages.success(request, f"{stopped.reference} {'is stopped' if ended else 'stops at its next step'}.")
    return redirect("devices:detail", device.reference)


@page("devices.accept_unread", looks="device", methods=("GET", "POST"))
def account(request: HttpRequest, reference: str, run: str) -> HttpResponse:
    """Account for what a run did not read."""
    device = find(request, reference)
    require(request.user, "devices.accept_unread", device)
    found = find_run(device, run)
    form = AcceptForm(request.POST or None)
    return step(
        request,
        device,
        form,
        lambda: services.accept_unread(request.user, found, **form.cleaned_data),
        title="Account for unread parts",
        said="Recorded. The parts stay marked as not read.",
        button="Record",
        intro=found.verdict or found.failure,
    )


@page("devices.view", looks="device")
def report(request: HttpRequest, reference: str, run: str, name: str) -> HttpResponse:
    """A report file of a run, as a download; each one is logged."""
    device = find(request, reference)
    found = find_run(device, run)
    if name not in REPORTS or not found.report_folder:
        raise Http404("There is no such report.")
    file = open_report(found.report_folder, name)
    look(request, "device", device, report=name, run=found.reference)
    return FileResponse(file, as_attachment=True, filename=f"{found.reference}-{name}", content_type=REPORTS[name])


def open_report(folder: str, name: str) -> BinaryIO:
    """A report file, open; the PDF is made from the record when it is first asked for.

    Raises:
        Http404: it is not there.
    """
    place = Path(settings.REPORTS_ROOT) / folder
    try:
        if name == "report.pdf" and not (place / name).exists():
            from safelight.triage.exports.paper import render_pdf

            record = json.loads((place / "report.json").read_text("utf-8"))
            return BytesIO(render_pdf(TriageResult.from_json(record)))
        return (place / name).open("rb")
    except (OSError, ValueError, EvidenceError) as error:
        raise Http404(f"The report file {name} is not in its place.") from error
