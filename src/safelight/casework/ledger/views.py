"""The ledger: who did or looked at what, and the proof that nothing was changed afterwards."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from safelight.casework.accounts.models import User
from safelight.casework.base.policy import look, page
from safelight.casework.ledger.models import Category, LedgerLeaf
from safelight.casework.ledger.proving import prove
from safelight.casework.ledger.queries import entry_page, lines, standing, visible_to
from safelight.casework.ledger.registry import VERBS
from safelight.casework.ledger.tasks import verify_ledger


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


@page("ledger.view", looks="ledger")
def index(request: HttpRequest) -> HttpResponse:
    """Filters in the address: ``?verb=case.opened&category=alteration&actor=smith&before=123``."""
    verb = request.GET.get("verb", "") if request.GET.get("verb", "") in VERBS else ""
    category = request.GET.get("category", "") if request.GET.get("category", "") in Category.values else ""
    username = request.GET.get("actor", "").strip().lower()
    actor = User.objects.filter(username=username).first() if username else None
    before = _number(request.GET.get("before", ""))
    chosen = {name: value for name, value in (("verb", verb), ("category", category), ("actor", username)) if value}
    unknown = bool(username) and actor is None
    found = entry_page(
        request.user,
        verb=verb,
        category=category,
        actor=(actor.pk if actor else 0) if username else None,
        before=before,
    )
    look(request, "ledger", None, filters=chosen, entries=[entry.pk for entry in found.entries])
    return render(
        request,
        "ledger/index.html",
        {
            "lines": lines(found.entries),
            "standing": standing(),
            "verbs": dict(sorted(VERBS.items(), key=lambda item: item[1])),
            "categories": dict(Category.choices),
            "picked": {"verb": verb, "category": category, "actor": username},
            "unknown": unknown,
            "filtered": bool(chosen),
            "pages": {
                "previous_url": f"?{urlencode(chosen)}" if before else "",
                "next_url": f"?{urlencode({**chosen, 'before': found.before})}" if found.before else "",
            },
        },
    )


@page("ledger.view", looks="ledger")
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry as it was written, and with ``?proof=1`` the proof that it is in the sealed tree."""
    row = visible_to(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404("There is no ledger entry with this number that you may see.")
    leaf = LedgerLeaf.objects.filter(entry=row).first()
    now = standing()
    proof = json.dumps(prove(row), indent=2) if leaf and request.GET.get("proof") == "1" else ""
    look(request, "ledger", None, entries=[row.pk])
    return render(
        request,
        "ledger/entry.html",
        {
            "line": lines([row])[0],
            "entry": row,
            "payload": json.dumps(row.payload, indent=2, sort_keys=True),
            "leaf": leaf,
            "seal": now.seal,
            "proof": proof,
        },
    )


@page("ledger.view", methods=("POST",))
def verify_now(request: HttpRequest) -> HttpResponse:
    """Ask for a verification. The worker re-reads every entry; the result appears on the ledger page."""
    verify_ledger.enqueue(actor_pk=request.user.pk)
    messages.info(request, "The ledger is being verified. The result appears here when every entry is read.")
    return redirect("ledger:index")
