"""What everybody would lose: a way in that is closed to others, and pages that leak nothing."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import get_resolver

from safelight.web import errors, sign_in
from safelight.web.navigation import links, second_row

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def test_healthz_answers_without_a_session(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert not response.cookies


def test_healthz_says_so_when_the_database_is_gone(client, monkeypatch):
    from django.db import DatabaseError, connection

    def broken():
        raise DatabaseError("gone")

    monkeypatch.setattr(connection, "cursor", broken)
    assert client.get("/healthz").status_code == 503


def test_signing_in_and_out(client, make_user):
    make_user()
    response = client.post("/sign-in/?next=/standards/", {"login": "sam", "password": "demo-demo-demo"})
    assert (response.status_code, response.url) == (302, "/standards/")
    assert client.get("/standards/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/standards/").status_code == 302


def test_a_link_cannot_sign_anyone_out(client, make_user):
    client.force_login(make_user(), backend=BACKEND)
    client.get("/sign-out/")
    assert "_auth_user_id" in client.session


def test_a_link_cannot_lead_away_after_signing_in(client, make_user):
    make_user()
    response = client.post("/sign-in/?next=https://evil.example/", {"login": "sam", "password": "demo-demo-demo"})
    assert "evil" not in response.url


def test_nobody_can_make_their_own_account(client):
    for address in ("/sign-up/", "/signup/", "/accounts/signup/", "/sign-in/signup/"):
        assert client.get(address).status_code == 404
    from allauth.account.adapter import get_adapter

    assert get_adapter().is_open_for_signup(HttpRequest()) is False


def test_a_wrong_password_does_not_say_whether_the_account_exists(client, make_user):
    make_user()
    known = client.post("/sign-in/", {"login": "sam", "password": "wrong"}).content.decode()
    unknown = client.post("/sign-in/", {"login": "tom", "password": "wrong"}).content.decode()

    def plain(html: str) -> str:
        html = re.sub(r'(csrfmiddlewaretoken" value|nonce|X-CSRFToken": )[= ]?"[^"]*"', "", html)
        return html.replace("sam", "x").replace("tom", "x")

    assert plain(known) == plain(unknown)
    assert "There is a problem" in known


def test_guessing_is_stopped(client, make_user):
    make_user()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = client.post("/sign-in/", {"login": "sam", "password": "wrong"})
    assert response.status_code == 429
    right = client.post("/sign-in/", {"login": "sam", "password": "demo-demo-demo"})
    assert right.status_code == 429 and b"Too many attempts" in right.content


def test_guessing_is_stopped_however_the_name_is_written(client, make_user):
    make_user()
    for name in ("sam", "SAM", "Sam", "sAm", " sam"):
        response = client.post("/sign-in/", {"login": name, "password": "wrong"})
    assert response.status_code == 429


def test_a_colleague_is_not_locked_out_from_another_machine(client, make_user):
    make_user()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        client.post("/sign-in/", {"login": "sam", "password": "wrong"}, REMOTE_ADDR="10.0.0.66")
    right = client.post("/sign-in/", {"login": "sam", "password": "demo-demo-demo"}, REMOTE_ADDR="10.0.0.7")
    assert right.status_code == 302


def test_a_forged_address_does_not_reset_the_count(rf):
    """Behind a proxy only the last entry is the proxy's own; the rest is the client's to invent."""
    request = rf.get("/", HTTP_X_FORWARDED_FOR="6.6.6.6, 10.0.0.7", REMOTE_ADDR="127.0.0.1")
    assert sign_in.address_before_the_proxy(request) == "10.0.0.7"
    assert sign_in.address_before_the_proxy(rf.get("/", REMOTE_ADDR="127.0.0.1")) == "127.0.0.1"


def test_pages_allow_nothing_from_elsewhere_and_no_inline_style(client, make_user):
    client.force_login(make_user(), backend=BACKEND)
    for address in ("/standards/", "/styleguide/", "/nowhere/"):
        response = client.get(address)
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        html = response.content.decode()
        assert " style=" not in html and "<style" not in html
        assert not re.search(r"\son\w+=", html), "inline event handlers are blocked by the policy"
        nonce = re.search(r"'nonce-([^']+)'", policy)[1]
        for tag in re.findall(r"<script[^>]*>", html):
            assert f'nonce="{nonce}"' in tag
        assert not re.search(r'(?:src|href)="https?://', html)


def test_pages_stay_out_of_every_cache(client, make_user):
    client.force_login(make_user(), backend=BACKEND)
    assert "no-store" in client.get("/standards/")["Cache-Control"]
    assert "no-store" in client.get("/nowhere/")["Cache-Control"]


def test_the_other_headers(client):
    response = client.get("/sign-in/")
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("address", ["/sign-in/", "/nowhere/", "/sign-out/"])
def test_a_screen_reader_finds_its_way(client, address):
    html = client.get(address, follow=True).content.decode()
    assert '<html lang="en"' in html
    assert html.count("<h1") == 1 and html.count("<main") == 1
    assert 'href="#main-content"' in html and "<title>" in html


def test_every_error_has_a_page_of_ours(rf, make_user):
    request = rf.get("/x")
    for response, text in (
        (errors.bad_request(request), "could not read"),
        (errors.permission_denied(request, PermissionDenied("Only a supervisor may.")), "Only a supervisor may."),
        (errors.not_found(request), "Page not found"),
        (errors.server_error(request), "emergency process"),
    ):
        assert text in response.content.decode()


def test_a_form_without_its_token_is_refused_kindly(make_user):
    make_user()
    response = Client(enforce_csrf_checks=True).post("/sign-in/", {"login": "sam", "password": "demo-demo-demo"})
    assert response.status_code == 403 and b"This form has expired" in response.content


def test_navigation_follows_the_role(rf, make_user):
    """An administrator sees no case content, not even the door."""
    request = rf.get("/standards/")
    request.user = make_user("administrator")
    texts = [link["text"] for link in links(request)]
    assert not {"Cases", "Devices", "Referral desk", "Supervisor's board"} & set(texts)
    assert [link["text"] for link in links(request) if link["current"] or link["active"]] == ["Force"]
    group, row = second_row(request)
    assert group == "Force" and [(text, here) for text, _, here in row] == [
        ("Skills", False),
        ("Skills audit", False),
        ("Plans", False),
        ("Standards", True),
    ]


def test_a_group_with_one_page_for_a_person_is_that_page(rf, make_user):
    """An officer who may open one page of a group must not hunt for it behind the name of the group."""
    request = rf.get("/standards/")
    request.user = make_user("exchange_manager")
    assert [link["text"] for link in links(request) if link["current"]] == ["Standards"]
    assert second_row(request) == ("", [])


def test_every_page_of_ours_declares_a_policy():
    """A page without a declared policy could be open to anyone by mistake."""
    for pattern in get_resolver().url_patterns:
        callback = getattr(pattern, "callback", None)
        if callback is not None:
            assert hasattr(callback, "policy"), pattern


def test_the_standards_page_filters_in_the_address(client, make_user):
    client.force_login(make_user(), backend=BACKEND)
    everything = client.get("/standards/").content.decode()
    assert "police_referral_to_csc" in everything and "What the force must set itself" in everything
    statutes = client.get("/standards/?kind=statute").content.decode()
    assert ">police_protection_max<" in statutes and ">police_referral_to_csc<" not in statutes
    assert client.get("/standards/?kind=nonsense&status=%3Cscript%3E").status_code == 200


def test_every_standard_is_on_the_page(client, make_user):
    """A row that the page leaves out is a duty nobody sees."""
    from safelight.casework.base.standards import standards

    client.force_login(make_user(), backend=BACKEND)
    html = client.get("/standards/").content.decode()
    for table, row in standards().rows():
        assert row.id in html, (table, row.id)


def test_one_template_environment_for_the_whole_process(client):
    """A fresh environment per component costs a page dozens of compilations."""
    from django.template import engines

    client.get("/sign-in/")
    first = engines["jinja2"].env
    before = dict(first.cache.items())
    client.get("/sign-in/")
    assert engines["jinja2"].env is first and dict(first.cache.items()) == before


@pytest.mark.django_db
def test_the_standards_page_counts_as_missing_only_what_nobody_has_set(client, django_user_model, settings) -> None:
    """A force that has set every clock would still read in red that five are missing."""
    from pathlib import Path

    import safelight.standards
    from safelight.casework.base.standards import standards

    user = django_user_model.objects.create(username="synthetic", name="Example Reader (synthetic)", role="supervisor")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    counted = {}
    for site in (None, Path(safelight.standards.__file__).parent / "data" / "demo_site.toml"):
        settings.SITE_STANDARDS = site
        page = client.get("/standards/").content.decode()
        assert "set by the force" in page
        counted[site is not None] = sum(1 for rule in standards().clocks.values() if not rule.is_set)
        part = page.partition("Clocks that the force must still set")
        assert str(counted[site is not None]) in part[0][-300:] + part[2][:300]
    assert counted[True] == 0 < counted[False]


def test_when_the_database_is_away_the_page_asks_it_nothing_and_promises_nothing(client, make_user):
    """'Nothing was changed' about a referral that was saved is entered twice, or about a child never again."""
    from django.contrib.sessions.exceptions import SessionInterrupted
    from django.db import OperationalError, connection

    client.force_login(make_user(), backend=BACKEND)
    client.raise_request_exception = False

    def away(*_: object, **__: object) -> None:
        raise OperationalError("the connection was cut")

    with connection.execute_wrapper(away):
        read, sent = client.get("/standards/"), client.post("/standards/")
    for answer in (read, sent):
        assert answer.status_code == 503 and answer["Retry-After"] == "30"
        assert "cannot reach its records" in answer.content.decode()
    assert "not saved; nothing was half saved" in sent.content.decode()
    assert "saved" not in read.content.decode()

    request = sent.wsgi_request
    ended = errors.bad_request(RequestFactory().post("/x"), SessionInterrupted("deleted")).content.decode()
    assert "may have been saved" in ended and "Nothing was changed" not in ended
    try:
        try:
            raise OperationalError("disk I/O error")
        except OperationalError as error:
            raise SessionInterrupted("deleted") from error
    except SessionInterrupted as error:
        assert errors.bad_request(request, error).status_code == 503
