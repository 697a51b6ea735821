"""A person's own notices, and the outbox for whoever runs the machine."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from safelight.casework.base.policy import SIGNED_IN, look, page
from safelight.casework.notices.kinds import KINDS, SEVERITIES
from safelight.casework.notices.models import Notice
from safelight.casework.notices.queries import Filters, address_of, notice_page, outbox, titles_of
from safelight.casework.notices.services import mark_read

STATES = {"unread": "Not read", "read": "Read"}
MOST_AT_ONCE = 200


@page(SIGNED_IN, looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Filters in the address: ``?state=unread&severity=alert&kind=clock.breached&before=123``."""

    def one(name: str, known: object) -> str:
        value = request.GET.get(name, "")
        return value if value in known else ""  # type: ignore[operator]

    filters = Filters(one("state", STATES), one("severity", SEVERITIES), one("kind", KINDS))
    chosen = filters.chosen()
    typed = request.GET.get("before", "")
    found = notice_page(request.user, filters, before=int(typed) if typed.isdecimal() and len(typed) < 19 else None)
    shown = [row.about or row.reference for row, *_ in found.rows]
    look(request, "list", None, list="notices", filters=chosen, shown=shown)
    return render(
        request,
        "notices/index.html",
        {
            "rows": found.rows,
            "filters": filters,
            "filtered": bool(chosen),
            "states": STATES,
            "severities": SEVERITIES,
            "kinds": {code: kind.title for code, kind in KINDS.items()},
            "unread_here": [row.reference for row, *_ in found.rows if row.read_at is None],
            "here": request.get_full_path(),
            "pages": {
                "previous_url": f"?{urlencode(chosen)}" if typed else "",
                "next_url": f"?{urlencode({**chosen, 'before': found.before})}" if found.before else "",
            },
        },
    )


@page(SIGNED_IN, looks="notices")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """Where the link of an e-mail leads: what it is, and on to what it is about."""
    notice = Notice.objects.select_related("case").get_visible(request.user, reference)
    look(request, "notices", notice)
    return render(
        request,
        "notices/detail.html",
        {
            "notice": notice,
            "href": address_of(notice),
            "clock": titles_of([notice]).get(notice.pk, ""),
            "severity": SEVERITIES[notice.what.severity],
        },
    )


@page(SIGNED_IN, methods=("POST",))
def read(request: HttpRequest) -> HttpResponse:
    """Mark some of the own notices as read, and go back or on."""
    typed = [text.removeprefix(f"{Notice.PREFIX}-") for text in request.POST.getlist("notice")[:MOST_AT_ONCE]]
    keys = [int(text) for text in typed if text.isdecimal() and len(text) < 16]
    count = mark_read(request.user, Notice.objects.visible_to(request.user).filter(pk__in=keys))
    if count > 1:
        messages.success(request, f"{count} notices are marked as read.")
    onward = request.POST.get("then", "")
    if not url_has_allowed_host_and_scheme(onward, allowed_hosts=None) or not onward.startswith("/"):
        onward = reverse("notices:index")
    return redirect(onward)


@page("notices.outbox", looks="list")
def outbox_page(request: HttpRequest) -> HttpResponse:
    """Letters that wait or were refused: numbers and codes, no word of what they are about."""
    found = outbox()
    look(request, "list", None, list="outbox of notices", shown=[row.notice.reference for row in found.stuck])
    return render(
        request, "notices/outbox.html", {"outbox": found, "on": settings.EMAIL_ON, "server": settings.EMAIL_HOST}
    )
