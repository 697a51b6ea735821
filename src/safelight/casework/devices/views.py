"""Pages of devices."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look, page, require
from safelight.casework.base.standards import standards
from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import views_of
from safelight.casework.devices import queries, services
from safelight.casework.devices.forms import (
    BookInForm,
    CustodyForm,
    DecisionForm,
    FindingFilter,
    ImageForm,
    category_words,
)
from safelight.casework.devices.models import Device, TriageRun
from safelight.casework.devices.release import gaps_of, still_needed
from safelight.casework.devices.runs import LIVE, TO_ACCOUNT_FOR
from safelight.casework.fleet.examinations import lifted_by
from safelight.casework.fleet.keeping import priority_of
from safelight.casework.fleet.lab import examinations_of
from safelight.casework.fleet.queries import looks_of


def find(request: HttpRequest, reference: str) -> Device:
    """The device if this person may see it, else 404."""
    device: Device = Device.objects.select_related("case__unit", "priority").get_visible(request.user, reference)
    return device


def find_run(device: Device, reference: str) -> TriageRun:
    """A run of this device, else 404."""
    run = device.runs.select_related("image", "queued_by", "accepted_by").filter(pk=TriageRun.key_of(reference)).first()
    if run is None:
        raise Http404(f"{device.reference} has no triage run {reference}.")
    return run


def with_query(path: str, **values: Any) -> str:
    """``path`` with those query values that are not empty."""
    query = urlencode({key: value for key, value in values.items() if value not in ("", None)})
    return f"{path}?{query}" if query else path


@page("devices.queue", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """The queue of all devices that the person sees, by priority and with its reasons."""
    known = {"state": queries.STANDINGS, "risk": standards().risks, "kind": Device.Kind.values}
    # Unknown values are dropped: what is typed into an address is no filter, and does not belong in the ledger.
    chosen = {
        name: request.GET.get(name, "") if request.GET.get(name, "") in all_ else "" for name, all_ in known.items()
    }
    rows = queries.queue(
        request.user,
        standing=chosen["state"],
        risk=chosen["risk"],
        kind=chosen["kind"],
        after=request.GET.get("after", ""),
    )
    look(request, "list", None, list="devices", shown=[device.reference for device in rows.rows], filter=chosen)
    here = reverse("devices:index")
    return render(
        request,
        "devices/index.html",
        {
            "rows": [
                (device, queries.STANDINGS[queries.standing_of(device)], priority_of(device)) for device in rows.rows
            ],
            "chosen": chosen,
            "states": [("", "All"), *((code, words) for code, (words, _) in queries.STANDINGS.items())],
            "risks": [("", "All"), *((level.id, level.title) for level in standards().risks.values())],
            "kinds": [("", "All"), *Device.Kind.choices],
            "pages": {
                "previous_url": with_query(here, **chosen) if request.GET.get("after") else "",
                "next_url": with_query(here, **chosen, after=rows.after) if rows.after else "",
            },
        },
    )


@page("devices.view", looks="case")
def case_devices(request: HttpRequest, reference: str) -> HttpResponse:
    """The devices of one case."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    look(request, "case", case, tab="devices")
    devices = queries.devices_of(case)
    return render(
        request,
        "devices/case_devices.html",
        {
            "case": case,
            "tab": "devices",
            "rows": [(device, queries.STANDINGS[queries.standing_of(device)]) for device in devices],
            "outstanding": queries.outstanding(case),
            "may_book_in": case.status == "open" and request.user.has_perm("devices.book_in", case),
        },
    )


@page("devices.book_in", looks="case", methods=("GET", "POST"))
def book_in(request: HttpRequest, reference: str) -> HttpResponse:
    """Book an exhibit in."""
    case = Case.objects.get_visible(request.user, reference)
    require(request.user, "devices.book_in", case)
    form = BookInForm(request.POST or None)
    if request.method == "POST":
        made = attempt(form, lambda: services.book_in(request.user, case, **form.cleaned_data))
        if made:
            messages.success(request, f"{made.exhibit} is booked in as {made.reference}. Its triage clock runs.")
            return redirect("devices:detail", made.reference)
    look(request, "case", case, page="book in a device")
    return render(
        request,
        "form_page.html",
        {
            "title": "Book in a device",
            "caption": f"{case.reference} {case.title}",
            "form": form,
            "button": "Book in",
            "cancel_url": reverse("devices:case_devices", args=[case.reference]),
        },
    )


