"""What a browser is told and what it may ask: headers, cookies, methods, and forms sent by somebody else's page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from tests.web.security.people import BACKEND, give_password, make_person

pytestmark = pytest.mark.django_db
VALUES = {"int": 1, "str": "x", "slug": "x", "uuid": "00000000-0000-4000-8000-000000000000", "path": "x"}


def routes(resolver: Any = None, space: str = "") -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """(name, view, values for its address) of every route."""
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            yield from routes(one, f"{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern) and one.name:
            values = {
                name: VALUES.get(type(kind).__name__.removesuffix("Converter").lower().replace("string", "str"), "x")
                for name, kind in one.pattern.converters.items()
            }
            yield f"{space}{one.name}", one.callback, values


def address_of(name: str, values: dict[str, Any]) -> str:
    return reverse(name, kwargs=values or None)


@pytest.fixture
def inside() -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_person(role="supervisor"), backend=BACKEND)
    return client


def test_every_answer_carries_the_headers(inside):
    """A page would be framed, sniffed, cached, or load what an attacker wrote into it."""
    addresses = ["/sign-in/", "/standards/", "/work/", "/my-sign-in/", "/nowhere/", "/accounts/", "/cases/C-999999/"]
    for address in addresses:
        answer = inside.get(address)
        policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
        for name in ("default-src", "object-src", "base-uri", "frame-ancestors"):
            assert policy[name] == "'none'", (address, name)
        assert "unsafe" not in answer["Content-Security-Policy"], address
        assert answer.status_code == 302 or "'nonce-" in policy["script-src"], address
        assert answer["X-Content-Type-Options"] == "nosniff" and answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin" and answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "no-store" in answer["Cache-Control"] and answer["Content-Type"] == "text/html; charset=utf-8"
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]
        assert not {"Server", "X-Powered-By"} & set(answer.headers)


def test_the_nonce_of_a_page_is_its_own(inside):
    """One that repeats could be known beforehand."""
    seen = {re.search(r"'nonce-([^']+)'", inside.get("/standards/")["Content-Security-Policy"])[1] for _ in range(3)}
    assert len(seen) == 3 and all(len(one) >= 16 for one in seen)


def test_a_form_sent_by_another_page_is_refused_everywhere(inside):
    """A page that an officer opens in another tab would hold a clock, close a case, or give away a key (CSRF)."""
    open_to_others = []
    tried = 0
    for name, view, values in routes():
        policy = getattr(view, "policy", None)
        if policy is None or "POST" not in policy.methods:
            continue
        tried += 1
        answer = inside.post(address_of(name, values), {"x": "y"}, headers={"Origin": "https://evil.example"})
        if answer.status_code != 403 or b"csrf" not in answer.content.lower() and b"form" not in answer.content.lower():
            open_to_others.append((name, answer.status_code))
    # The force's sign-in service has no form of ours: its signature is believed. Here there is no service.
    assert tried > 100 and open_to_others == [("openid_connect_ended", 404)]


def test_only_declared_methods_are_answered(inside):
    """TRACE shows cookies to scripts; a method nobody thought of has no checks."""
    for name, view, values in list(routes())[::9]:
        policy = getattr(view, "policy", None)
        if policy is None:
            continue
        address = address_of(name, values)
        for method in {"PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "GET", "POST"} - set(policy.methods):
            token = {"headers": {"X-CSRFToken": "x"}} if method in ("PUT", "PATCH", "DELETE", "POST") else {}
            status = inside.generic(method, address, **token).status_code
            assert status in (403, 405), (name, method, status)
    assert inside.generic("TRACE", "/sign-in/").status_code == 405


def test_a_session_stands_in_a_cookie_only(inside):
    """In an address it would be in logs, histories and the Referer of the next page."""
    make_person("sam2")
    client = Client()
    give_password(client, "sam2")
    key = client.cookies["safelight-session"].value
    assert len(key) >= 32
    for address in ("/my-sign-in/", "/standards/"):
        assert key not in client.get(address).content.decode()
        assert client.get(f"{address}?sessionid={key}").status_code == 200
    assert Client().get(f"/standards/?safelight-session={key}").status_code == 302


def test_keys_of_sessions_do_not_repeat_and_have_no_order():
    """A key that can be guessed is a session that can be had."""
    from django.contrib.sessions.backends.db import SessionStore

    keys = {SessionStore()._get_new_session_key() for _ in range(200)}
    assert len(keys) == 200 and all(re.fullmatch(r"[a-z0-9]{32}", key) for key in keys)  # 165 bits


def test_nothing_but_pages_and_toolkits_is_served(inside):
    """The source, the history or the settings would be an address away."""
    for address in ("/.git/config", "/.env", "/static/", "/static/../settings.py", "/static/%2e%2e/settings.py",
                    "/admin/", "/__debug__/", "/media/", "/var/safelight.sqlite3", "/accounts/login/"):  # fmt: skip
        assert inside.get(address).status_code == 404, address


def test_a_parameter_given_twice_breaks_nothing(inside):
    """Two answers to one question would pass a check with one and act on the other."""
    assert inside.get("/standards/?status=draft&status=verified").status_code == 200
    client = Client()
    make_person("sam3")
    answer = client.post(
        "/sign-in/?login=other", "login=sam3&login=other&password=x", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200 and "_auth_user_id" not in client.session


@pytest.mark.one_database("a process of its own, on SQLite")
class TestProduction:
    """As a force runs it: settings without demo, debugging or tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def made(cls, tmp_path_factory) -> dict[str, Any]:
        names = (
            "DEBUG", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE",
            "SESSION_COOKIE_NAME", "CSRF_COOKIE_SECURE", "CSRF_COOKIE_HTTPONLY", "CSRF_COOKIE_SAMESITE",
            "CSRF_COOKIE_NAME", "SECURE_SSL_REDIRECT", "SECURE_REDIRECT_EXEMPT", "SECURE_HSTS_SECONDS",
            "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECOND_FACTOR_DUTY", "FRESH_SIGN_IN_DUTY", "SESSION_ENGINE",
            "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", "MFA_TOTP_TOLERANCE", "ALLOWED_HOSTS", "SESSION_COOKIE_AGE",
        )  # fmt: skip
        code = (
            "import json; from django.conf import settings; from django.contrib.auth.hashers import get_hasher;"
            f"made = {{name: getattr(settings, name) for name in {names!r}}};"
            "made['hasher'] = [get_hasher().algorithm, getattr(get_hasher(), 'iterations', 0)];"
            "from django.urls import get_resolver;"
            "made['routes'] = [str(one.pattern) for one in get_resolver().url_patterns]; print(json.dumps(made))"
        )
        folder = tmp_path_factory.mktemp("production")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SAFELIGHT", "PYTEST"))}
        kept.pop("DATABASE_URL", None)
        environment = {
            **kept, "SAFELIGHT_DATA": str(folder), "SAFELIGHT_SECRET_KEY": "s" * 50,
            "DJANGO_SETTINGS_MODULE": "safelight.web.settings",
        }  # fmt: skip
        code = "import django; django.setup();" + code
        told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return dict(json.loads(told.stdout.splitlines()[-1]))

    def test_cookies_travel_over_tls_and_to_this_host_only(self, made):
        """A cookie over plain http, or set by another host of the domain, is somebody else's session."""
        for kind in ("SESSION", "CSRF"):
            assert made[f"{kind}_COOKIE_SECURE"] and made[f"{kind}_COOKIE_HTTPONLY"]
            assert made[f"{kind}_COOKIE_SAMESITE"] == "Lax" and made[f"{kind}_COOKIE_NAME"].startswith("__Host-")
        assert made["SESSION_ENGINE"].endswith("sessions.backends.db") and made["SESSION_COOKIE_AGE"] <= 12 * 3600

    def test_browsers_come_over_tls_alone(self, made):
        """The first request of a day would go out in the clear."""
        assert made["SECURE_SSL_REDIRECT"] and made["SECURE_HSTS_SECONDS"] >= 365 * 24 * 3600
        assert made["SECURE_HSTS_INCLUDE_SUBDOMAINS"] and made["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]

    def test_every_protection_is_on(self, made):
        """A demo's comfort would have come along."""
        assert made["DEBUG"] is False and made["SECOND_FACTOR_DUTY"] and made["FRESH_SIGN_IN_DUTY"]
        assert made["MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN"] is False and made["MFA_TOTP_TOLERANCE"] == 0
        assert "styleguide/" not in made["routes"]

    def test_passwords_are_kept_with_a_costly_hash(self, made):
        """A copied table would be read in an afternoon."""
        algorithm, iterations = made["hasher"]
        assert algorithm == "pbkdf2_sha256" and iterations >= 600_000
