"""Pages of overlaps, quarantine, the negative bank, and what newer lists know of earlier runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.hashsets import quarantine as bank
from safelight.casework.hashsets import queries, rechecks
from safelight.casework.hashsets.forms import HoldForm, NegativeForm, ReasonForm
from safelight.casework.hashsets.models import HashSetRecord, HeldEntry, NegativeEntry, Recheck, RecheckHit, SetOverlap
from safelight.casework.hashsets.tabs import tabs
from safelight.casework.hashsets.views import find


def _pages(name: str, request: HttpRequest, rows: queries.Rows, extra: str = "") -> dict[str, str]:
    here = reverse(name)
    return {
        "previous_url": f"{here}?{extra}" if request.GET.get("before") else "",
        "next_url": f"{here}?{extra}before={rows.after}" if rows.after else "",
    }


def _one(found: Any, pk: int, what: str) -> Any:
    row = found.filter(pk=pk).first()
    if row is None:
        raise Http404(f"There is no {what} {pk}.")
    return row


def _step(
    request: HttpRequest, form: forms.Form, act: Callable[[], Any], *, said: str, back: str, **context: Any
) -> HttpResponse:
    """A page with one form: act, say so and go back, or show what is wrong."""
    if request.method == "POST" and attempt(form, act):
        messages.success(request, said)
        return redirect(back)
    return render(request, "form_page.html", {"form": form, "cancel_url": back, **context})


@page("hashsets.view", looks="list")
def overlaps(request: HttpRequest) -> HttpResponse:
    """Which lists share entries, and where they contradict each other."""
    rows = queries.overlaps(before=request.GET.get("before", ""))
    look(request, "list", None, list="overlaps of hash sets", shown=[row.pk for row in rows.rows])
    context = {"rows": rows.rows, "tabs": tabs("Overlaps"), "pages": _pages("hashsets:overlaps", request, rows)}
    return render(request, "hashsets/overlaps.html", context)


@page("hashsets.view", looks="hashset")
def overlap(request: HttpRequest, pk: int) -> HttpResponse:
    """The contradictions between two lists."""
    row = _one(SetOverlap.objects.select_related("ours", "theirs"), pk, "overlap")
    look(request, "hashset", row.ours, page="overlap", other=row.theirs.reference)
    return render(request, "hashsets/overlap.html", {"row": row})


@page("hashsets.view", looks="list")
def quarantine(request: HttpRequest) -> HttpResponse:
    """Entries whose likenesses do not count for now."""
    released = request.GET.get("show") == "released"
    rows = queries.in_quarantine(released=released, before=request.GET.get("before", ""))
    look(request, "list", None, list="quarantine", shown=[row.pk for row in rows.rows], released=released)
    context = {
        "rows": rows.rows,
        "released": released,
        "tabs": tabs("Quarantine"),
        "may_hold": request.user.has_perm("hashsets.hold"),
        "pages": _pages("hashsets:quarantine", request, rows, "show=released&" if released else ""),
    }
    return render(request, "hashsets/quarantine.html", context)


@page("hashsets.hold", looks="hashset", methods=("GET", "POST"))
def hold(request: HttpRequest, reference: str) -> HttpResponse:
    """Put one entry of a list into quarantine."""
    row: HashSetRecord = find(reference)
    form = HoldForm(posted(request))
    look(request, "hashset", row, page="hold")
    return _step(
        request, form, lambda: bank.hold_entry(request.user, row, **form.cleaned_data),
        said="The entry is in quarantine. Triage runs from now on set likenesses to it aside.",
        back=reverse("hashsets:detail", args=[row.reference]), title="Put an entry into quarantine",
        caption=f"{row.reference} {row.name}", button="Put into quarantine",
        intro="Likenesses to it are set aside and named in each report. A file that is equal to it is found as ever.",
    )  # fmt: skip


@page("hashsets.hold", looks="hashset", methods=("GET", "POST"))
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an entry out of quarantine."""
    row: HeldEntry = _one(HeldEntry.objects.select_related("hash_set"), pk, "entry in quarantine")
    form = ReasonForm(posted(request))
    look(request, "hashset", row.hash_set, page="release")
    return _step(
        request, form, lambda: bank.release_entry(request.user, row, **form.cleaned_data),
        said="Released. Likenesses to the entry count again.", back=reverse("hashsets:quarantine"),
        title="Release an entry from quarantine", caption=f"{row.hash_set.name}: {row.pdq[:16]}…", button="Release",
        intro=f"It is held because: {row.reason}",
    )  # fmt: skip


