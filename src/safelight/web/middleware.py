"""What stands around every page: probes are answered, requests are measured, pages stay out of every cache."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from safelight.casework.ciphers.cipher import CipherError
from safelight.casework.ciphers.ring import KeyRingError

_requests, _keys = logging.getLogger("safelight.requests"), logging.getLogger("safelight.keys")


class Measured:
    """Outermost: answers those who watch (`safelight.web.status`), and counts and logs other requests by route.

    The answer carries ``X-Request-ID``, which is all that connects it with its line in the log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        from safelight.web.status import PROBES

        self.get_response = get_response
        self.probes = PROBES

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in self.probes:
            try:
                return self.probes[request.path_info](request)
            except Http404:
                return HttpResponse("not here\n", status=404, content_type="text/plain")
        if request.path_info.startswith(settings.STATIC_URL):
            return self.get_response(request)
        began = time.perf_counter()
        request.number = secrets.token_hex(8)  # type: ignore[attr-defined]
        response = self.get_response(request)
        self.note(request, response, time.perf_counter() - began)
        response["X-Request-ID"] = request.number  # type: ignore[attr-defined]
        return response

    @staticmethod
    def note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        from safelight.web.logs import of_request
        from safelight.web.metrics import FAULTS, REQUESTS

        about = of_request(request)
        REQUESTS.labels(_method(request), about["route"], f"{response.status_code // 100}xx").observe(seconds)
        if response.status_code >= 500:
            FAULTS.inc()
        _requests.info(
            "answered", extra={"about": {**about, "status": response.status_code, "ms": round(1000 * seconds, 1)}}
        )


def _method(request: HttpRequest) -> str:
    """A method that exists: whoever invents others must not invent time series."""
    return request.method if request.method in ("GET", "HEAD", "POST") else "other"


class Unreadable:
    """A value that was changed past Safelight, or whose key is lost, is named on the page and in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        from safelight.web.errors import unreadable

        if not isinstance(exception, CipherError | KeyRingError):
            return None
        _keys.error("%s", exception.what)
        return unreadable(request, exception)


class NeverStored:
    """``Cache-Control: no-store`` on every page: a shared computer's back button must not show a case after sign-out.

    Static files are served by whitenoise before this runs and may be kept.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response
