"""The pages of the exchange: who opens them, what they show, and what they do with nonsense."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from tests.casework.everything import named
from tests.casework.exchange.makers import LISTS, Place, make_platform
from tests.casework.factories import make_user
from tests.casework.test_forms_survive import ODD, fields_of, values
from tests.casework.world import client_of

from safelight.casework.exchange import notices
from safelight.casework.exchange.models import ApiKey, Bank, Platform, TakedownNotice
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db

READ = ("platform", "bank", "report", "notice")


@pytest.fixture
def place(settings, tmp_path) -> Place:
    return Place(settings, tmp_path)


def routes() -> dict[str, object]:
    return {name.split(":")[1]: view for name, view, _ in named() if name.startswith("exchange:")}


def test_each_role_meets_what_it_may(place):
    """A platform's keys in the hands of whoever finds the page; or the exchange manager shut out at night."""
    stop = {"revoke_key", "suspend_key"}
    who = {
        "exchange_manager": place.boss, "supervisor": make_user("supervisor"),
        "administrator": make_user("administrator"),
        "investigator": make_user(), "examiner": make_user("examiner"), "referral_desk": make_user("referral_desk"),
    }  # fmt: skip
    for role, user in who.items():
        client = client_of(user)
        for name, view in routes().items():
            if "GET" not in view.policy.methods:
                continue
            reads = name in (*LISTS, *READ)
            opens = role == "exchange_manager" or (
                role in ("supervisor", "administrator") and reads or role == "administrator" and name in stop
            )
            assert client.get(place.at(name)).status_code == (200 if opens else 403), (role, name)
    nobody = client_of(None)
    assert {nobody.get(place.at(name)).status_code for name in LISTS} == {302}


def test_the_exchange_manager_sees_no_case(place):
    """A role for companies would open the cases of children."""
    client = client_of(place.boss)
    for name in ("cases:index", "referrals:desk", "devices:index", "submissions:index", "supervision:board"):
        assert client.get(reverse(name)).status_code == 403
    text = client.get(reverse("work:home")).content.decode()
    assert "Exchange" in text and "Supervisor" not in text


def test_a_key_is_shown_once_and_never_again(place):
    client = client_of(place.boss)
    answer = client.post(place.at("issue_key"), {"label": "Uploads", "scopes": ["lookup"], "days": 30})
    (token,) = re.findall(r'value="(slx_[^"]+)"', answer.content.decode())
    assert answer["Cache-Control"].find("no-store") >= 0
    for name in ("platform", "index"):
        assert token not in client.get(place.at(name)).content.decode()
    key = ApiKey.objects.order_by("-pk").first()
    rotated = client.post(place.at("rotate_key"), {"days": 30, "overlap_days": 1}).content.decode()
    assert "slx_" in rotated and key.public_id in token


def test_what_waits_stands_above_everything(place):
    text = client_of(place.boss).get(place.at("index")).content.decode()
    assert "A key is suspended" in text and "140 queries" in text
    page = client_of(place.boss).get(place.at("platform")).content.decode()
    assert "1,234" in page and place.token.split("_", 2)[2] not in page


def test_charts_need_no_style_and_stand_beside_their_table(place):
    """The site's policy would leave the chart blank; a blind reader would have nothing."""
    boss = client_of(place.boss)
    for name in ("hits", "availability"):
        answer = boss.get(place.at(name))
        text = answer.content.decode()
        (svg,) = re.findall(r"<svg[^>]*class=\"marks\".*?</svg>", text, re.S)
        assert "style=" not in svg and "<style" not in svg and "<script" not in svg
        assert "<table" in text


def test_platforms_with_hostile_names_break_no_page(place):
    """A company's name would run in the browser of whoever reads the chart."""
    evil = make_platform(place.boss, name="<script>alert(1)</script>")
    notices.send_notice(place.boss, evil, url="https://example.org/<script>", recipient="x")
    for name in LISTS:
        assert "<script>alert" not in client_of(place.boss).get(place.at(name)).content.decode()


@pytest.mark.parametrize("kind", ["nothing", "long", "NUL", "far future", "markup"])
def test_no_form_breaks_on_nonsense(place, kind):
    client = client_of(place.boss)
    before = (Platform.objects.count(), ApiKey.objects.count(), Bank.objects.count(), TakedownNotice.objects.count())
    for name, view in routes().items():
        if "POST" not in view.policy.methods or name == "restore":
            continue
        fields = fields_of(client, place.at(name))
        answer = client.post(place.at(name), {} if kind == "nothing" else values(fields, kind))
        assert answer.status_code < 500, name
    if kind not in ("markup", "far future"):
        after = (Platform.objects.count(), ApiKey.objects.count(), Bank.objects.count(), TakedownNotice.objects.count())
        assert after == before


def test_no_address_breaks_a_list(place):
    client = client_of(place.boss)
    for query in [*ODD[::3], "platform=PL-²", "show=%00", "report=RP-²", "entry=²"]:
        for name in (*LISTS, "send_notice", "withdraw"):
            assert client.get(f"{place.at(name)}?{query}").status_code < 500, (name, query)


def test_the_steps_of_a_day(place):
    """From the pages alone: lift a key, complete a report, chase and close a notice, withdraw and restore."""
    client = client_of(place.boss)
    steps = [
        ("lift_suspension", {"reason": "Their test team."}), ("complete_report", {"nca_reference": "N-1"}),
        ("chase", {"how": "By telephone."}), ("removed", {"told_by": "Their team"}),
        ("withdraw", {"content": place.content.pk, "reason": "False match."}), ("restore", {}),
        ("add_content", {"pdq": "0F" * 32}), ("change_bank", {"purpose": "Other.", "enabled": "on"}),
        ("suspend_key", {"reason": "Seen in a paste."}), ("close_platform", {"reason": "Ended."}),
    ]  # fmt: skip
    for name, data in steps:
        answer = client.post(place.at(name), data)
        assert answer.status_code == 302, (
            name,
            re.findall(r"govuk-error-message[^<]*<[^<]*<[^<]*", answer.content.decode()),
        )
    exported = client.post(place.at("export"), {"form": "json", "which": "all", "recipient": "NCA (synthetic)"})
    assert exported["Content-Disposition"].startswith("attachment")
    made = client.post(place.at("add_platform"), {
        "name": "Another (synthetic)", "contact": "x", "contact_email": "a@example.org", "agreement": "x",
        "per_minute": 1, "per_day": 2, "banks": [place.bank.pk],
    })  # fmt: skip
    assert made.status_code == 302
    assert LedgerEntry.objects.filter(actor=place.boss).values("verb").distinct().count() > 12
