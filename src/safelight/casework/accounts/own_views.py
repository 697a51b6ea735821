"""How I sign in: password, second factors, recovery codes, and every session that is open in my name."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.models import SocialAccount
from axes.models import AccessLog
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from safelight.casework.accounts import second_factor
from safelight.casework.accounts.fresh import freshly_signed_in
from safelight.casework.accounts.sessions import end_sessions, sessions_of
from safelight.casework.base.policy import SIGNED_IN, page

RECENT = 10


def browser_of(text: str) -> str:
    """A browser and a system from what the browser says of itself, in words; never more than it says."""
    names = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome or Chromium"), ("Safari/", "Safari"))
    systems = (
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )  # fmt: skip
    browser = next((name for sign, name in names if sign in text), "Another program")
    system = next((name for sign, name in systems if sign in text), "")
    return f"{browser} on {system}" if system else browser


@page(SIGNED_IN)
def mine(request: HttpRequest) -> HttpResponse:
    """The page of one's own sign-in."""
    user: Any = request.user
    rule = second_factor.rule_for(user)
    factors = second_factor.factors_of(user)
    return render(
        request,
        "accounts/mine.html",
        {
            "apps": [row for row in factors if row.type == "totp"],
            "keys": [(row, row.wrap().name, row.wrap().is_passwordless) for row in factors if row.type == "webauthn"],
            "codes_left": second_factor.codes_left(user),
            "rule": rule,
            "owes": second_factor.owes(user),
            "demo_without": settings.DEMO and not settings.SECOND_FACTOR_DUTY,
            "service": settings.OIDC_NAME,
            "connected": SocialAccount.objects.filter(user=user).exists(),
            "sessions": [
                (row, browser_of(row.user_agent), row.session_key == request.session.session_key)
                for row in sessions_of(user)
            ],
            "recent": [
                (row, browser_of(row.user_agent))
                for row in AccessLog.objects.filter(username=user.username).order_by("-attempt_time")[:RECENT]
            ],
        },
    )


@page(SIGNED_IN, methods=("GET", "POST"))
@freshly_signed_in
def codes(request: HttpRequest) -> HttpResponse:
    """Ten recovery codes, shown once, in the answer to the button; the database has hashes only."""
    if not second_factor.has(request.user):
        messages.info(request, "Recovery codes stand in for a second factor. Set up a second factor first.")
        return redirect("accounts:mine")
    made = second_factor.make_codes(request.user) if request.method == "POST" else []
    return render(request, "accounts/codes.html", {"codes": made, "left": second_factor.codes_left(request.user)})


@page(SIGNED_IN, methods=("POST",))
@freshly_signed_in(back="accounts:mine")
def end(request: HttpRequest) -> HttpResponse:
    """End one other session (``session``), or all others."""
    typed = request.POST.get("session", "")
    if typed and not (typed.isascii() and typed.isdecimal() and len(typed) < 18):
        raise Http404("There is no such session.")
    here = request.session.session_key
    only = int(typed) if typed else None
    ended = end_sessions(request.user, request.user, keep=here, only=only, why="ended by its person")
    if only is not None and not ended:
        raise Http404("There is no such session.")
    many = f"{ended} sessions are ended." if ended > 1 else "The session is ended."
    messages.success(request, many if ended else "There was no other session.")
    return redirect("accounts:mine")
