"""Signing in through the force's own service (OpenID Connect): code flow with PKCE, state and nonce.

allauth does the protocol. What is stricter here: the ID token's signature is always verified, with asymmetric
algorithms only, and it must carry the nonce that was sent.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Any

import jwt
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse
from requests import RequestException

from safelight.casework.base.policy import PUBLIC, page

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
_NONCE = "force_sign_in_nonce"


class VerifiedAdapter(OpenIDConnectOAuth2Adapter):
    """Believes no ID token whose signature or nonce was not checked."""

    @property
    def openid_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().openid_config
        expected = str(self.get_provider().app.settings["server_url"])
        if str(config.get("issuer", "")).rstrip("/") != expected:
            raise OAuth2Error("The service's own description names another issuer.")
        return config

    def verified(self, app: SocialApp, token: str) -> dict[str, Any]:
        """The claims of a token that this service signed for us, now, and that was not used before.

        Raises:
            OAuth2Error: it is none.
        """
        try:
            algorithm = jwt.get_unverified_header(token).get("alg")
        except jwt.PyJWTError as error:
            raise OAuth2Error("The token cannot be read.") from error
        if algorithm not in ALGORITHMS:
            raise OAuth2Error(f"The token is signed with {algorithm!r}, which is not believed.")
        claims: dict[str, Any] = jwtkit.verify_and_decode(
            credential=token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
            verify_signature=True,
        )
        return claims

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        claims = self.verified(app, id_token)
        sent = self.request.session.pop(_NONCE, "")
        if not sent or not hmac.compare_digest(str(claims.get("nonce", "")), sent):
            raise OAuth2Error("The ID token answers another request than ours.")
        return claims


@page(PUBLIC, methods=("POST",))
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send the person to the service. What the address says about scopes or parameters is not passed on."""
    try:
        provider = get_adapter().get_provider(request, provider_id)
        provider.oauth2_adapter_class = VerifiedAdapter
        nonce = request.session[_NONCE] = secrets.token_urlsafe(24)
        response: HttpResponse = provider.redirect(
            request,
            process="login",
            next_url=get_next_redirect_url(request),
            auth_params={**provider.get_auth_params(), "nonce": nonce},
        )
    except SocialApp.DoesNotExist as error:
        raise Http404("There is no such sign-in service.") from error
    except (RequestException, OAuth2Error) as error:
        return _away(request, provider, error)
    return response


def _away(request: HttpRequest, provider: Any, error: Exception) -> HttpResponse:
    from allauth.socialaccount.helpers import render_authentication_error

    response: HttpResponse = render_authentication_error(request, provider, exception=error)
    return response


@page(PUBLIC)
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The person comes back from the service."""
    try:
        response: HttpResponse = OAuth2CallbackView.adapter_view(VerifiedAdapter(request, provider_id))(request)
    except SocialApp.DoesNotExist as error:
        raise Http404("There is no such sign-in service.") from error
    return response
