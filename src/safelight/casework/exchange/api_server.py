"""The addresses of the exchange's own server, and what stands before them.

Not part of the site: `safelight exchange serve` uses them with `safelight.web.exchange_settings`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.urls import path

from safelight.casework.exchange.api import api
from safelight.casework.exchange.api_frame import problem, service
from safelight.exchange.pictures import LARGEST

LARGEST_JSON = 256 * 1024
_FORM = 64 * 1024  # what a form adds to its picture


class JsonOnly:
    """Refuses what is too large before it is read, and turns every refusal into one JSON object."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        multipart = request.content_type == "multipart/form-data"
        limit = LARGEST + _FORM if multipart else LARGEST_JSON
        length = request.META.get("CONTENT_LENGTH") or "0"
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            return problem("length_required", "The request does not say how long it is. Send Content-Length.", 411)
        if not length.isdecimal() or int(length) > limit:
            return problem(
                "too_large",
                f"The request has {length[:20]} bytes; at most {limit:,} are taken here.",
                413,
                Connection="close",
            )
        response = self.get_response(request)
        if response.status_code >= 400 and "json" not in response.get("Content-Type", ""):
            words = {
                404: ("no_such_address", "There is nothing here. See /openapi.json."),
                405: ("method_not_allowed", f"{request.method} is not answered here. See /openapi.json."),
            }
            code, text = words.get(response.status_code, ("bad_request", "The request cannot be read."))
            if response.status_code >= 500:
                code, text = "fault", "A fault of ours; it is in the operator's log."
            made = problem(code, text, response.status_code)
            if "Allow" in response:
                made["Allow"] = response["Allow"]
            response = made
        # Without a length the server would send it in pieces.
        response["Content-Length"] = str(len(response.content))
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response


@cache
def _described() -> bytes:
    """The description of every call; made once, since making it takes longer than a thousand look-ups."""
    return json.dumps(api.get_openapi_schema(path_prefix="/"), separators=(",", ":")).encode()


def openapi(request: HttpRequest) -> HttpResponse:
    """What the exchange answers. Needs no key: it says nothing about what is held."""
    return HttpResponse(_described(), content_type="application/json")


def warm_up() -> None:
    """Open everything and make the description before the first question."""
    service().warm_up()
    _described()


urlpatterns = [path("openapi.json", openapi), path("", api.urls)]
