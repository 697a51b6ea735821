"""The force's own sign-in service, from the environment: all of it or none."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from safelight.web import env

PROVIDER = "force"


def settings_of_service(*, plain_http: bool) -> dict[str, Any]:
    """Django settings for OpenID Connect; without SAFELIGHT_OIDC_ISSUER there is no such way in.

    Raises:
        SettingsError: the issuer is no https:// address, or the client's id or secret is missing.
    """
    issuer = env.text("SAFELIGHT_OIDC_ISSUER", "").rstrip("/")
    made: dict[str, Any] = {
        "OIDC_NAME": "",
        "OIDC_ORIGINS": [],
        "OIDC_SECOND_FACTOR": env.words("SAFELIGHT_OIDC_SECOND_FACTOR"),
        "SOCIALACCOUNT_PROVIDERS": {},
    }
    if not issuer:
        return made
    parts = urlsplit(issuer)
    if parts.scheme not in (("https", "http") if plain_http else ("https",)) or not parts.hostname or parts.query:
        raise env.SettingsError(
            f"SAFELIGHT_OIDC_ISSUER is {issuer!r}, which is no https:// address.",
            fix="Give the address whose /.well-known/openid-configuration the service answers.",
        )
    name = env.text("SAFELIGHT_OIDC_NAME", "your force’s account")
    return made | {
        "OIDC_NAME": name,
        "OIDC_ORIGINS": [f"{parts.scheme}://{parts.netloc}"],
        "SOCIALACCOUNT_PROVIDERS": {
            "openid_connect": {
                "APPS": [
                    {
                        "provider_id": PROVIDER,
                        "name": name,
                        "client_id": env.text("SAFELIGHT_OIDC_CLIENT_ID"),
                        "secret": env.text("SAFELIGHT_OIDC_CLIENT_SECRET"),
                        "settings": {
                            "server_url": issuer,
                            "oauth_pkce_enabled": True,
                            # The signed ID token is enough; nothing more is asked about a person.
                            "fetch_userinfo": False,
                            "scope": ["openid", "profile"],
                        },
                    }
                ]
            }
        },
    }
