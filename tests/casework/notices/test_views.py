"""The page of notices, and the outbox."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_case, make_referral, make_user

from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Letter, Notice
from safelight.casework.notices.queries import Filters, address_of, notice_page
from safelight.casework.notices.services import tell

pytestmark = pytest.mark.django_db
INDEX = "/notices/"


@pytest.fixture
def told() -> tuple[Any, Any, list[Notice]]:
    user, case = make_user(), make_case()
    rows = [tell([user], kind, case)[0] for kind in ("clock.breached", "clock.due_soon", "live_contact.ended")]
    return user, case, rows


def test_everyone_sees_the_own_notices_and_nobody_elses(told, sign_in):
    """Who was told what would be read by a curious colleague."""
    user, case, rows = told
    text = sign_in(user).get(INDEX).content.decode()
    assert all(row.reference in text for row in rows)
    stranger = sign_in(make_user("supervisor"))
    assert "You have no notices." in stranger.get(INDEX).content.decode()
    assert stranger.get(reverse("notices:detail", args=[rows[0].reference])).status_code == 404
    assert stranger.post(reverse("notices:read"), {"notice": rows[0].reference}).status_code == 302
    assert Notice.objects.unread().count() == 3
    assert LedgerEntry.objects.filter(verb="list.viewed", actor=user, payload__list="notices").exists()


def test_filters_stand_in_the_address(told, sign_in):
    user, _, (breached, soon, ended) = told
    client = sign_in(user)
    client.post(reverse("notices:read"), {"notice": soon.reference})

    def found(query: str) -> list[Notice]:
        text = client.get(INDEX + query).content.decode()
        return [row for row in (breached, soon, ended) if row.reference in text]

    assert found("?state=unread") == [breached, ended]
    assert found("?state=read") == [soon]
    assert found("?severity=alert") == [breached]
    assert found("?kind=live_contact.ended") == [ended]
    assert found("?state=nonsense&severity=x&before=abc") == [breached, soon, ended]
    assert "No notice matches." in client.get(INDEX + "?kind=clock.reached").content.decode()


def test_the_head_of_every_page_counts_what_is_not_read(told, sign_in):
    """An alert that nobody sees is no alert."""
    user, _, rows = told
    client = sign_in(user)
    assert '<span class="govuk-visually-hidden">, </span>3' in client.get("/work/").content.decode()
    client.post(reverse("notices:read"), {"notice": [row.reference for row in rows]})
    assert "not read" not in client.get("/work/").content.decode()


def test_a_letter_leads_to_its_notice_and_on_to_the_case(told, sign_in):
    user, case, rows = told
    client = sign_in(user)
    page = client.get(reverse("notices:detail", args=[rows[0].reference]))
    onward = reverse("cases:detail", args=[case.reference])
    assert onward in page.content.decode()
    assert Notice.objects.unread().count() == 3, "looking is not reading: a mail program follows links by itself"
    answer = client.post(reverse("notices:read"), {"notice": rows[0].reference, "then": onward})
    assert answer.url == onward
    assert Notice.objects.unread().count() == 2


def test_nobody_is_led_off_this_site(told, sign_in):
    user, _, rows = told
    for onward in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"):
        answer = sign_in(user).post(reverse("notices:read"), {"notice": rows[0].reference, "then": onward})
        assert answer.url == INDEX
    wrong = {"notice": ["", "x", "NO-", "NO-" + "9" * 40, "NO-12a"]}
    assert sign_in(user).post(reverse("notices:read"), wrong).status_code == 302


def test_pages_follow_each_other_without_gap_or_repeat(told):
    user, _, rows = told
    first = notice_page(user, Filters(), size=2)
    second = notice_page(user, Filters(), before=first.before, size=2)
    assert [row for row, *_ in (*first.rows, *second.rows)] == rows[::-1]
    assert second.before is None


def test_a_notice_leads_to_what_it_is_about():
    user = make_user("referral_desk")
    referral = make_referral()
    row = tell([user], "clock.breached", referral)[0]
    assert address_of(row) == reverse("referrals:detail", args=[referral.reference])
    assert address_of(tell([user], "clock.breached", user)[0]) == ""
    row.kind = "gone.kind"
    assert row.what.title == "gone: kind"


def test_the_outbox_shows_an_administrator_what_is_stuck_and_no_word_of_it(told, sign_in):
    _, case, rows = told
    now = timezone.now()
    Letter.objects.create(notice=rows[0], next_try_at=now, tries=4, fault="SMTP 550")
    text = sign_in(make_user("administrator")).get(reverse("notices:outbox")).content.decode()
    assert "SMTP 550" in text
    assert rows[0].reference in text
    assert case.reference not in text
    assert "E-mail is not set up" in text
    assert sign_in(make_user("supervisor")).get(reverse("notices:outbox")).status_code == 403
