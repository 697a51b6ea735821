"""The pages for when something is not possible: each says what happened and what to do, and nothing about a case."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

from safelight.casework.accounts import refusals
from safelight.errors import SafelightError

# The database is away, its disk is full, broken or read-only; the others are faults of ours.
AWAY = (OperationalError, InterfaceError, InternalError)


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400. When the session could not be kept, what was sent may have been saved: then it may not say the contrary."""
    if _is_of_the_database(exception):
        return database_away(request)
    if isinstance(exception, SessionInterrupted):
        return render(request, "errors/session.html", status=400)
    refusals.note_refusal(request, refusals.NONSENSE)
    return render(request, "errors/400.html", status=400)


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403. The reason given with PermissionDenied is shown: it is written for the person who met it."""
    refusals.note_refusal(request, refusals.ROLE)
    reason = str(exception) if exception is not None else ""
    return render(request, "errors/403.html", {"reason": reason}, status=403)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, the same for what does not exist and for what this user may not know of."""
    refusals.note_refusal(request, refusals.NOT_THERE)
    return render(request, "errors/404.html", status=404)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """500; 503 when it was the database."""
    if _is_of_the_database(sys.exception()):
        return database_away(request)
    try:
        return render(request, "errors/500.html", status=500)
    except (DatabaseError, InterfaceError):
        return database_away(request)


def _is_of_the_database(error: BaseException | None) -> bool:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, AWAY):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


def database_away(request: HttpRequest) -> HttpResponse:
    """503, on a page that asks the database nothing: neither who reads it nor what is new for them."""
    known = {
        "csrf_token": "", "csrf_input": "", "user": None, "may_search": False, "navigation": [], "second_row": None,
        "alerts": [], "unread_notices": None, "broken_glass": [], "demo": settings.DEMO,
        "csp_nonce": getattr(request, "csp_nonce", ""), "sent": request.method not in ("GET", "HEAD"),
    }  # fmt: skip
    page = render_to_string("errors/database.html", known)
    return HttpResponse(page, status=503, headers={"Retry-After": "30"})


def unreadable(request: HttpRequest, error: SafelightError) -> HttpResponse:
    """500 for an encrypted value that was changed or whose key is lost: which row and column it is, never a value."""
    return render(request, "errors/unreadable.html", {"what": error.what, "fix": error.fix}, status=500)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "", **extra: Any) -> HttpResponse:
    """A form without a valid token: most often a page left open over a sign-in."""
    refusals.note_refusal(request, refusals.TOKEN)
    return render(request, "errors/csrf.html", status=403)
