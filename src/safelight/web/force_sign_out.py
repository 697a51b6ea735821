"""The force's own sign-in service says that somebody's session is over (OpenID Connect Back-Channel Logout 1.0).

The service posts a token that it signed, server to server; the sessions here end at once. There is no cookie and no
person, and so no CSRF token: the signature is what is believed.
"""

from __future__ import annotations

import time
from typing import Any

import jwt
from allauth.core import ratelimit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from requests import RequestException

from safelight.casework.accounts import external
from safelight.casework.base.policy import PUBLIC, page
from safelight.web.force_sign_in import VerifiedAdapter

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST = 8_192  # characters of a token
OLDEST = 10 * 60  # seconds since it was made
SKEW = 120  # seconds that two clocks may differ


def claims_of(adapter: VerifiedAdapter, app: SocialApp, token: str) -> dict[str, Any]:
    """What a logout token says, checked as section 2.6 of the standard asks.

    Raises:
        OAuth2Error: it is no logout token of this service for us, is old, or was used.
    """
    if not token or len(token) > LONGEST:
        raise OAuth2Error("There is no token, or it is too long.")
    try:
        # Only a first look, so that nobody makes us ask the service for its keys with just any text.
        said = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise OAuth2Error("The token cannot be read.") from error
    audience = said.get("aud") if isinstance(said.get("aud"), list) else [said.get("aud")]
    if app.client_id not in audience:
        raise OAuth2Error("The token is for somebody else.")
    claims = adapter.verified(app, token)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise OAuth2Error("The token is no logout token.")
    if "nonce" in claims:
        raise OAuth2Error("A logout token has no nonce: this is another token.")
    made = claims.get("iat")
    if not isinstance(made, int) or not isinstance(claims.get("exp"), int) or not claims.get("jti"):
        raise OAuth2Error("The token does not say when it was made, until when it counts, or which one it is.")
    if not -SKEW <= time.time() - made <= OLDEST:
        raise OAuth2Error("The token was not made just now.")
    if not any(isinstance(claims.get(name), str) and claims[name] for name in ("sub", "sid")):
        raise OAuth2Error("The token says neither whose session nor which one.")
    return claims


@csrf_exempt
@page(PUBLIC, methods=("POST",))
def ended(request: HttpRequest, provider_id: str) -> HttpResponse:
    """200 when what the token names has ended here, or there was nothing of it; 400 when it is not believed."""
    if not ratelimit.consume(request, action="force_sign_out"):
        return JsonResponse({"error": "too_many_requests"}, status=429)
    try:
        adapter = VerifiedAdapter(request, provider_id)
        claims = claims_of(adapter, adapter.get_provider().app, request.POST.get("logout_token", ""))
    except SocialApp.DoesNotExist as error:
        raise Http404("There is no such sign-in service.") from error
    except (OAuth2Error, RequestException, KeyError) as error:
        said = str(error) if isinstance(error, OAuth2Error) else "The service's keys could not be had."
        return JsonResponse({"error": "invalid_request", "error_description": said}, status=400)
    external.ended_there(provider_id, claims.get("sub") or "", claims.get("sid") or "")
    return HttpResponse(status=200)
