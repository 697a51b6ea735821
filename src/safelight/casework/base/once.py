"""The same sheet sent twice is one act: a double click, a reload, a second try on a slow line.

Every form carries the number of its sheet (`SHEET`, from the context of the page). The first sending is done and its
answer kept, in the same transaction; a second one with the same answers on the same sheet is led to where the first one
led. A sheet with a mistake on it counts as not sent. Forms without a number (programs, tests) are done each time.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html

SHEET = "sheet"
KEPT = timedelta(days=1)
_LEFT_OUT = ("csrfmiddlewaretoken",)


def sheet_field() -> str:
    """The hidden field of a new sheet."""
    return format_html('<input type="hidden" name="{}" value="{}">', SHEET, secrets.token_urlsafe(12))


def _key(request: HttpRequest) -> str:
    said = sorted((name, values) for name, values in request.POST.lists() if name not in _LEFT_OUT)
    files = sorted((name, one.name, one.size) for name, many in request.FILES.lists() for one in many)
    return hashlib.sha256(json.dumps([request.user.pk, request.path, said, files]).encode()).hexdigest()


def once(request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer a request, and a sheet that was sent before with where it led then. Runs in the page's transaction.

    Two sendings at the same moment: the second waits for the first's row and then finds it.
    """
    if request.method != "POST" or not request.POST.get(SHEET) or not request.user.is_authenticated:
        return act()
    from safelight.casework.accounts.models import PostedForm

    key = _key(request)
    try:
        with transaction.atomic():
            row = PostedForm.objects.create(key=key, at=timezone.now(), answer="")
    except IntegrityError:
        messages.info(request, "This was recorded already. It was sent twice and counts once.")
        return HttpResponseRedirect(PostedForm.objects.get(key=key).answer or request.path)
    response = act()
    if 300 <= response.status_code < 400:
        row.answer = response.headers["Location"][:500]
        row.save(update_fields=["answer"])
    else:
        row.delete()
    return response


def forget_old_sheets() -> int:
    """Remove what nobody will send again. Called by the tick."""
    from safelight.casework.accounts.models import PostedForm

    return PostedForm.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]
