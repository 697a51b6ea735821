"""The settings of e-mail: whole, or the start stops with one sentence."""

from __future__ import annotations

import pytest

from safelight.web.env import SettingsError
from safelight.web.mail import settings_of_mail

WHOLE = {
    "SAFELIGHT_EMAIL_HOST": "mail.force.example",
    "SAFELIGHT_EMAIL_FROM": "safelight@force.example",
    "SAFELIGHT_SITE_URL": "https://safelight.example/",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in ("HOST", "PORT", "SECURITY", "USER", "PASSWORD", "FROM", "TIMEOUT"):
        monkeypatch.delenv(f"SAFELIGHT_EMAIL_{name}", raising=False)
    monkeypatch.delenv("SAFELIGHT_SITE_URL", raising=False)


def read(monkeypatch, *, plain_http=False, **values):
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return settings_of_mail(plain_http=plain_http)


def test_without_a_server_nothing_is_sent(monkeypatch):
    found = read(monkeypatch)
    assert not found["EMAIL_ON"]
    assert found["EMAIL_BACKEND"].endswith("dummy.EmailBackend")


@pytest.mark.parametrize(("security", "port", "tls", "ssl"), [("", 587, 1, 0), ("tls", 465, 0, 1), ("none", 25, 0, 0)])
def test_each_security_has_its_port(monkeypatch, security, port, tls, ssl):
    """A password would travel in the clear because a default was meant for another port."""
    found = read(monkeypatch, **WHOLE, SAFELIGHT_EMAIL_SECURITY=security)
    assert (found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (port, bool(tls), bool(ssl))
    assert (found["EMAIL_ON"], found["SITE_URL"]) == (True, "https://safelight.example")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"SAFELIGHT_EMAIL_FROM": ""}, "SAFELIGHT_EMAIL_FROM"),
        ({"SAFELIGHT_EMAIL_FROM": "nobody"}, "no address"),
        ({"SAFELIGHT_SITE_URL": ""}, "SAFELIGHT_SITE_URL"),
        ({"SAFELIGHT_SITE_URL": "http://safelight.example"}, "https"),
        ({"SAFELIGHT_EMAIL_SECURITY": "ssl"}, "starttls, tls, none"),
        ({"SAFELIGHT_EMAIL_PORT": "smtp"}, "whole number"),
    ],
)
def test_half_a_setting_stops_the_start(monkeypatch, change, what):
    """Letters would lead nowhere, or go out in the clear, until somebody noticed."""
    with pytest.raises(SettingsError, match=what):
        read(monkeypatch, **{**WHOLE, **change})
