"""Importing files of referrals, and the quarantine."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look, page
from safelight.casework.referrals.forms import ImportForm, ResolveForm
from safelight.casework.referrals.imports import MOST_BYTES
from safelight.casework.referrals.models import ImportBatch, ImportLine
from safelight.casework.referrals.queries import lines_of, quarantined, recent_imports
from safelight.casework.referrals.services import import_file, resolve_quarantined

PAGE = 50


@page("referrals.import", looks="list", methods=("GET", "POST"))
def upload(request: HttpRequest) -> HttpResponse:
    """Upload a file; the result is shown line by line."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST":

        def step() -> ImportBatch:
            file: Any = form.cleaned_data["file"]
            # One byte more than may be: the service then says how much is allowed, and the rest is never read.
            return import_file(request.user, name=file.name, content=file.read(MOST_BYTES + 1))

        made = attempt(form, step)
        if made is not None:
            return redirect("referrals:batch", reference=made.reference)
    recent = list(recent_imports())
    look(request, "list", None, list="imports", shown=[row.reference for row in recent])
    context = {
        "title": "Import referrals",
        "form": form,
        "button": "Import",
        "recent": recent,
        "cancel_url": reverse("referrals:desk"),
    }
    return render(request, "referrals/import.html", context)


@page("referrals.import", looks="import")
def batch(request: HttpRequest, reference: str) -> HttpResponse:
    """What became of each record of one file."""
    row = ImportBatch.objects.select_related("imported_by").filter(pk=ImportBatch.key_of(reference)).first()
    if row is None:
        raise Http404(f"There is no import {reference}.")
    look(request, "import", row)
    lines = lines_of(row, request.user)
    counts = {label: sum(line.outcome == code for line, _ in lines) for code, label in ImportLine.Outcome.choices}
    return render(request, "referrals/batch.html", {"batch": row, "lines": lines, "counts": counts})


@page("referrals.import", looks="list")
def quarantine(request: HttpRequest) -> HttpResponse:
    """Records that could not be imported, oldest first. ``?after=<key>`` for the next page."""
    after = request.GET.get("after", "")
    rows = quarantined()
    if after.isascii() and after.isdigit() and len(after) < 16:
        rows = rows.filter(pk__gt=int(after))
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    look(request, "list", None, list="quarantine", shown=[f"{line.batch.reference}/{line.number}" for line in shown])
    pages = {
        "previous_url": reverse("referrals:quarantine") if after else "",
        "next_url": f"?after={shown[-1].pk}" if len(found) > PAGE else "",
    }
    return render(request, "referrals/quarantine.html", {"lines": shown, "pages": pages})


@page("referrals.import", looks="import", methods=("GET", "POST"))
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """One quarantined record with its text, and the form to say what was done."""
    line = (
        ImportLine.objects.filter(pk=pk, outcome=ImportLine.Outcome.QUARANTINED)
        .select_related("batch", "resolved_by")
        .first()
    )
    if line is None:
        raise Http404("There is no such quarantined record.")
    look(request, "import", line.batch, record=line.number)
    form = ResolveForm(request.POST or None)
    if request.method == "POST":
        made = attempt(
            form, lambda: resolve_quarantined(request.user, line, resolution=form.cleaned_data["resolution"])
        )
        if made is not None:
            messages.success(request, "The record is resolved. Its text is kept with what was done.")
            return redirect("referrals:quarantine")
    context = {
        "title": "Resolve a quarantined record",
        "caption": f"{line.batch.reference}, record {line.number}",
        "form": form,
        "line": line,
        "button": "Record what was done",
        "cancel_url": reverse("referrals:quarantine"),
    }
    return render(request, "referrals/resolve.html", context)
