"""A register taken over from a file, and visits handed over to the planner of rounds."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe

from safelight.casework.accounts.models import User
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.offenders import forms
from safelight.casework.offenders.importing import COLUMNS, MOST_BYTES, NEEDED, import_register
from safelight.casework.offenders.models import RegisterImport, RegisterLine, Rounds
from safelight.casework.offenders.queries import due_this_week
from safelight.casework.offenders.rounds import latest_rounds, names_of, plan_visit_rounds, without_place


@page("offenders.import", looks="list", methods=("GET", "POST"))
def upload(request: HttpRequest) -> HttpResponse:
    """Upload a register; the result is shown line by line."""
    form = forms.ImportForm(posted(request), request.FILES or None)
    if request.method == "POST":

        def step() -> RegisterImport:
            file: Any = form.cleaned_data["file"]
            return import_register(request.user, name=file.name, content=file.read(MOST_BYTES + 1))

        made = attempt(form, step)
        if made is not None:
            return redirect("offenders:batch", reference=made.reference)
    mine = RegisterImport.objects.filter(imported_by__unit=request.user.unit_id).select_related("imported_by")
    recent = list(mine.order_by("-pk")[:10])
    look(request, "list", None, list="register imports", shown=[row.reference for row in recent])
    context = {
        "title": "Take over a register", "form": form, "button": "Import", "recent": recent, "columns": COLUMNS,
        "needed": NEEDED, "cancel_url": reverse("offenders:index"),
    }  # fmt: skip
    return render(request, "offenders/import.html", context)


@page("offenders.import", looks="register_import")
def batch(request: HttpRequest, reference: str) -> HttpResponse:
    """What became of each line of one file; of the own unit's imports."""
    rows = RegisterImport.objects.filter(imported_by__unit=request.user.unit_id).select_related("imported_by")
    row = rows.filter(pk=RegisterImport.key_of(reference)).first() if request.user.unit_id else None
    if row is None:
        raise Http404(f"There is no import {reference} that you may see.")
    look(request, "register_import", row)
    lines = list(row.lines.select_related("offender"))
    counts = {label: sum(line.outcome == code for line in lines) for code, label in RegisterLine.Outcome.choices}
    return render(request, "offenders/batch.html", {"batch": row, "lines": lines, "counts": counts})


@page("offenders.manage", looks="list", methods=("GET", "POST"))
def rounds(request: HttpRequest) -> HttpResponse:
    """Visits due this week of one officer (``?manager=<username>``), and their rounds."""
    user = request.user
    managers = forms.managers_of(user.unit_id)
    chosen = request.POST.get("manager") or request.GET.get("manager", "")
    manager = managers.filter(username=chosen[:150].replace("\x00", "")).first() or _first(user, managers)
    kept = latest_rounds(user, manager) if manager else None
    last = kept or (Rounds.objects.filter(unit=user.unit_id).first() if user.unit_id else None)
    start: dict[str, Any] = {
        "first_day": timezone.localdate(),
        "days": 5,
        "manager": manager.username if manager else "",
    }
    if last:
        start |= {"latitude": last.latitude, "longitude": last.longitude}
    form = forms.RoundsForm(posted(request), initial=start, managers=managers, officers=forms.officers_of(user.unit_id))
    if request.method == "POST":
        made = attempt(form, lambda: plan_visit_rounds(user, **form.cleaned_data))
        if made is not None:
            messages.success(request, "The rounds are planned. They are for the officers who go, and nobody else.")
            return redirect(f"{reverse('offenders:rounds')}?manager={made.manager.username}")
    due = due_this_week(user, manager) if manager else []
    names = names_of(user, kept) if kept else {}
    seen = sorted({row.offender.reference for row in due} | set(names))
    look(request, "list", None, list="visit rounds", shown=seen)
    context = {
        "form": form, "manager": manager, "managers": managers, "due": due, "without": without_place(due), "kept": kept,
        "names": names, "svg": mark_safe(kept.svg) if kept else "",  # noqa: S308 - drawn by us, text escaped
    }  # fmt: skip
    return render(request, "offenders/rounds.html", context)


def _first(user: User, managers: Any) -> User | None:
    return user if user.role == "offender_manager" else managers.first()
