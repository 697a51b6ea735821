"""What was refused and to whom, and how often a person may ask at all."""

from __future__ import annotations

import json
import logging
from ipaddress import ip_network

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError
from django.test import Client
from tests.casework.factories import make_case
from tests.casework.factories import make_user as make_member
from tests.web.security.people import BACKEND, make_person

from safelight.casework.accounts import refusals
from safelight.casework.ledger.models import LedgerEntry
from safelight.web import env
from safelight.web.errors import bad_request
from safelight.web.rates import MOST_PEOPLE, Allowance

pytestmark = pytest.mark.django_db


def inside(user, **more) -> Client:
    client = Client(**more)
    client.force_login(user, backend=BACKEND)
    return client


def refused(user) -> list[dict]:
    return [one.payload for one in LedgerEntry.objects.filter(verb="access.refused", actor=user).order_by("id")]


def test_the_ledger_has_what_a_person_was_refused(client):
    """Somebody tries the numbers of cases one after the other, and only the hits would be known."""
    hidden = make_case(actor=make_member("supervisor"), restricted=True)
    user = make_person()
    browser = inside(user)
    assert browser.get(f"/cases/{hidden.reference}/").status_code == 404
    assert browser.get("/cases/C-999999/").status_code == 404
    assert browser.get("/accounts/").status_code == 403
    assert browser.get("/nowhere/").status_code == 404, "no page, and so no record that was asked for"
    page = {"page": "cases:detail", "method": "GET", "why": "not there"}
    assert refused(user) == [
        {**page, "asked": {"reference": hidden.reference}},
        {**page, "asked": {"reference": "C-999999"}},
        {"page": "accounts:index", "method": "GET", "why": "role", "asked": {}},
    ]
    entry = LedgerEntry.objects.filter(verb="access.refused").first()
    assert entry.case_key is None and not entry.subject_label, "the entry must not tell which of both exists"


def test_words_in_an_address_are_not_kept(caplog):
    """The ledger is kept for ever: a name that somebody typed as a number would never go again."""
    user = make_person(role="administrator")
    inside(user).get("/accounts/of/Zyxwvut Child/")
    assert refused(user)[0]["asked"] == {"username": "(text)"}
    assert "Zyxwvut" not in json.dumps(list(LedgerEntry.objects.values_list("payload", flat=True)))


def test_forged_forms_and_nonsense_are_recorded(rf, caplog):
    """Somebody else's page sends forms in an officer's name, for weeks, and nobody would notice."""
    user = make_person()
    forger = Client(enforce_csrf_checks=True)
    forger.force_login(user, backend=BACKEND)
    assert forger.post("/my-sign-in/sessions/end/", {}).status_code == 403
    request = rf.get("/")
    request.user, request.resolver_match, request.session = user, None, {}
    assert bad_request(request, SuspiciousOperation("x")).status_code == 400
    assert [(one["page"], one["why"]) for one in refused(user)] == [
        ("accounts:end_session", "form token"), ("(none)", "nonsense"),
    ]  # fmt: skip
    # Of strangers the log has page and reason; the ledger is not theirs to fill.
    with caplog.at_level(logging.INFO, logger="safelight.casework.accounts.refusals"):
        assert Client(enforce_csrf_checks=True).post("/sign-in/", {"login": "sam"}).status_code == 403
    assert [record.about for record in caplog.records if hasattr(record, "about") and "why" in record.about] == [
        {"page": "account_login", "why": "form token", "method": "POST"}
    ]
    assert LedgerEntry.objects.filter(verb="access.refused").count() == 2


def test_a_refusal_that_cannot_be_written_is_a_refusal_all_the_same(monkeypatch, caplog):
    """While the database is full, "no" would become "server error"; or the trace would be gone without a word."""
    user = make_person()

    def full(*args, **kwargs):
        raise DatabaseError("disk full")

    monkeypatch.setattr(refusals, "record", full)
    assert inside(user).get("/accounts/").status_code == 403
    assert "a refusal could not be recorded" in caplog.text


def test_a_person_who_asks_without_end_is_slowed_down(settings):
    """A script in one officer's name would read every case in an hour, and the others would wait."""
    settings.PAGES_A_MINUTE = 3
    user, other = make_person(), make_person("tom")
    browser = inside(user)
    assert [browser.get("/standards/").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    answer = inside(user).get("/standards/")  # another browser has a count of its own here: each client is a process
    assert answer.status_code == 200
    answer = browser.get("/standards/")
    assert 1 <= int(answer["Retry-After"]) <= 21 and b"Nothing was recorded by this request" in answer.content
    assert [one["why"] for one in refused(user)] == ["too many"], "one entry, not one for each"
    assert inside(other).get("/standards/").status_code == 200


def test_what_was_used_up_comes_back():
    """Who opened twenty tabs would be shut out for the day; or every pause would add up to a flood."""
    now = [0.0]
    allowance = Allowance(60, clock=lambda: now[0])
    assert [allowance.take(1) for _ in range(60)] == [0.0] * 60
    assert allowance.take(1) == pytest.approx(1.0) and allowance.take(2) == 0
    now[0] = 2.0
    assert [allowance.take(1) == 0 for _ in range(3)] == [True, True, False]
    now[0] = 10_000
    assert [allowance.take(1) == 0 for _ in range(61)] == [True] * 60 + [False]
    for person in range(MOST_PEOPLE + 10):
        allowance.take(person)
    assert len(allowance._left) == MOST_PEOPLE


def test_an_administrator_from_elsewhere_is_out(settings):
    """A stolen administrator's session would make accounts from anywhere in the world."""
    settings.ADMIN_NETWORKS = [ip_network("10.20.0.0/16"), ip_network("fd00::/8")]
    head, officer = make_person("head", "administrator"), make_person()
    assert inside(head, REMOTE_ADDR="10.20.3.4").get("/accounts/").status_code == 200
    assert inside(head, REMOTE_ADDR="fd00::1").get("/accounts/").status_code == 200
    assert inside(officer, REMOTE_ADDR="192.0.2.1").get("/standards/").status_code == 200, "officers work anywhere"
    for address in ("192.0.2.1", "::1", "unknown"):
        browser = inside(head, REMOTE_ADDR=address)
        answer = browser.get("/accounts/")
        assert answer.status_code == 403 and b"work from the networks" in answer.content, address
        assert browser.get("/accounts/").status_code == 302, "and out"
    assert {one["why"] for one in refused(head)} == {"network"}


def test_a_network_that_is_none_stops_the_start(monkeypatch):
    """A slip in the list would let everybody in, or nobody."""
    monkeypatch.setenv("SAFELIGHT_ADMIN_NETWORKS", "10.20.0.0/16, 10.0.0.300/8")
    with pytest.raises(env.SettingsError, match="SAFELIGHT_ADMIN_NETWORKS"):
        env.networks("SAFELIGHT_ADMIN_NETWORKS")