@page("devices.view", looks="device")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """One device: where it stands, what triage found and did not read, custody, images, runs."""
    device = find(request, reference)
    look(request, "device", device)
    runs = queries.runs_of(device)
    run = find_run(device, request.GET["run"]) if request.GET.get("run") else (runs[0] if runs else None)
    user, case_is_open = request.user, device.case.status == "open"
    may = {name: user.has_perm(f"devices.{name}", device) for name in ("move", "decide", "register_image", "triage")}
    newest = queries.newest_runs(device)
    images = [(image, newest.get(image.pk)) for image in device.images.select_related("registered_by").order_by("pk")]
    context = {
        "device": device,
        "case": device.case,
        "run": run,
        "runs": runs,
        "images": images,
        "custody": queries.custody_of(device),
        "clocks": views_of(
            Clock.objects.filter(subject_type="devices.device", subject_id=device.pk).order_by("triggered_at", "pk")
        ),
        "may": {name: allowed and case_is_open for name, allowed in may.items()},
        "may_move": may["move"],
        "priority": priority_of(device),
        "looks": looks_of(device),
        "may_look": bool(images) and case_is_open and user.has_perm("fleet.first_answer", device),
        "may_import": case_is_open and user.has_perm("fleet.import", device),
        "examinations": examinations_of(device, user),
        "lifted_by": lifted_by,
        "may_submit": user.has_perm("fleet.submit", device),
        "may_examine": user.has_perm("fleet.examine", device),
        "releases": list(device.releases.select_related("decided_by", "event", "withdrawn_by")[:20]),
        "held": not device.custody.filter(action__in=["returned", "destroyed"]).exists(),
        "needed": still_needed(device) if user.has_perm("devices.release", device) else [],
        "gaps": gaps_of(device),
        "may_release": user.has_perm("devices.release", device),
        "startable": [
            image
            for image, latest in images
            if may["triage"]
            and case_is_open
            and device.decision != "not_triaged"
            and not (latest and latest.state in LIVE)
            # What a field bench read lies there and not here.
            and not (latest and hasattr(latest, "bench_report"))
        ],
    }
    if run is not None:
        context |= _run_context(request, device, run)
    return render(request, "devices/detail.html", context)


def _run_context(request: HttpRequest, device: Device, run: TriageRun) -> dict[str, Any]:
    """What the run's part of the page shows."""
    tally = queries.tally(run)
    categories = list(dict.fromkeys(row["category"] for row in tally if not row["known_good"]))
    form = FindingFilter(request.GET, categories=categories)
    after = request.GET.get("after", "")
    rows = queries.findings(run, **form.arguments(), after=int(after) if after.isdecimal() and len(after) < 16 else 0)
    here = reverse("devices:detail", args=[device.reference])
    kept = {name: request.GET.get(name, "") for name in ("run", "kind", "category", "state")}
    return {
        "live": run.state in LIVE,
        "report": getattr(run, "bench_report", None),
        "progress": queries.progress_of(run),
        "unread": list(run.unread.all()[: queries.MOST_LISTED]),
        "tally": [{**row, "words": category_words(row["category"])} for row in tally if not row["known_good"]],
        "good": [row for row in tally if row["known_good"]],
        "filter_form": form,
        "findings": [(finding, category_words(finding.category)) for finding in rows.rows],
        "hash_sets": list(run.hash_sets.order_by("name")),
        "may_account": (
            run.state in TO_ACCOUNT_FOR
            and run.accepted_at is None
            and request.user.has_perm("devices.accept_unread", device)
        ),
        "pages": {
            "previous_url": with_query(here, **kept) if after else "",
            "next_url": with_query(here, **kept, after=rows.after) if rows.after else "",
        },
    }


def step(
    request: HttpRequest, device: Device, form: Any, service: Any, *, title: str, said: str, **context: Any
) -> HttpResponse:
    """One form about one device: run ``service`` with the form's values, say so, go back to the device."""
    if request.method == "POST" and attempt(form, service):
        messages.success(request, said)
        return redirect("devices:detail", device.reference)
    look(request, "device", device, page=title)
    back = reverse("devices:detail", args=[device.reference])
    values = {"title": title, "caption": f"{device.reference} {device.exhibit}", "form": form, "cancel_url": back}
    return render(request, "form_page.html", {**values, **context})


@page("devices.move", looks="device", methods=("GET", "POST"))
def custody(request: HttpRequest, reference: str) -> HttpResponse:
    """Record the next link of the chain of custody."""
    device = find(request, reference)
    require(request.user, "devices.move", device)
    last = device.custody.last()
    start = {"handed_by": last.received_by, "place": last.place} if last else {}
    form = CustodyForm(request.POST or None, initial=start)
    return step(
        request,
        device,
        form,
        lambda: services.move(request.user, device, **form.cleaned_data),
        title="Record custody",
        said="Custody recorded.",
        button="Record",
    )


@page("devices.decide", looks="device", methods=("GET", "POST"))
def decision(request: HttpRequest, reference: str) -> HttpResponse:
    """Decide whether the device is triaged."""
    device = find(request, reference)
    require(request.user, "devices.decide", device)
    known = device.decision if device.decided_at else ""
    form = DecisionForm(request.POST or None, initial={"decision": known, "reason": device.decision_reason})
    return step(
        request,
        device,
        form,
        lambda: services.decide(request.user, device, **form.cleaned_data),
        title="Triage decision",
        said="Decision recorded.",
        button="Record the decision",
    )


@page("devices.register_image", looks="device", methods=("GET", "POST"))
def image(request: HttpRequest, reference: str) -> HttpResponse:
    """Register an image of the device."""
    device = find(request, reference)
    require(request.user, "devices.register_image", device)
    form = ImageForm(request.POST or None)
    return step(
        request,
        device,
        form,
        lambda: services.register_image(
            request.user,
            device,
            path=form.cleaned_data["chosen"],
            imaged_at=form.cleaned_data["imaged_at"],
            bench=form.cleaned_data["bench"],
        ),
        title="Register an image",
        said="The image is registered. It is only ever read.",
        button="Register",
        intro="An image here is a forensic copy of the device.",
    )
