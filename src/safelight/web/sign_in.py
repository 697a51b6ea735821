"""Signing in and out: allauth's views with our templates, counted by axes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from allauth.account.forms import ChangePasswordForm
from allauth.account.views import LoginView, LogoutView, PasswordChangeView, ReauthenticateView
from axes.decorators import axes_dispatch, axes_form_invalid
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator

from safelight.casework.accounts import attempts
from safelight.casework.base.policy import PUBLIC, SIGNED_IN, page


@method_decorator(axes_dispatch, name="dispatch")
@method_decorator(axes_form_invalid, name="form_invalid")
class SignIn(LoginView):
    """User name and password; locked for a while after too many failures."""

    template_name = "account/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST" and attempts.besieged(attempted_name(request), address_of(request)):
            return locked_out(request)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> Any:
        return super().get_context_data(**kwargs) | {
            "service": settings.OIDC_NAME,
            "no_second_factor": not settings.SECOND_FACTOR_DUTY and settings.DEMO,
        }


class OwnPasswordForm(ChangePasswordForm):
    """A new password must be one: the same again would leave a given password in force."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = ("Password that you have now", "New password", "New password, once more")
        for name, label in zip(("oldpassword", "password1", "password2"), labels, strict=True):
            self.fields[name].label = label

    def clean(self) -> Any:
        data = super().clean()
        if self.cleaned_data.get("password1") and self.cleaned_data.get("oldpassword") == data.get("password1"):
            self.add_error("password1", ValidationError("This is the password that you have now. Choose another."))
        return data


@page(SIGNED_IN, methods=("GET", "POST"))
def change_password(request: HttpRequest) -> HttpResponse:
    """An own password in place of the present one. Every other session of the person ends."""
    if not request.user.has_usable_password():
        return redirect("accounts:mine")
    response: HttpResponse = PasswordChangeView.as_view(template_name="account/password_change.html")(request)
    if response.status_code == 302 and request.method == "POST":
        messages.success(request, "Your password is changed. Every other session of yours has ended.")
    return response


@page(SIGNED_IN, methods=("GET", "POST"))
def again(request: HttpRequest) -> HttpResponse:
    """For a person who has nothing but the force's sign-in service: out, and in again through it."""
    if request.method == "POST":
        logout(request)
        after = urlencode({"next": request.GET["next"]}) if request.GET.get("next") else ""
        return redirect(f"{reverse('account_login')}?{after}" if after else "account_login")  # which checks it
    return render(request, "account/again.html")


reauthenticate = page(SIGNED_IN, methods=("GET", "POST"))(
    ReauthenticateView.as_view(template_name="account/reauthenticate.html")
)
sign_in = page(PUBLIC, methods=("GET", "POST"))(SignIn.as_view())


@page(PUBLIC, methods=("GET", "POST"))
def sign_out(request: HttpRequest) -> HttpResponse:
    """Out. The browser is told to forget what it keeps of the site; the page tells its other tabs (safelight.js)."""
    response: HttpResponse = LogoutView.as_view(template_name="account/logout.html")(request)
    if request.method == "POST":
        response["Clear-Site-Data"] = '"cache", "storage"'
    return response


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


def address_of(request: HttpRequest) -> str:
    """Where the request comes from: the proxy's word where there is one, else the connection."""
    if "AXES_CLIENT_IP_CALLABLE" in dir(settings) and settings.AXES_CLIENT_IP_CALLABLE:
        return address_before_the_proxy(request)
    return str(request.META.get("REMOTE_ADDR", ""))


def cool_off(request: HttpRequest | None) -> timedelta:
    """How long axes keeps a name away from an address: the longer, the more often it failed today."""
    if request is None:
        return attempts.WAITS[0][1]
    name = attempted_name(request, getattr(request, "axes_credentials", None))
    return attempts.wait_for(name, address_of(request))


def locked_out(request: HttpRequest, credentials: dict[str, Any] | None = None, *args: Any) -> HttpResponse:
    """The page after too many failed attempts. It does not say whether the account exists."""
    name = attempted_name(request, credentials)
    attempts.note_locked(name)
    minutes = round(attempts.wait_for(name, address_of(request)).total_seconds() / 60)
    return render(request, "account/locked.html", {"minutes": minutes}, status=settings.AXES_HTTP_RESPONSE_CODE)
