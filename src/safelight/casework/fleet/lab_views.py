"""Pages of the forensic queue: the order with its reasons, ageing, and the steps of one examination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import posted
from safelight.casework.base.policy import look as log_look
from safelight.casework.base.policy import page, require
from safelight.casework.base.standards import standards
from safelight.casework.devices.models import Device
from safelight.casework.devices.views import find, step, with_query
from safelight.casework.fleet import examinations, lab, queries
from safelight.casework.fleet.forms import BlockForm, CompleteForm, SubmitForm, UnblockForm, WithdrawForm
from safelight.casework.fleet.models import Examination
from safelight.errors import CaseworkError
from safelight.standards.forensic_queue import queue_rule


@page("fleet.view", looks="list")
def forensic_queue(request: HttpRequest) -> HttpResponse:
    """Which device is examined next and why; how old everything is, from seizure and from submission; by unit."""
    units = lab.by_unit(request.user)
    bands = [row[0] for row in queries.AGES]
    known = {
        "state": lab.STATES, "seized": bands, "submitted": bands, "risk": standards().risks,
        "kind": Device.Kind.values, "unit": dict(queries.units(request.user)),
    }  # fmt: skip
    chosen = {
        name: request.GET.get(name, "") if request.GET.get(name, "") in all_ else "" for name, all_ in known.items()
    }
    rows = lab.listed(request.user, chosen, after=request.GET.get("after", ""))
    shown = [row.examination.reference for row in rows.rows]
    log_look(request, "list", None, list="forensic queue", shown=shown, filter=chosen)
    here = reverse("fleet:forensic_queue")
    every = ("", "All")
    ages = [every, *((row[0], row[1]) for row in queries.AGES)]
    context = {
        "rows": rows.rows,
        "chosen": chosen,
        "units": units,
        "ageings": [lab.ageing(request.user, since, chosen) for since in lab.FROM],
        "states": lab.STATES,
        "rule": queue_rule(),
        "lifted_by": examinations.lifted_by,
        "choices": [
            ("state", "Where it stands", [("", "All that are open"), *((c, row[0]) for c, row in lab.STATES.items())]),
            ("unit", "Unit", [every, *queries.units(request.user)]),
            ("risk", "Risk of the case", [every, *((r.id, r.title) for r in standards().risks.values())]),
            ("kind", "Kind of device", [every, *Device.Kind.choices]),
            ("seized", "Since seizure", ages),
            ("submitted", "Since submission", ages),
        ],
        "pages": {
            "previous_url": with_query(here, **chosen) if request.GET.get("after") else "",
            "next_url": with_query(here, **chosen, after=rows.after) if rows.after else "",
        },
    }
    return render(request, "fleet/forensic_queue.html", context)


def _examination(device: Device, reference: str) -> Examination:
    """An examination of this device, else 404."""
    found = device.examinations.select_related("examiner").filter(pk=Examination.key_of(reference)).first()
    if found is None:
        raise Http404(f"{device.reference} has no examination {reference}.")
    return found


@page("fleet.submit", looks="device", methods=("GET", "POST"))
def submit(request: HttpRequest, reference: str) -> HttpResponse:
    """Send the device for full examination."""
    device = find(request, reference)
    require(request.user, "fleet.submit", device)
    form = SubmitForm(posted(request))
    return step(
        request, device, form, lambda: examinations.submit(request.user, device, **form.cleaned_data),
        title="Send for full examination", button="Send", said=f"{device.exhibit} waits in the forensic queue.",
    )  # fmt: skip


@page("fleet.examine", methods=("POST",))
def take(request: HttpRequest, reference: str, examination: str) -> HttpResponse:
    """An examiner takes the device."""
    device = find(request, reference)
    try:
        taken = examinations.take(request.user, _examination(device, examination))
    except CaseworkError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{taken.reference} is yours.")
    return redirect("devices:detail", device.reference)


def _step(
    request: HttpRequest, reference: str, examination: str, rule: str, make: Any, service: Callable[..., Any],
    **context: Any,
) -> HttpResponse:  # fmt: skip
    device = find(request, reference)
    require(request.user, rule, device)
    found = _examination(device, examination)
    form = make(posted(request))
    return step(
        request, device, form, lambda: service(request.user, found, **form.cleaned_data),
        intro=f"{found.reference}, {found.get_state_display().lower()}. Asked for: {found.asked_for}", **context,
    )  # fmt: skip


@page("fleet.block", looks="device", methods=("GET", "POST"))
def block(request: HttpRequest, reference: str, examination: str) -> HttpResponse:
    """Record what keeps the examination from going on."""
    return _step(
        request, reference, examination, "fleet.block", BlockForm, examinations.block,
        title="What keeps it from going on", button="Record", said="Recorded. It counts as blocked.",
    )  # fmt: skip


@page("fleet.block", looks="device", methods=("GET", "POST"))
def unblock(request: HttpRequest, reference: str, examination: str) -> HttpResponse:
    """Record that the examination can go on."""
    return _step(
        request, reference, examination, "fleet.block", UnblockForm, examinations.unblock,
        title="It can go on", button="Record", said="Recorded. It goes on with the age that it has.",
    )  # fmt: skip


@page("fleet.examine", looks="device", methods=("GET", "POST"))
def complete(request: HttpRequest, reference: str, examination: str) -> HttpResponse:
    """Complete the examination."""
    return _step(
        request, reference, examination, "fleet.examine", CompleteForm, examinations.complete,
        title="Complete the examination", button="Complete", said="The examination is complete.",
    )  # fmt: skip


@page("fleet.withdraw", looks="device", methods=("GET", "POST"))
def withdraw(request: HttpRequest, reference: str, examination: str) -> HttpResponse:
    """The examination is no longer wanted."""
    return _step(
        request, reference, examination, "fleet.withdraw", WithdrawForm, examinations.withdraw,
        title="Withdraw from examination", button="Withdraw", said="Withdrawn, with your reason.", destructive=True,
    )  # fmt: skip
