"""The settings of e-mail, from the environment. Without a server notices are shown on pages only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from safelight.web import env

BACKENDS = {True: "django.core.mail.backends.smtp.EmailBackend", False: "django.core.mail.backends.dummy.EmailBackend"}


def settings_of_mail(*, plain_http: bool) -> dict[str, Any]:
    """Django's settings of e-mail, with ``EMAIL_ON`` and ``SITE_URL``.

    Raises:
        SettingsError: a server is named without a sender or without the address of this site, or one of them is wrong.
    """
    host = env.text("SAFELIGHT_EMAIL_HOST", "")
    security = env.choice("SAFELIGHT_EMAIL_SECURITY", ("starttls", "tls", "none"))
    site = env.text("SAFELIGHT_SITE_URL", "").rstrip("/")
    sender = env.text("SAFELIGHT_EMAIL_FROM", "")
    if host:
        if "@" not in sender or any(sign in sender for sign in "\r\n"):
            raise env.SettingsError(
                f"SAFELIGHT_EMAIL_FROM is {sender!r}, which is no address.", fix="Give the sender of notices."
            )
        parts = urlsplit(site)
        if parts.scheme not in (("http", "https") if plain_http else ("https",)) or not parts.hostname:
            raise env.SettingsError(
                f"SAFELIGHT_SITE_URL is {site!r}: an e-mail could not say where to sign in.",
                fix="Give the address of this site, such as https://safelight.example.",
            )
    return {
        "EMAIL_ON": bool(host),
        "EMAIL_BACKEND": BACKENDS[bool(host)],
        "EMAIL_HOST": host,
        "EMAIL_PORT": env.integer("SAFELIGHT_EMAIL_PORT", {"tls": 465, "none": 25}.get(security, 587), least=1),
        "EMAIL_HOST_USER": env.text("SAFELIGHT_EMAIL_USER", ""),
        "EMAIL_HOST_PASSWORD": env.text("SAFELIGHT_EMAIL_PASSWORD", ""),
        "EMAIL_USE_TLS": security == "starttls",
        "EMAIL_USE_SSL": security == "tls",
        # The tick sends, and clocks wait for the tick: a server that hangs may not hold it up for long.
        "EMAIL_TIMEOUT": env.seconds("SAFELIGHT_EMAIL_TIMEOUT", 10, least=1),
        "DEFAULT_FROM_EMAIL": sender or "safelight@localhost",
        "SITE_URL": site,
    }
