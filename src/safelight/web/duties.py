"""No session outlasts its limits, and who owes something to their sign-in does that first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from safelight.casework.base.policy import PUBLIC

Answer = Callable[[HttpRequest], HttpResponse]


class SessionLimits:
    """Ends a session that was idle, or lasted, for longer than its person's role allows (standards: sign_in)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The probes of the load balancer and the exchange bring no session and cost no query here.
        if not request.session.session_key or not request.user.is_authenticated:
            return self.get_response(request)
        from safelight.casework.accounts.sessions import over

        why = over(request)
        if not why:
            return self.get_response(request)
        logout(request)
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Refresh": "true"})
        ended = "You did nothing for a while" if why == "idle" else "You were signed in for a long time"
        messages.info(request, f"{ended}, so Safelight has signed you out. Sign in again to go on.")
        return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")


class Duties:
    """A given password is changed before anything else, and a second factor set up where the role owes one."""

    # What a person may open meanwhile: what does the duty, and the way out.
    DOES_IT = frozenset(
        {
            "account_change_password", "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
            "sign_in_again", "mfa_index",
        }
    )  # fmt: skip
    ENROLS = DOES_IT | {"mfa_duty", "mfa_activate_totp", "mfa_add_webauthn"}

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        policy = getattr(view, "policy", None)
        if (policy is not None and policy.rule == PUBLIC) or not request.user.is_authenticated:
            return None
        from safelight.casework.accounts import second_factor

        name = request.resolver_match.view_name if request.resolver_match else ""
        if request.user.given_password_until is not None:
            return None if name in self.DOES_IT else redirect("account_change_password")
        if second_factor.passed(request) or not second_factor.owes(request.user):
            return None
        if second_factor.has(request.user):
            # A session from before the factor was set up, or past it: it may not set up another.
            logout(request)
            return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
        return None if name in self.ENROLS else redirect("mfa_duty")
