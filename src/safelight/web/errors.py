"""The pages for when something is not possible: each says what happened and what to do, and nothing about a case."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token

from safelight.casework.accounts import refusals
from safelight.errors import SafelightError


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
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
    """500."""
    return render(request, "errors/500.html", status=500)


def unreadable(request: HttpRequest, error: SafelightError) -> HttpResponse:
    """500 for an encrypted value that was changed or whose key is lost: which row and column it is, never a value."""
    return render(request, "errors/unreadable.html", {"what": error.what, "fix": error.fix}, status=500)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "", **extra: Any) -> HttpResponse:
    """A form without a valid token: most often a page left open over a sign-in."""
    refusals.note_refusal(request, refusals.TOKEN)
    return render(request, "errors/csrf.html", status=403)
