"""Pages of hash sets."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look, page
from safelight.casework.base.standards import standards
from safelight.casework.hashsets import queries, services
from safelight.casework.hashsets.forms import ImportForm, RetireForm
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.hashsets.tabs import tabs
from safelight.casework.hashsets.work import is_stale

DIGESTS = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "pdq": "PDQ (likeness)"}


def find(reference: str) -> HashSetRecord:
    """The hash set, else 404."""
    row = HashSetRecord.objects.select_related("imported_by").filter(pk=HashSetRecord.key_of(reference)).first()
    if row is None:
        raise Http404(f"There is no hash set {reference}.")
    return row


@page("hashsets.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Hash sets in use, or retired ones."""
    retired = request.GET.get("show") == "retired"
    rows = queries.held(retired=retired, before=request.GET.get("before", ""))
    look(request, "list", None, list="hash sets", shown=[row.reference for row in rows.rows], retired=retired)
    here = reverse("hashsets:index")
    show = "show=retired&" if retired else ""
    return render(
        request,
        "hashsets/index.html",
        {
            "rows": [(row, row.retired_at is None and is_stale(row)) for row in rows.rows],
            "retired": retired,
            "kinds": services.KINDS,
            "tabs": tabs("Retired" if retired else "In use"),
            "may_import": request.user.has_perm("hashsets.import"),
            "pages": {
                "previous_url": f"{here}?{show}" if request.GET.get("before") else "",
                "next_url": f"{here}?{show}before={rows.after}" if rows.after else "",
            },
        },
    )


@page("hashsets.view", looks="hashset")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """One hash set: what it holds, from whom, on what basis, and what of its file is not in it."""
    row = find(reference)
    look(request, "hashset", row)
    rows = queries.problems(row, after=request.GET.get("after", ""))
    here = reverse("hashsets:detail", args=[row.reference])
    return render(
        request,
        "hashsets/detail.html",
        {
            "row": row,
            "kind": services.KINDS.get(row.kind, row.kind),
            "categories": _categories(row),
            "digests": [(DIGESTS.get(name, name), number) for name, number in row.counts.get("by_hash", {}).items()],
            "unmapped": row.counts.get("unmapped", []),
            "versions": queries.versions(row),
            "stale": row.retired_at is None and is_stale(row),
            "held": row.held.filter(released_at=None).count(),
            "overlaps": queries.overlaps_of(row),
            "problems": rows.rows,
            "may_retire": row.retired_at is None and request.user.has_perm("hashsets.retire"),
            "pages": {
                "previous_url": here if request.GET.get("after") else "",
                "next_url": f"{here}?after={rows.after}" if rows.after else "",
            },
        },
    )


def _categories(row: HashSetRecord) -> list[tuple[str, int]]:
    known = standards().categories
    counted: dict[str, int] = row.counts.get("by_category", {})
    order = sorted(counted, key=lambda code: known[code].order if code in known else 99)
    return [(known[code].title if code in known else code or "No category", counted[code]) for code in order]


@page("hashsets.import", methods=("GET", "POST"))
def import_list(request: HttpRequest) -> HttpResponse:
    """Import a list that is uploaded."""
    form = ImportForm(request.POST or None, request.FILES or None, initial={"kind": "known"})
    if request.method == "POST":
        made = attempt(form, lambda: _import(request.user, form.cleaned_data))
        if made:
            left_out = made.counts["rejected"]
            said = f"{made.name} is imported: {made.counts['entries']:,} entries."
            if left_out or made.counts["unmapped"]:
                messages.warning(request, f"{said} {left_out:,} rows were left out; see below what and why.")
            else:
                messages.success(request, said)
            return redirect("hashsets:detail", made.reference)
    return render(
        request,
        "form_page.html",
        {
            "title": "Import a hash set",
            "form": form,
            "button": "Import",
            "cancel_url": reverse("hashsets:index"),
            "intro": "A list is taken whole or not at all. Single rows that cannot be used are listed with the reason.",
        },
    )


def _import(user: Any, data: dict[str, Any]) -> HashSetRecord:
    upload = data["file"]
    with tempfile.TemporaryDirectory(prefix="safelight-list-") as folder:
        path = Path(folder) / "list"
        with path.open("wb") as file:
            for piece in upload.chunks():
                file.write(piece)
        kept = ("name", "kind", "version", "source", "legal_basis", "fresh_days", "size_confirmed")
        values = {name: data[name] for name in kept}
        return services.import_hash_set(user, path=path, file_name=Path(upload.name).name, **values)


@page("hashsets.retire", looks="hashset", methods=("GET", "POST"))
def retire(request: HttpRequest, reference: str) -> HttpResponse:
    """Take a hash set out of use."""
    row = find(reference)
    form = RetireForm(request.POST or None)
    if request.method == "POST" and attempt(form, lambda: services.retire(request.user, row, **form.cleaned_data)):
        messages.success(request, f"{row.name} is retired. Earlier findings stay.")
        return redirect("hashsets:detail", row.reference)
    look(request, "hashset", row, page="retire")
    back = reverse("hashsets:detail", args=[row.reference])
    return render(
        request,
        "form_page.html",
        {
            "title": f"Retire {row.name}",
            "caption": row.reference,
            "form": form,
            "button": "Retire",
            "destructive": True,
            "cancel_url": back,
            "intro": "Triage runs from now on do not use it. Devices that were triaged with it keep their findings.",
        },
    )
