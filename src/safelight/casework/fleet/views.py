"""Pages: all devices of the force, first answers, and reports of field benches."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look as log_look
from safelight.casework.base.policy import page, require
from safelight.casework.base.standards import standards
from safelight.casework.devices.live import REPORTS, open_report
from safelight.casework.devices.models import Device
from safelight.casework.devices.views import find, with_query
from safelight.casework.fleet import queries
from safelight.casework.fleet.forms import AskForm, ImportForm
from safelight.casework.fleet.importing import import_report, unpack
from safelight.casework.fleet.models import FirstLook
from safelight.casework.fleet.services import ask_first_answer
from safelight.errors import CaseworkError

LIVE = (FirstLook.State.QUEUED, FirstLook.State.RUNNING)


def find_look(device: Device, reference: str) -> FirstLook:
    """A first answer about this device, else 404."""
    looks = device.first_looks.select_related("image", "asked_by", "bench_report__imported_by")
    found = looks.filter(pk=FirstLook.key_of(reference)).first()
    if found is None:
        raise Http404(f"{device.reference} has no first answer {reference}.")
    return found


@page("fleet.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """All devices that the person sees: a picture of where they stand and how old they are, and a table."""
    units = queries.units(request.user)
    known = {
        "group": queries.GROUPS, "age": [row[0] for row in queries.AGES], "risk": standards().risks,
        "kind": Device.Kind.values, "unit": dict(units), "first": ("yes", "no"), "order": queries.ORDERS,
    }  # fmt: skip
    chosen = {
        name: request.GET.get(name, "") if request.GET.get(name, "") in all_ else "" for name, all_ in known.items()
    }
    rows = queries.fleet(request.user, chosen, after=request.GET.get("after", ""))
    bars, sums = queries.picture(request.user)
    log_look(request, "list", None, list="fleet", shown=[row.device.reference for row in rows.rows], filter=chosen)
    here = reverse("fleet:index")
    every = ("", "All")
    return render(
        request,
        "fleet/index.html",
        {
            "rows": rows.rows,
            "chosen": chosen,
            "bars": bars,
            "sums": sums,
            "groups": queries.GROUPS,
            "choices": [
                ("group", "Where it stands", [every, *((c, row[0]) for c, row in queries.GROUPS.items())]),
                ("age", "Since seizure", [every, *((row[0], row[1]) for row in queries.AGES)]),
                ("risk", "Risk of the case", [every, *((r.id, r.title) for r in standards().risks.values())]),
                ("kind", "Kind of device", [every, *Device.Kind.choices]),
                ("unit", "Unit", [every, *units]),
                ("first", "First answer", [every, ("yes", "Given"), ("no", "None yet")]),
                ("order", "Order", list(queries.ORDERS.items())),
            ],
            "pages": {
                "previous_url": with_query(here, **chosen) if request.GET.get("after") else "",
                "next_url": with_query(here, **chosen, after=rows.after) if rows.after else "",
            },
        },
    )


@page("fleet.first_answer", methods=("POST",))
def ask(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask for a first answer."""
    device = find(request, reference)
    form = AskForm(request.POST)
    minutes = form.cleaned_data["minutes"] if form.is_valid() else 5
    key = request.POST.get("image", "")
    image = device.images.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 16 else None
    try:
        look = ask_first_answer(request.user, device, image, minutes=minutes)
    except CaseworkError as error:
        messages.error(request, str(error))
        return redirect("devices:detail", device.reference)
    messages.success(request, f"First answer {look.reference} is waiting for a worker.")
    return redirect("fleet:look", device.reference, look.reference)


@page("fleet.import", looks="device", methods=("GET", "POST"))
def field_report(request: HttpRequest, reference: str) -> HttpResponse:
    """Import the report of a field bench."""
    device = find(request, reference)
    require(request.user, "fleet.import", device)
    form = ImportForm(request.POST or None, request.FILES or None, images=device.images.order_by("pk"))
    if request.method == "POST":
        made = attempt(form, lambda: _import(request.user, device, form.cleaned_data))
        if made:
            row, new = made
            said = "is imported" if new else "was imported before; nothing was changed"
            messages.success(request, f"The report {said}: {row.reference}.")
            return redirect("devices:detail", device.reference)
    log_look(request, "device", device, page="import a field report")
    return render(
        request,
        "form_page.html",
        {
            "title": "Import the report of a field bench",
            "caption": f"{device.reference} {device.exhibit}",
            "form": form,
            "button": "Import",
            "cancel_url": reverse("devices:detail", args=[device.reference]),
            "intro": "A run that was made without this database comes in as it is: checked, and not run again.",
        },
    )


def _import(user: Any, device: Device, data: dict[str, Any]) -> Any:
    image = device.images.filter(pk=int(data["image"])).first() if data.get("image") else None
    with tempfile.TemporaryDirectory(prefix="safelight-report-") as folder:
        unpack(data["file"], Path(folder))
        return import_report(user, device, Path(folder), seal=data.get("seal") or "", image=image)


@page("devices.view", looks="device")
def detail(request: HttpRequest, reference: str, look: str) -> HttpResponse:
    """One first answer: how far it is, or what it says and does not say."""
    device = find(request, reference)
    found = find_look(device, look)
    log_look(request, "device", device, first_answer=found.reference)
    context = {"device": device, "case": device.case, "look": found, "live": found.state in LIVE}
    return render(request, "fleet/look.html", context)


@page("devices.view", looks="device", unlogged="A part of the first answer's page, which is logged when it is opened.")
def progress(request: HttpRequest, reference: str, look: str) -> HttpResponse:
    """How far a first answer is; tells the page to load itself anew once it is there."""
    device = find(request, reference)
    found = find_look(device, look)
    if found.state not in LIVE:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "fleet/_progress.html", {"device": device, "look": found})


@page("devices.view", looks="device")
def report(request: HttpRequest, reference: str, look: str, name: str) -> HttpResponse:
    """A report file of a first answer, as a download; each one is logged."""
    device = find(request, reference)
    found = find_look(device, look)
    if name not in REPORTS or not found.report_folder:
        raise Http404("There is no such report.")
    file = open_report(found.report_folder, name)
    log_look(request, "device", device, report=name, first_answer=found.reference)
    return FileResponse(file, as_attachment=True, filename=f"{found.reference}-{name}", content_type=REPORTS[name])
