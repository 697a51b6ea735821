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
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from safelight.casework.base.attempt import KEPT
from safelight.casework.ciphers import cipher, keys

TO_OPEN = 5 * 60  # seconds since the person last said who they are, to open a form
TO_SEND = 30 * 60  # ... and to send it off
MOST_KEPT = 1 << 16  # characters of a form that waits for its person
_PLACE = ("session", "form")


def is_fresh(request: HttpRequest, seconds: int | None = None) -> bool:
    """Whether the person gave a password, a factor or came from the sign-in service within so many seconds.

    Args:
        seconds: TO_SEND for a POST, else TO_OPEN, when it is None.
    """
    if not settings.FRESH_SIGN_IN_DUTY:
        return True
    if seconds is None:
        seconds = TO_SEND if request.method == "POST" else TO_OPEN
    records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
    return bool(records) and time.time() - max(one["at"] for one in records) < seconds


View = Callable[..., HttpResponse]


def freshly_signed_in(view: View | None = None, *, back: str = "") -> Any:
    """Ask who it is before ``view``, unless that was said within minutes. Stands below ``@page``.

    A form that is sent too late does nothing. What was typed waits, encrypted, in the session, and stands in the form
    again once the person has said who they are; they send it again or leave it.

    Args:
        back: the name of the page to go on from after a POST too late, for a view without a form to fill in again.
    """
    if view is None:
        return lambda later: freshly_signed_in(later, back=back)

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        sending = request.method == "POST"
        if is_fresh(request):
            if not sending and _take_up(request):
                messages.warning(request, "This is what you typed. Nothing is recorded before you send it again.")
            return view(request, *args, **kwargs)
        where, after = _where(request), request.get_full_path()
        if sending:
            after = reverse(back) if back else request.path
            kept = bool(where) and not back and _keep(request)
            then = "then you see again what you typed, and send it." if kept else "then do it again."
            messages.warning(
                request, f"Nothing was recorded: the page was open for too long. Say first that it is you, {then}"
            )
        # Who has nothing but the sign-in service comes in again through it.
        return HttpResponseRedirect(f"{where or reverse('sign_in_again')}?{urlencode({'next': after})}")

    asked.asks_again = True  # type: ignore[attr-defined]
    return asked


def _where(request: HttpRequest) -> str:
    methods = get_adapter().get_reauthentication_methods(request.user)
    return str(methods[0]["url"]) if methods else ""


def _bound(request: HttpRequest) -> str:
    return f"{request.user.pk} {request.path}"


def _keep(request: HttpRequest) -> bool:
    """Put the form that was sent aside, for this person and this page. False for none, one too long, or with files."""
    sent = request.POST.copy()
    sent.pop("csrfmiddlewaretoken", None)
    text = sent.urlencode()
    if not text or len(text) > MOST_KEPT or request.FILES:
        return False
    request.session[KEPT] = cipher.encrypt(keys.ring(), *_PLACE, _bound(request), text)
    return True


def _take_up(request: HttpRequest) -> bool:
    """Give a form that was kept to the page it was sent from, once (``base.attempt.posted``)."""
    kept = request.session.pop(KEPT, None)
    if not kept:
        return False
    try:
        text = cipher.decrypt(keys.ring(), *_PLACE, _bound(request), kept)
    except cipher.CipherError:
        return False  # of another page that the person never went back to
    setattr(request, KEPT, QueryDict(text))
    return True
