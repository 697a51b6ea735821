"""Signing in with a passkey alone: a key that finds the account itself and asked for a PIN, a finger or a face.

allauth does the protocol and demands user verification. Here: where it leads, what is said when it fails, and that the
ledger has it.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.webauthn.internal import flows
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from safelight.casework.base.policy import PUBLIC, page
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record

NOT_KNOWN = "This key opens no account here. Sign in another way, and set the key up on the page How I sign in."


class _Passkey(LoginWebAuthnView):
    def form_valid(self, form: Any) -> HttpResponse:
        key = form.cleaned_data["credential"]
        login = Login(user=key.user, redirect_url=get_next_redirect_url(self.request))
        response: HttpResponse = flows.perform_passwordless_login(self.request, key, login)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        note_refused()
        messages.error(self.request, NOT_KNOWN)
        return redirect("account_login")


@transaction.atomic
def note_refused() -> None:
    """A key did not open an account. Whose it claims to be is only claimed, and so is not written down."""
    record(None, "account.passkey_refused", None, category=Category.SYSTEM)


@page(PUBLIC, methods=("GET", "POST"))
def sign_in(request: HttpRequest) -> HttpResponse:
    """GET gives a script a fresh challenge; POST is the key's answer."""
    response: HttpResponse = _Passkey.as_view()(request)
    return response
