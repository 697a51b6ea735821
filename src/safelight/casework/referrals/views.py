"""The referral desk: what has arrived, one referral, recording one by hand, closing one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look, page, require
from safelight.casework.clocks.queries import views_of
from safelight.casework.offenders.queries import offenders_in
from safelight.casework.people.link_queries import of_referral
from safelight.casework.referrals.forms import CloseForm, ReferralForm
from safelight.casework.referrals.models import Referral, Source, State
from safelight.casework.referrals.queries import Filters, desk_counts, desk_page
from safelight.casework.referrals.services import close_referral, record_referral
from safelight.casework.safeguarding.queries import child_views, children_of_referral, named_in_report, says_yes
from safelight.casework.workforce.models import Unit

STATES = {"open": "New and looked at", **dict(State.choices), "all": "All"}
FILES_SHOWN = 200


def _filters(request: HttpRequest, units: dict[str, str]) -> Filters:
    """The filters in the address; unknown values are dropped."""
    state, source, unit = (request.GET.get(name, "") for name in ("state", "source", "unit"))
    return Filters(
        state=state if state in STATES else "open",
        source=source if source in Source.values else "",
        unit=unit if unit in units else "",
    )


@page("referrals.desk", looks="list")
def desk(request: HttpRequest) -> HttpResponse:
    """Filters in the address: ``?state=new&source=nca&unit=CN&after=...``."""
    units = {**dict(Unit.objects.values_list("code", "name")), "none": "No unit"}
    filters = _filters(request, units)
    chosen = {name: value for name, value in vars(filters).items() if value and (name, value) != ("state", "open")}
    after = request.GET.get("after", "")
    found = desk_page(request.user, filters, after=after)
    look(request, "list", None, list="referral desk", filters=chosen, shown=[row.reference for row in found.rows])
    views = {view.clock.pk: view for view in views_of([clock for clocks in found.clocks.values() for clock in clocks])}
    rows = [(row, [views[clock.pk] for clock in found.clocks.get(row.pk, [])][:2]) for row in found.rows]
    return render(
        request,
        "referrals/desk.html",
        {
            "rows": rows,
            "counts": desk_counts(request.user),
            "filters": filters,
            "filtered": bool(chosen),
            "states": STATES,
            "sources": dict(Source.choices),
            "units": units,
            "pages": {
                "previous_url": f"?{urlencode(chosen)}" if after else "",
                "next_url": f"?{urlencode({**chosen, 'after': found.after})}" if found.after else "",
            },
        },
    )


@page("referrals.view", looks="referral")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """What arrived, whom and which files it names, and the next step. Children always come first."""
    rows = Referral.objects.select_related("unit", "case", "recorded_by", "batch")
    referral = rows.get_visible(request.user, reference)
    look(request, "referral", referral)
    check = getattr(referral, "contact_check", None)
    children = child_views(children_of_referral(referral))
    case_visible = referral.case_id and type(referral.case).objects.visible_to(request.user).filter(pk=referral.case_id)
    files = list(referral.files.order_by("pk")[: FILES_SHOWN + 1])
    return render(
        request,
        "referrals/detail.html",
        {
            "referral": referral,
            "people": list(
                referral.people.select_related("person").prefetch_related("person__identifiers").order_by("role", "pk")
            ),
            "known": of_referral(referral, request.user) if request.user.has_perm("people.link") else None,
            "offenders": offenders_in(referral=referral),
            "files": files[:FILES_SHOWN],
            "more_files": len(files) > FILES_SHOWN,
            "check": check,
            "yes": says_yes(check),
            "children": children,
            "danger": any(view.child.immediate_danger for view in children),
            "unnamed": named_in_report(referral),
            "case": referral.case if case_visible else None,
            "open": referral.state in (State.NEW, State.CHECKED),
            "may": {
                "check": request.user.has_perm("safeguarding.check", referral),
                "open": request.user.has_perm("cases.open"),
                "close": request.user.has_perm("referrals.close"),
            },
        },
    )


@page("referrals.record", methods=("GET", "POST"))
def new(request: HttpRequest) -> HttpResponse:
    """Record a referral by hand. One that is held already is shown instead of made again."""
    form = ReferralForm(request.POST or None)
    if request.method == "POST":
        made = attempt(form, lambda: record_referral(request.user, **form.arguments()))
        if made is not None:
            referral, created = made
            return _recorded(request, form, referral, created)
    context = {
        "title": "Record a referral",
        "form": form,
        "button": "Record and look for children",
        "cancel_url": reverse("referrals:desk"),
    }
    return render(request, "referrals/new.html", context)


def _recorded(request: HttpRequest, form: Any, referral: Referral, created: bool) -> HttpResponse:
    if created:
        messages.success(request, f"{referral.reference} is recorded. Now look for children.")
        return redirect("safeguarding:check", reference=referral.reference)
    if Referral.objects.visible_to(request.user).filter(pk=referral.pk).exists():
        messages.warning(request, "This report is held already. Here it is; nothing was recorded twice.")
        return redirect("referrals:detail", reference=referral.reference)
    messages.warning(
        request, "This report is held already, in a record that you may not see. Ask a supervisor of the unit."
    )
    return redirect("referrals:desk")


@page("referrals.close", looks="referral", methods=("GET", "POST"))
def close(request: HttpRequest, reference: str) -> HttpResponse:
    """Close a referral without a case."""
    referral = Referral.objects.get_visible(request.user, reference)
    require(request.user, "referrals.close", referral)
    look(request, "referral", referral)
    back = reverse("referrals:detail", args=[referral.reference])
    if referral.state == State.NEW:
        messages.error(request, "Look for children first. Nothing else is possible before that.")
        return redirect("safeguarding:check", reference=referral.reference)
    if referral.state in (State.CASE, State.CLOSED):
        messages.info(request, f"{referral.reference} has ended already: {referral.get_state_display().lower()}.")
        return redirect(back)
    form = CloseForm(request.POST or None)
    if request.method == "POST":
        made = attempt(form, lambda: close_referral(request.user, referral, reason=form.cleaned_data["reason"]))
        if made is not None:
            messages.success(request, f"{referral.reference} is closed without a case.")
            return redirect(back)
    context = {
        "title": "Close without a case",
        "caption": referral.reference,
        "form": form,
        "button": "Close the referral",
        "destructive": True,
        "cancel_url": back,
    }
    return render(request, "form_page.html", context)
