"""Before what is hard to undo, a person says again who they are: a page left open is not a person."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

TO_OPEN = 5 * 60  # seconds since the person last said who they are, to open a form
TO_SEND = 30 * 60  # ... and to send it off


def is_fresh(request: HttpRequest, seconds: int = TO_OPEN) -> bool:
    """Whether the person gave a password, a factor or came from the sign-in service within so many seconds."""
    if not settings.FRESH_SIGN_IN_DUTY:
        return True
    records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
    return bool(records) and time.time() - max(one["at"] for one in records) < seconds


View = Callable[..., HttpResponse]


def freshly_signed_in(view: View | None = None, *, back: str = "") -> Any:
    """Ask who it is before ``view``, unless that was said within minutes. Stands below ``@page``.

    Args:
        back: the name of the page to go on from, for a view that answers POST alone.
    """
    if view is None:
        return lambda later: freshly_signed_in(later, back=back)

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        sending = request.method == "POST"
        if is_fresh(request, TO_SEND if sending else TO_OPEN):
            return view(request, *args, **kwargs)
        if sending:
            messages.warning(request, "Nothing was recorded: the page was open for too long. Do it again.")
        after = reverse(back) if back else request.path
        return HttpResponseRedirect(f"{_where(request)}?{urlencode({'next': after})}")

    asked.asks_again = True  # type: ignore[attr-defined]
    return asked


def _where(request: HttpRequest) -> str:
    methods = get_adapter().get_reauthentication_methods(request.user)
    # Who has nothing but the sign-in service comes in again through it.
    return str(methods[0]["url"]) if methods else reverse("sign_in_again")
