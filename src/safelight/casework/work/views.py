"""My work: the first page after signing in."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from safelight.casework.base.policy import SIGNED_IN, look, page
from safelight.casework.work.queries import work_of

SHOWN = 25
"""Lines under each heading; the rest is one page further."""
REFERENCE = re.compile(r"\b[A-Z]-\d{6,}\b")


@page(SIGNED_IN)
def front(request: HttpRequest) -> HttpResponse:
    """The address of the site itself leads to My work."""
    return redirect("work:home")


@page(SIGNED_IN, looks="list")
def home(request: HttpRequest) -> HttpResponse:
    """What waits for the signed-in person, most urgent first; with ``group``, all that waits under one heading."""
    group = request.GET.get("group", "")
    found = work_of(request.user)
    work = found.only(group) if group else found.first(SHOWN)
    # References only: titles are free text, which the ledger does not hold.
    shown = sorted({found for task in work.tasks for found in REFERENCE.findall(task.item.subject)})
    look(request, "list", None, list="my work", shown=shown)
    return render(request, "work/home.html", {"work": work, "group": group})
