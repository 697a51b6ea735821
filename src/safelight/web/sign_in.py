"""Signing in and out: allauth's views with our templates, counted by axes."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView, LogoutView
from axes.decorators import axes_dispatch, axes_form_invalid
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator

from safelight.casework.base.policy import PUBLIC, page


@method_decorator(axes_dispatch, name="dispatch")
@method_decorator(axes_form_invalid, name="form_invalid")
class SignIn(LoginView):
    """User name and password; locked for a while after too many failures."""

    template_name = "account/login.html"


sign_in = page(PUBLIC, methods=("GET", "POST"))(SignIn.as_view())
sign_out = page(PUBLIC, methods=("GET", "POST"))(LogoutView.as_view(template_name="account/logout.html"))


def attempted_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The name that was tried, the same before and after allauth has looked at it.

    The form calls it ``login``, the credentials call it ``username``; upper and lower case are one account, and must
    be one counter.
    """
    name = (credentials or {}).get("username") or request.POST.get("login") or ""
    return str(name).strip().lower()


def address_before_the_proxy(request: HttpRequest) -> str:
    """Who the proxy in front says is calling: the last entry, since the client can write all the others."""
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
    return forwarded.rsplit(",", 1)[-1].strip() or str(request.META.get("REMOTE_ADDR", ""))


def locked_out(request: HttpRequest, credentials: dict[str, Any] | None = None, *args: Any) -> HttpResponse:
    """The page after too many failed attempts. It does not say whether the account exists."""
    minutes = round(float(settings.AXES_COOLOFF_TIME) * 60)
    return render(request, "account/locked.html", {"minutes": minutes}, status=settings.AXES_HTTP_RESPONSE_CODE)
