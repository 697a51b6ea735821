"""A force would go live with a site that anybody can sign in to, and nothing would have said so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safelight.tlog.notes import COSIGNATURE, Signer
from safelight.web.production import configuration

STRONG = "kW3xQ9_ZbM1-tY7uLr5nCg0aHs8dJf2eVpXo6iTq4wBz"
SAFE = {
    "DEMO": False, "DEBUG": False, "TESTING": False, "SECRET_KEY": STRONG, "ALLOWED_HOSTS": ["safelight.force.example"],
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"), "SITE_URL": "https://safelight.force.example",
    "SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True, "SESSION_COOKIE_HTTPONLY": True,
    "SECURE_SSL_REDIRECT": True, "SECURE_HSTS_SECONDS": 31_536_000, "EMAIL_ON": True, "EMAIL_USE_TLS": True,
    "EMAIL_USE_SSL": False, "LOG_FORMAT": "json", "SECOND_FACTOR_DUTY": True, "FRESH_SIGN_IN_DUTY": True,
}  # fmt: skip


@pytest.fixture(autouse=True)
def a_witness(settings: Any, tmp_path: Path) -> None:
    """A witness of the ledger is named."""
    place, signer = tmp_path / "witnesses", Signer("witness.example", COSIGNATURE, bytes([1] * 32))
    place.write_text(f"https://witness.example {signer.verifier}\n")
    settings.WITNESSES = place


def codes(settings: Any, **changed: Any) -> set[str]:
    for name, value in (SAFE | changed).items():
        setattr(settings, name, value)
    looks = [look for look in configuration.LOOKS if look is not configuration.standards]
    found = [finding for look in looks for finding in look()]
    assert all(f.what and f.where and f.fix for f in found)
    return {f.code for f in found}


def test_a_safe_set_of_settings_has_no_finding(settings: Any) -> None:
    assert codes(settings) == set()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"DEMO": True}, "settings.demo"),
        ({"DEBUG": True}, "settings.debug"),
        ({"TESTING": True}, "settings.testing"),
        ({"SECRET_KEY": "a" * 60}, "settings.secret_key"),
        ({"SECRET_KEY": "django-insecure-" + STRONG}, "settings.secret_key"),
        ({"SECRET_KEY": STRONG[:20]}, "settings.secret_key"),
        ({"ALLOWED_HOSTS": ["*"]}, "settings.hosts_open"),
        ({"ALLOWED_HOSTS": [".force.example"]}, "settings.hosts_open"),
        ({"ALLOWED_HOSTS": ["localhost", "127.0.0.1"]}, "settings.hosts_local"),
        ({"SECURE_PROXY_SSL_HEADER": None}, "settings.no_proxy"),
        ({"SITE_URL": ""}, "settings.site_url"),
        ({"SESSION_COOKIE_SECURE": False}, "settings.session_cookie_secure"),
        ({"CSRF_COOKIE_SECURE": False}, "settings.csrf_cookie_secure"),
        ({"SESSION_COOKIE_HTTPONLY": False}, "settings.session_cookie_httponly"),
        ({"SECURE_SSL_REDIRECT": False}, "settings.secure_ssl_redirect"),
        ({"SECURE_HSTS_SECONDS": 60}, "settings.hsts"),
        ({"LOG_FORMAT": "line"}, "settings.log"),
        ({"SECOND_FACTOR_DUTY": False}, "settings.second_factor"),
        ({"FRESH_SIGN_IN_DUTY": False}, "settings.second_factor"),
        ({"WITNESSES": None}, "ledger.no_witness"),
        ({"EMAIL_ON": False}, "mail.none"),
        ({"EMAIL_USE_TLS": False}, "mail.plain"),
    ],
)
def test_each_unsafe_setting_is_named(settings: Any, changed: dict[str, Any], code: str) -> None:
    assert codes(settings, **changed) == {code}


def test_a_role_that_signs_in_with_a_password_alone_is_named(settings: Any, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[sign_in.partner]\nsecond_factor = false\nlabel = "Order 3"\n')
    assert codes(settings, SITE_STANDARDS=site) == {"standards.second_factor"}


def test_a_file_that_names_no_witness_is_none(settings: Any) -> None:
    settings.WITNESSES.write_text("# none yet\n")
    assert codes(settings) == {"ledger.no_witness"}


def test_what_the_force_has_not_decided_is_named(settings: Any) -> None:
    settings.SITE_STANDARDS = None
    found = {f.code: f for f in configuration.standards()}
    assert found.keys() == {"standards.required", "standards.drafts"}
    assert "25 durations" in found["standards.required"].what


def test_the_invented_values_of_the_demo_are_no_standards(settings: Any) -> None:
    import safelight.standards

    settings.SITE_STANDARDS = Path(safelight.standards.__file__).parent / "data" / "demo_site.toml"
    assert "standards.demo" in {f.code for f in configuration.standards()}
