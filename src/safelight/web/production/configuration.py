"""The settings of a production set-up."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from safelight.web.env import HOW_TO_MAKE_A_KEY
from safelight.web.production.finding import Finding, advice, unsafe

LOCAL = {"localhost", "127.0.0.1", "[::1]"}


def modes() -> Iterator[Finding]:
    """Demo, debugging and testing each switch protections off."""
    for name, word in (("DEMO", "the demonstration"), ("DEBUG", "debugging"), ("TESTING", "testing")):
        if getattr(settings, name):
            yield unsafe(
                f"settings.{name.lower()}",
                f"The site runs for {word}: plain http, cookies that travel unprotected"
                + (", error pages that show records." if name == "DEBUG" else "."),
                f"SAFELIGHT_{name}",
                f"Unset SAFELIGHT_{name} and start again.",
            )


def secret_key() -> Iterator[Finding]:
    """Whoever guesses the key can sign in as anybody."""
    key = settings.SECRET_KEY
    if len(key) < 32 or len(set(key)) < 12 or key.startswith("django-insecure-"):
        yield unsafe(
            "settings.secret_key",
            f"The secret key is weak: {len(key)} characters, {len(set(key))} different ones.",
            "SAFELIGHT_SECRET_KEY",
            HOW_TO_MAKE_A_KEY,
        )


def addresses() -> Iterator[Finding]:
    """Host names, the proxy with TLS in front, and the address in letters."""
    hosts = set(settings.ALLOWED_HOSTS)
    if any(host == "*" or host.startswith(".") for host in hosts):
        yield unsafe(
            "settings.hosts_open",
            "Requests for any host name are answered, so links can be made to lead elsewhere.",
            "SAFELIGHT_ALLOWED_HOSTS",
            "Name the exact host names of this site, comma-separated.",
        )
    elif not hosts - LOCAL:
        yield unsafe(
            "settings.hosts_local",
            "Only requests to this very machine are answered.",
            "SAFELIGHT_ALLOWED_HOSTS",
            "Name the host names under which people reach the site.",
        )
    if settings.SECURE_PROXY_SSL_HEADER is None:
        yield unsafe(
            "settings.no_proxy",
            "`safelight serve` speaks plain http and is not told of a proxy with TLS in front: every page would "
            "redirect to itself, and lockouts would count the proxy as one person.",
            "SAFELIGHT_BEHIND_PROXY",
            "Put a proxy with TLS in front that sets X-Forwarded-Proto and X-Forwarded-For, and set it to 1.",
        )
    if not settings.SITE_URL.startswith("https://"):
        yield advice(
            "settings.site_url",
            "Letters and exports cannot say where this site is.",
            "SAFELIGHT_SITE_URL",
            "Give the https:// address of this site.",
        )


def cookies() -> Iterator[Finding]:
    """A session cookie that travels in the clear is a stolen session."""
    wanted = {
        "SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True, "SESSION_COOKIE_HTTPONLY": True,
        "SECURE_SSL_REDIRECT": True,
    }  # fmt: skip
    for name, value in wanted.items():
        if getattr(settings, name) is not value:
            yield unsafe(
                f"settings.{name.lower()}",
                f"{name} is {getattr(settings, name)}: sessions can be read on the way.",
                name,
                "It follows from SAFELIGHT_DEMO, SAFELIGHT_DEBUG and SAFELIGHT_TESTING: unset them.",
            )
    if settings.SECURE_HSTS_SECONDS < 180 * 24 * 3600:
        yield unsafe(
            "settings.hsts",
            "Browsers are not told to use https alone.",
            "SECURE_HSTS_SECONDS",
            "It follows from SAFELIGHT_DEMO, SAFELIGHT_DEBUG and SAFELIGHT_TESTING: unset them.",
        )


def sign_in() -> Iterator[Finding]:
    """A password alone must open nothing."""
    if not (settings.SECOND_FACTOR_DUTY and settings.FRESH_SIGN_IN_DUTY):
        yield unsafe(
            "settings.second_factor", "Nobody is asked for a second factor, or again before what is hard to undo.",
            "SECOND_FACTOR_DUTY, FRESH_SIGN_IN_DUTY",
            "Both follow from SAFELIGHT_DEMO and SAFELIGHT_TESTING: unset them.",
        )  # fmt: skip
    from safelight.standards import load_standards

    rules = load_standards(site=settings.SITE_STANDARDS).sign_in.values()
    if without := sorted(rule.title for rule in rules if not rule.second_factor):
        yield unsafe(
            "standards.second_factor",
            f"A password alone signs in as {', '.join(without)}.",
            f"[sign_in] of SAFELIGHT_SITE_STANDARDS ({settings.SITE_STANDARDS})",
            "Set second_factor = true for these roles.",
        )


def witness() -> Iterator[Finding]:
    """Who can write to the database can write the whole ledger anew; only somebody outside would know."""
    if settings.WITNESSES is None:
        yield unsafe(
            "ledger.no_witness", "No witness outside this machine sees the ledger's roots: whoever has the database "
            "could write it anew from the beginning, and it would verify.",
            "SAFELIGHT_WITNESSES",
            "Run `safelight witness serve` on a machine of somebody else, and name it here (docs/ledger.md).",
        )  # fmt: skip
        return
    from safelight.casework.ledger.outside import witnesses

    if not list(witnesses()):
        yield unsafe(
            "ledger.no_witness", "The file of witnesses names none.", f"SAFELIGHT_WITNESSES ({settings.WITNESSES})",
            "Write a line \"URL KEY\" for each.",
        )  # fmt: skip


def logs() -> Iterator[Finding]:
    """The other form is for a demonstration's terminal: a trace may quote what somebody typed."""
    if settings.LOG_FORMAT != "json":
        yield unsafe(
            "settings.log", "The log may quote values of faults, and with them names.", "SAFELIGHT_LOG",
            "Unset it, or set it to json.",
        )  # fmt: skip


