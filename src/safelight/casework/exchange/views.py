"""Pages of the exchange: platforms and their keys."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.accounts.fresh import freshly_signed_in
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.exchange import charts, queries, services
from safelight.casework.exchange.forms import KeyForm, PlatformForm, ReasonForm, RotateForm, TermsForm
from safelight.casework.exchange.models import ApiKey, Platform
from safelight.exchange.keys import SCOPES
from safelight.exchange.watch import RULES

WHY = {**RULES, services.BY_HAND: "stopped by a person"}


def find(model: Any, reference: str, *related: str) -> Any:
    """The row with this reference, else 404."""
    row = model.objects.select_related(*related).filter(pk=model.key_of(reference)).first()
    if row is None:
        raise Http404(f"There is no {model._meta.verbose_name} {reference}.")
    return row


def pages(request: HttpRequest, here: str, after: str, **kept: str) -> dict[str, str]:
    """Links to the pages before and after, for keyset lists."""
    from urllib.parse import urlencode

    base = {name: value for name, value in kept.items() if value}
    first, following = urlencode(base), urlencode({**base, "before": after})
    return {
        "previous_url": f"{here}?{first}" if request.GET.get("before") else "",
        "next_url": f"{here}?{following}" if after else "",
    }


def form_page(request: HttpRequest, form: Any, *, title: str, cancel: str, **more: Any) -> HttpResponse:
    return render(request, "form_page.html", {"title": title, "form": form, "cancel_url": cancel, **more})


@page("exchange.view", looks="exchange")
def index(request: HttpRequest) -> HttpResponse:
    """Platforms, and above all keys that wait for a decision."""
    closed = request.GET.get("show") == "closed"
    rows = queries.platforms(closed=closed)
    look(request, "exchange", None, list="platforms", closed=closed, shown=[row.platform.reference for row in rows])
    return render(
        request,
        "exchange/index.html",
        {
            "rows": rows,
            "closed": closed,
            "stopped": [] if closed else queries.suspended_keys(),
            "why": WHY,
            "may_manage": request.user.has_perm("exchange.manage"),
        },
    )


@page("exchange.manage", methods=("GET", "POST"))
def add_platform(request: HttpRequest) -> HttpResponse:
    """A new platform."""
    form = PlatformForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: services.add_platform(request.user, **form.cleaned_data))
        if made:
            messages.success(request, f"{made.name} is added. It can ask nothing before it has a key.")
            return redirect("exchange:platform", made.reference)
    return form_page(request, form, title="Add a platform", button="Add", cancel=reverse("exchange:index"))


@page("exchange.view", looks="platform")
def platform(request: HttpRequest, reference: str) -> HttpResponse:
    """One platform: what is agreed, its keys, what it asked and was told."""
    row = find(Platform, reference, "added_by")
    look(request, "platform", row)
    return render(
        request,
        "exchange/platform.html",
        {
            "row": row,
            "banks": [bank.name for bank in row.banks.order_by("name")],
            "keys": queries.keys_of(row),
            "scopes": SCOPES,
            "why": WHY,
            "days": queries.hits_by_day(row, days=14),
            "hits": queries.hits_of(row).rows[:20],
            "may_manage": request.user.has_perm("exchange.manage") and row.closed_at is None,
            "may_stop": request.user.has_perm("exchange.stop_key"),
        },
    )


@page("exchange.manage", looks="platform", methods=("GET", "POST"))
def change_platform(request: HttpRequest, reference: str) -> HttpResponse:
    """Other terms."""
    row = find(Platform, reference)
    now = {name: getattr(row, name) for name in ("contact", "contact_email", "agreement", "per_minute", "per_day")}
    form = TermsForm(posted(request), initial={**now, "banks": list(row.banks.all())})
    back = reverse("exchange:platform", args=[row.reference])
    if request.method == "POST" and attempt(
        form, lambda: services.change_platform(request.user, row, **form.cleaned_data)
    ):
        messages.success(request, "The terms are changed; its keys obey them within a second.")
        return redirect(back)
    look(request, "platform", row, page="change")
    return form_page(request, form, title=f"Change the terms with {row.name}", button="Save", cancel=back)


@page("exchange.manage", looks="platform", methods=("GET", "POST"))
@freshly_signed_in
def close_platform(request: HttpRequest, reference: str) -> HttpResponse:
    """End the exchange with a platform."""
    row = find(Platform, reference)
    form = ReasonForm(posted(request))
    back = reverse("exchange:platform", args=[row.reference])
    if request.method == "POST" and attempt(
        form, lambda: services.close_platform(request.user, row, **form.cleaned_data)
    ):
        messages.success(request, f"The exchange with {row.name} has ended; its keys work no longer.")
        return redirect(back)
    look(request, "platform", row, page="close")
    intro = "All its keys stop within a second. Its reports and notices stay, and go on being chased."
    title = f"End the exchange with {row.name}"
    return form_page(request, form, title=title, intro=intro, button="End it", destructive=True, cancel=back)


def _shown_once(request: HttpRequest, key: ApiKey, token: str) -> HttpResponse:
    return render(request, "exchange/key_once.html", {"key": key, "token": token, "scopes": SCOPES})


@page("exchange.manage", looks="platform", methods=("GET", "POST"))
@freshly_signed_in
def issue_key(request: HttpRequest, reference: str) -> HttpResponse:
    """A new key, shown once."""
    row = find(Platform, reference)
    form = KeyForm(posted(request), initial={"scopes": ["lookup", "report"]})
    if request.method == "POST":
        made = attempt(form, lambda: services.issue_key(request.user, row, **form.cleaned_data))
        if made:
            return _shown_once(request, *made)
    look(request, "platform", row, page="key")
    back = reverse("exchange:platform", args=[row.reference])
    return form_page(request, form, title=f"Issue a key to {row.name}", button="Issue the key", cancel=back)


def _key(reference: str) -> tuple[ApiKey, str]:
    key = find(ApiKey, reference, "platform")
    return key, reverse("exchange:platform", args=[key.platform.reference])


@page("exchange.manage", looks="platform", methods=("GET", "POST"))
@freshly_signed_in
def rotate_key(request: HttpRequest, reference: str) -> HttpResponse:
    """Replace a key."""
    key, back = _key(reference)
    form = RotateForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: services.rotate_key(request.user, key, **form.cleaned_data))
        if made:
            return _shown_once(request, *made)
    look(request, "platform", key.platform, page="rotate", key=key)
    intro = f"The new key has the same scopes as {key.public_id} ({key.label}). Both work until the old one ends."
    return form_page(request, form, title="Replace a key", intro=intro, button="Replace it", cancel=back)


def _stop(request: HttpRequest, reference: str, step: Any, said: str, **more: Any) -> HttpResponse:
    key, back = _key(reference)
    form = ReasonForm(posted(request))
    if request.method == "POST" and attempt(form, lambda: step(key, form.cleaned_data["reason"]) or key):
        messages.success(request, said.format(key.public_id))
        return redirect(back)
    look(request, "platform", key.platform, page="key", key=key)
    caption = f"{key.platform.name}, {key.public_id}"
    return form_page(request, form, cancel=back, caption=caption, **more)


@page("exchange.stop_key", looks="platform", methods=("GET", "POST"))
@freshly_signed_in
def revoke_key(request: HttpRequest, reference: str) -> HttpResponse:
    """End a key for good."""
    return _stop(
        request,
        reference,
        lambda key, reason: services.revoke_key(request.user, key, reason=reason),
        "Key {} is revoked.",
        title="Revoke a key",
        intro="It stops within a second and never works again.",
        button="Revoke",
        destructive=True,
    )


@page("exchange.stop_key", looks="platform", methods=("GET", "POST"))
def suspend_key(request: HttpRequest, reference: str) -> HttpResponse:
    """Stop a key until somebody lifts it: at once, nobody is asked who they are."""
    return _stop(
        request,
        reference,
        lambda key, reason: services.suspend_key(request.user, key, note=reason),
        "Key {} is suspended.",
        title="Suspend a key",
        intro="It stops within a second, until the exchange manager lifts it.",
        button="Suspend",
        destructive=True,
    )


@page("exchange.manage", looks="platform", methods=("GET", "POST"))
@freshly_signed_in
def lift_suspension(request: HttpRequest, reference: str) -> HttpResponse:
    """Let a key work again."""
    return _stop(
        request,
        reference,
        lambda key, reason: services.lift_suspension(request.user, key, reason=reason),
        "Key {} works again.",
        title="Lift a suspension",
        intro="Speak to the platform first. What the watch counted before does not count again.",
        button="Lift it",
    )


@page("exchange.view", looks="exchange")
def hits(request: HttpRequest) -> HttpResponse:
    """Matches over time, of all platforms or one."""
    chosen = None
    if request.GET.get("platform"):
        chosen = find(Platform, request.GET["platform"])
    days = queries.hits_by_day(chosen)
    rows = queries.hits_of(chosen, before=request.GET.get("before", ""))
    look(request, "exchange", None, list="hits", platform=chosen, shown=[row.reference for row in rows.rows])
    here = reverse("exchange:hits")
    return render(
        request,
        "exchange/hits.html",
        {
            "days": days,
            "rows": rows.rows,
            "chosen": chosen,
            "chart": charts.hits_chart(days),
            "pages": pages(request, here, rows.after, platform=chosen.reference if chosen else ""),
        },
    )
