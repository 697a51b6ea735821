"""Administrators work from where the force says they do: a stolen sign-in of theirs opens nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from safelight.casework.accounts.refusals import NETWORK, note_refusal
from safelight.web.sign_in import address_of

WHY = "Administrators work from the networks that this force has named, and this machine is in none of them."


class Administrators:
    """403, and out, for an administrator from elsewhere. Without the setting everywhere is allowed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        allowed = settings.ADMIN_NETWORKS
        if not allowed or not request.session.session_key or not request.user.is_authenticated:
            return self.get_response(request)
        if request.user.role != "administrator" or _within(address_of(request), allowed):
            return self.get_response(request)
        note_refusal(request, NETWORK)
        logout(request)
        return render(request, "errors/403.html", {"reason": WHY}, status=403)


def _within(address: str, allowed: list[IPv4Network | IPv6Network]) -> bool:
    try:
        here = ip_address(address)
    except ValueError:
        return False
    return any(here in one for one in allowed if one.version == here.version)