def mail() -> Iterator[Finding]:
    """Who is not at a screen learns of a child at risk by letter."""
    if not settings.EMAIL_ON:
        yield advice(
            "mail.none",
            "No mail server is named: escalations reach people only when they look at the pages.",
            "SAFELIGHT_EMAIL_HOST",
            "Name a mail server, with SAFELIGHT_EMAIL_FROM and SAFELIGHT_SITE_URL.",
        )
    elif not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        yield unsafe(
            "mail.plain",
            "Letters and the sign-in at the mail server travel in the clear.",
            "SAFELIGHT_EMAIL_SECURITY",
            "Use starttls or tls.",
        )


def standards() -> Iterator[Finding]:
    """What no source gives, the force must have decided."""
    from safelight.standards import load_standards

    loaded = load_standards(site=settings.SITE_STANDARDS)
    missing = [row.id for row in loaded.unset()]
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        yield unsafe(
            "standards.required",
            f"{len(missing)} durations or rules that the force must set itself are not set: {shown}.",
            "SAFELIGHT_SITE_STANDARDS",
            "See them with `safelight standards --required`, and write them to the force's own file.",
        )
    if drafts := loaded.unconfirmed():
        yield advice(
            "standards.drafts",
            f"{len(drafts)} drafts of ours are in force that nobody of the force has confirmed.",
            "SAFELIGHT_SITE_STANDARDS",
            "See them with `safelight standards --status draft`, and set or confirm each in the force's own file.",
        )
    if settings.SITE_STANDARDS and "demo" in settings.SITE_STANDARDS.name:
        yield unsafe(
            "standards.demo",
            "The standards of the demonstration are in force: invented values.",
            f"SAFELIGHT_SITE_STANDARDS ({settings.SITE_STANDARDS})",
            "Name the force's own file.",
        )


LOOKS = (modes, secret_key, addresses, cookies, sign_in, witness, logs, mail, standards)
