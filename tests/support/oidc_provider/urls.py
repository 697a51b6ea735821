from __future__ import annotations

import json
import secrets
import time

import requests
from django.conf import settings
from django.contrib.auth import authenticate, login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path
from jwcrypto import jwk, jwt
from tests.support.oidc_provider.claims import session_of

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def sign_in(request: HttpRequest) -> HttpResponse:
    """The least page that asks for a password."""
    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    if user is None:
        return HttpResponse("Who are you?", status=200 if request.method == "GET" else 403)
    login(request, user)
    return HttpResponseRedirect(request.GET["next"])


def sign_out(request: HttpRequest) -> HttpResponse:
    """``?name=pat&to=ADDRESS``: tell a client, server to server, that this person's session is over.

    ``by=sid`` names the session, ``by=sub`` the person. Without ``to`` the token itself is the answer.
    """
    user, now = User.objects.get(username=request.GET["name"]), int(time.time())
    named = {"sub": str(user.pk)} if request.GET.get("by") == "sub" else {"sub": str(user.pk), "sid": session_of(user)}
    key = jwk.JWK.from_pem(settings.OAUTH2_PROVIDER["OIDC_RSA_PRIVATE_KEY"].encode())
    claims = {
        "iss": settings.OAUTH2_PROVIDER["OIDC_ISS_ENDPOINT"], "aud": "safelight", "iat": now, "exp": now + 120,
        "jti": secrets.token_urlsafe(12), "events": {EVENT: {}}, **named,
    }  # fmt: skip
    header = {"typ": "logout+jwt", "alg": "RS256", "kid": key.thumbprint()}
    token = jwt.JWT(header=json.dumps(header), claims=json.dumps(claims))
    token.make_signed_token(key)
    if "to" not in request.GET:
        return HttpResponse(token.serialize())
    answer = requests.post(request.GET["to"], data={"logout_token": token.serialize()}, timeout=20)
    return HttpResponse(answer.content, status=answer.status_code)


urlpatterns = [
    path("logout/", sign_out),
    path("login/", sign_in),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
