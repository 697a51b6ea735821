"""The frame of the exchange's API: the look-up service of the process, keys, and the one shape of every refusal."""

from __future__ import annotations

import re
import threading
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import BeforeValidator

from safelight import __version__
from safelight.casework.exchange import api_work
from safelight.casework.exchange.publishing import folder
from safelight.errors import CaseworkError, ExchangeError
from safelight.exchange.errors import OverQuota, Refused
from safelight.exchange.service import LookupService

_service: LookupService | None = None
_lock = threading.Lock()


def service() -> LookupService:
    """The look-up service of this process; made with its first request, after the server has forked."""
    global _service
    if _service is None:
        with _lock:
            if _service is None:
                from django.conf import settings

                _service = LookupService(folder(), grid=settings.EXCHANGE_ANSWER_GRID)
    return _service


def close_service() -> None:
    """End it: what waits in the journal is written."""
    global _service
    if _service is not None:
        _service.close()
        _service = None


class PlatformKey(HttpBearer):
    """The header `Authorization: Bearer slx_...`. What the key may do is checked by each operation."""

    openapi_bearerFormat = "slx_<id>_<secret>"

    def authenticate(self, request: HttpRequest, token: str) -> str:
        return token


api = NinjaAPI(
    title="Safelight exchange",
    version=__version__,
    description=(
        "Look up whether a picture or file is known, before it goes up. Every call needs a key; every look-up is "
        "recorded; streams of near-identical questions suspend the key. Distances are text, as in HMA; a key without "
        "the scope 'distance' is told 31 for every likeness. The answer's header X-Safelight-Request names the "
        "look-up: give it with a report."
    ),
    auth=PlatformKey(),
    docs_url=None,
    openapi_url=None,  # served by api_server, made once
)


def problem(code: str, text: str, status: int, **headers: str) -> HttpResponse:
    """The one shape of every refusal."""
    made = HttpResponse(
        api_work.encode({"code": code, "message": " ".join(text.split())}),
        status=status,
        content_type="application/json",
    )
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    return made


@api.exception_handler(ExchangeError)
def _refused(request: HttpRequest, error: ExchangeError) -> HttpResponse:
    more = {"Retry_After": str(error.retry_after)} if isinstance(error, OverQuota) else {}
    if error.status == 401:
        more["WWW_Authenticate"] = "Bearer"
    return problem(error.code, str(error), error.status, **more)


@api.exception_handler(CaseworkError)
def _impossible(request: HttpRequest, error: CaseworkError) -> HttpResponse:
    return problem("not_possible", str(error), 409)


@api.exception_handler(AuthenticationError)
def _no_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    try:
        service().admit("")
    except Refused as refusal:
        return _refused(request, refusal)
    raise AssertionError("nobody is admitted without a key")


@api.exception_handler(ValidationError)
def _malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "data"))
    return problem("bad_request", f"{where or 'The request'}: {first['msg']}.", 400)


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the framework refuses before it looks at a field: a body that is no JSON."""
    return problem("bad_request", f"{str(error).rstrip('.')}. Send one JSON object in UTF-8.", error.status_code)


class Problem(Schema):
    """Every refusal."""

    code: str
    message: str


def _written_out(value: Any) -> Any:
    if not isinstance(value, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", value):
        raise ValueError("write date, time and time zone, such as 2026-11-30T14:05:00Z")
    return value


#: A moment as RFC 3339 writes it. A bare number is none: seconds and milliseconds look alike, and clocks start with it.
Moment = Annotated[datetime, BeforeValidator(_written_out)]

REFUSALS: dict[Any, Any] = {(400, 401, 403, 404, 409, 413, 422, 429, 503): Problem}