@page("hashsets.view", looks="list")
def negatives(request: HttpRequest) -> HttpResponse:
    """Pictures that were confirmed not to be what they resemble."""
    rows = queries.negatives(before=request.GET.get("before", ""))
    look(request, "list", None, list="negative bank", shown=[row.pk for row in rows.rows])
    context = {
        "rows": rows.rows,
        "tabs": tabs("Negative bank"),
        "may_add": request.user.has_perm("hashsets.negative"),
        "pages": _pages("hashsets:negatives", request, rows),
    }
    return render(request, "hashsets/negatives.html", context)


@page("hashsets.negative", methods=("GET", "POST"))
def negative_add(request: HttpRequest) -> HttpResponse:
    """Confirm a false match."""
    form = NegativeForm(posted(request))
    return _step(
        request, form, lambda: bank.add_negative(request.user, **form.cleaned_data),
        said="The picture is in the negative bank. Likenesses of it are set aside from now on.",
        back=reverse("hashsets:negatives"), title="Confirm a false match", button="Confirm",
        intro="Only for a picture that merely resembles a listed one. A file that a list names is found all the same.",
    )  # fmt: skip


@page("hashsets.negative", looks="negative", methods=("GET", "POST"))
def negative_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a confirmation back."""
    row: NegativeEntry = _one(NegativeEntry.objects, pk, "confirmed false match")
    form = ReasonForm(posted(request))
    look(request, "negative", row)
    return _step(
        request, form, lambda: bank.withdraw_negative(request.user, row, **form.cleaned_data),
        said="Withdrawn. Likenesses of the picture count again.", back=reverse("hashsets:negatives"),
        title="Withdraw a confirmation", caption=f"{row.pdq[:16]}…", button="Withdraw",
        intro=f"It was confirmed because: {row.reason}",
    )  # fmt: skip


@page("hashsets.view", looks="list")
def recheck_list(request: HttpRequest) -> HttpResponse:
    """What newer lists know of earlier runs."""
    rows = queries.rechecks(before=request.GET.get("before", ""))
    look(request, "list", None, list="earlier runs looked at again", shown=[row.pk for row in rows.rows])
    visible = rechecks.hits_visible_to(request.user)
    waiting = rechecks.open_hits(visible)
    made = [
        (row, visible.filter(recheck=row, problem="").count(), waiting.filter(recheck=row).count()) for row in rows.rows
    ]
    context = {"rows": made, "tabs": tabs("Earlier runs"), "pages": _pages("hashsets:rechecks", request, rows)}
    return render(request, "hashsets/rechecks.html", context)


@page("hashsets.view", looks="hashset")
def recheck(request: HttpRequest, pk: int) -> HttpResponse:
    """What one list knows of earlier runs, in devices that this person may see."""
    row: Recheck = _one(Recheck.objects.select_related("hash_set"), pk, "look at earlier runs")
    hits = list(rechecks.rows_of(row, request.user))[:200]
    look(request, "hashset", row.hash_set, page="recheck", shown=[hit.run.reference for hit in hits])
    waiting = set(rechecks.open_hits(row.hits.all()).values_list("pk", flat=True))
    made = [
        (hit, hit.pk in waiting, hit.pk in waiting and request.user.has_perm("devices.triage", hit.run.device))
        for hit in hits
    ]
    return render(request, "hashsets/recheck.html", {"row": row, "hits": made})


@page("hashsets.view", looks="device", methods=("GET", "POST"))
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Say why an image need not be triaged anew for what a newer list knows."""
    visible = rechecks.hits_visible_to(request.user).select_related("run__device__case", "recheck__hash_set")
    row: RecheckHit = _one(visible, pk, "device that a newer list knows")
    device = row.run.device
    require(request.user, "devices.triage", device)
    form = ReasonForm(posted(request))
    look(request, "device", device, page="settle")
    return _step(
        request, form, lambda: rechecks.settle_hit(request.user, row, **form.cleaned_data), said="Settled.",
        back=reverse("hashsets:recheck", args=[row.recheck_id]), title="Settle without a new triage",
        caption=f"{device.reference} {device.exhibit}", button="Settle",
        intro=f"{row.recheck.hash_set.name} knows {row.files:,} of its files. The usual answer is to triage it anew.",
    )  # fmt: skip
