"""Asking a page as somebody, in this process and without the middleware: what the matrix of permissions is made of.

Ten times as fast as the test client. The whole stack is walked by test_pages.py, the browser tests and one pass of
test_permissions.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import transaction
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.urls import resolve
from django_htmx.middleware import HtmxDetails

_made = RequestFactory()


@contextmanager
def unrendered() -> Iterator[None]:
    """Templates give an empty page: who may is decided before, and drawing is what costs."""
    with patch("django.template.backends.jinja2.Template.render", lambda self, context=None, request=None: ""):
        yield


def ask(
    user: Any, method: str, address: str, data: dict[str, Any] | None = None, *, keep: bool = False
) -> HttpResponse:
    """The answer of a page to ``user``; what it wrote is taken back unless ``keep``.

    An exception that the site turns into a page gives its status; any other is raised.
    """
    request = getattr(_made, method.lower())(address, data or {})
    request.user, request.session, request.csp_nonce = user, SessionBase(), ""
    request._messages, request.htmx = CookieStorage(request), HtmxDetails(request)
    with transaction.atomic():
        try:
            match = resolve(request.path_info)
            request.resolver_match = match
            answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
            if answer.streaming:
                b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        except Http404:
            answer = HttpResponse(status=404)
        except PermissionDenied:
            answer = HttpResponse(status=403)
        except SuspiciousOperation:
            answer = HttpResponse(status=400)
        if not keep:
            transaction.set_rollback(True)
    return answer
