"""The partner portal: what was shared with the own agency, and nothing else. Every look is in the ledger."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from safelight.casework.base.policy import look, page, require
from safelight.casework.base.step import chosen_step, offered, step_view
from safelight.casework.sharing.models import Sharing, agency_of
from safelight.casework.sharing.queries import STATES, inbox, views
from safelight.casework.sharing.steps import PARTNER


@page("sharing.portal", looks="list")
def inbox_page(request: HttpRequest) -> HttpResponse:
    """``?state=all&before=12``: what was shared with the agency of the signed-in partner, newest first."""
    state = request.GET.get("state", "open")
    state = state if state in STATES else "open"
    key = request.GET.get("before", "")
    before = int(key) if key.isascii() and key.isdigit() and len(key) < 19 else None
    found = inbox(request.user, state=state, before=before)
    shown = [view.row.reference for view in found.rows]
    look(request, "list", None, list="partner's inbox", filters={"state": state}, shown=shown)
    chosen = {"state": state}
    context = {
        "agency": agency_of(request.user),
        "rows": found.rows,
        "states": STATES,
        "state": state,
        "pages": {
            "previous_url": f"?{urlencode(chosen)}" if before is not None else "",
            "next_url": f"?{urlencode({**chosen, 'before': found.before})}" if found.before else "",
        },
    }
    return render(request, "sharing/inbox.html", context)


def _received(request: HttpRequest, reference: str) -> Any:
    rows = Sharing.objects.select_related("agency", "referral", "strategy", "shared_by")
    row = rows.get_visible(request.user, reference)
    require(request.user, "sharing.portal", row)
    look(request, "sharing", row, agency=row.agency.name)
    return row


@page("sharing.portal", looks="sharing")
def received(request: HttpRequest, reference: str) -> HttpResponse:
    """What was shared, as it was shared, with the conversation about it and what may be answered."""
    row = _received(request, reference)
    context = {
        "row": row,
        "view": views([row], by_partner=False)[0],
        "sections": row.content,
        "talk": list(row.messages.select_related("author")),
        "steps": offered(PARTNER, row),
    }
    return render(request, "sharing/received.html", context)


@page("sharing.portal", looks="sharing", methods=("GET", "POST"))
def received_step(request: HttpRequest, reference: str, step: str) -> HttpResponse:
    """Acknowledge, decide, answer an invitation, ask."""
    chosen = chosen_step(PARTNER, step)
    row = _received(request, reference)
    back = reverse("sharing:received", args=[row.reference])
    return step_view(request, chosen, row, caption=f"{row.reference} {row.subject}", back=back)
