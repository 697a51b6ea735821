"""Telling people: once each, only those who may know, and by letters that name nobody."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_case, make_child, make_person, make_referral, make_user

from safelight.casework.clocks.services import start_clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.kinds import KINDS, SEVERITIES
from safelight.casework.notices.letters import send_waiting
from safelight.casework.notices.models import Letter, Notice
from safelight.casework.notices.services import mark_read, reference_of, tell
from safelight.casework.notices.work import items_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_email(settings: Any) -> Any:
    settings.EMAIL_ON = True
    settings.SITE_URL = "https://safelight.example"
    settings.DEFAULT_FROM_EMAIL = "safelight@force.example"
    return settings


def reachable(role: str = "investigator", **fields: Any) -> Any:
    user = make_user(role, **fields)
    user.email = f"person{user.pk}@force.example"
    user.save()
    return user


class TestTelling:
    def test_the_same_key_tells_each_person_once(self):
        """A sweep that runs twice would bury the one notice that matters."""
        case = make_case()
        first, second = make_user(), make_user()
        assert len(tell([first, first], "clock.breached", case, key="clock:1:breached")) == 1
        told = tell([first, second], "clock.breached", case, key="clock:1:breached")
        assert [row.user for row in told] == [second]
        assert tell([first, second], "clock.breached", case, key="clock:1:breached") == []
        assert Notice.objects.count() == 2
        with pytest.raises(IntegrityError), transaction.atomic():
            Notice.objects.create(user=first, kind="clock.breached", at=timezone.now(), key="clock:1:breached")

    def test_without_a_key_the_same_thing_can_happen_twice(self):
        case, user = make_case(), make_user()
        for _ in range(2):
            tell([user], "live_contact.found", case)
        assert Notice.objects.filter(user=user, case=case).count() == 2

    def test_a_closed_account_is_told_nothing(self):
        user = make_user()
        user.is_active = False
        assert tell([user, None], "clock.breached", make_case()) == []

    def test_an_unknown_kind_is_a_fault_of_ours(self):
        with pytest.raises(KeyError, match="kinds.py"):
            tell([make_user()], "no.such", make_case())

    def test_of_a_restricted_case_only_those_who_may_see_it_are_told(self):
        """A notice would tell the whole unit that there is a case against a colleague."""
        supervisor, other = make_user("supervisor"), make_user("supervisor")
        case = make_case(actor=supervisor, restricted=True)
        told = tell([supervisor, other], "clock.breached", case)
        assert [row.user for row in told] == [supervisor]

    def test_a_notice_hides_when_its_case_becomes_restricted_to_others(self, sign_in):
        user = make_user()
        case = make_case()
        row = tell([user], "clock.breached", case)[0]
        assert Notice.objects.visible_to(user).count() == 1
        type(case).objects.filter(pk=case.pk).update(restricted=True)
        assert not Notice.objects.visible_to(user).exists()
        client = sign_in(user)
        assert case.reference not in client.get(reverse("notices:index")).content.decode()
        assert client.get(reverse("notices:detail", args=[row.reference])).status_code == 404

    def test_what_it_is_about_is_a_reference_and_never_a_name(self):
        """str() of a person is a name, and a name would travel by e-mail."""
        person = make_person(family_name="Zyxwvut")
        child = make_child(case=make_case(), person=person)
        clock = start_clock(None, "police_referral_to_csc", child, case=child.case)
        assert reference_of(child) == child.reference
        assert reference_of(clock, clock.case) == child.case.reference
        assert reference_of(make_unnamed()) == ""
        with pytest.raises(IntegrityError), transaction.atomic():
            Notice.objects.create(user=make_user(), kind="x", at=timezone.now(), about="Zyxwvut")

    def test_the_telling_and_the_reading_stand_in_the_ledger(self):
        user, other = make_user(), make_user()
        rows = tell([user, other], "clock.breached", make_case())
        entry = LedgerEntry.objects.get(verb="notices.told")
        assert entry.payload["users"] == [user.pk, other.pk]
        assert mark_read(user, rows) == 1, "nobody reads another person's notices"
        assert Notice.objects.unread().get().user == other
        assert mark_read(user, rows) == 0
        assert LedgerEntry.objects.get(verb="notices.read").payload["notices"] == [rows[0].pk]

    def test_my_work_counts_what_is_not_read(self):
        user, case = make_user(), make_case()
        assert items_for(user) == []
        tell([user], "clock.breached", case)
        tell([user], "live_contact.ended", case)
        item = items_for(user)[0]
        assert (item.title, item.subject) == ("Read 2 notices", "1 alert among them")
        mark_read(user, Notice.objects.all())
        assert items_for(user) == []


def make_unnamed() -> Any:
    return make_user(name="Zyxwvut Example")


class TestLetters:
    def test_no_letter_of_any_kind_says_more_than_a_reference_and_a_link(self, by_email):
        """A child's name in an e-mail lies on servers that nobody of the force keeps."""
        user = reachable(name="Example Officer Zyxwvut")
        person = make_person(family_name="Zyxwvut", given_names="Qponmlk", born=date(2016, 5, 4))
        referral = make_referral(summary="Zyxwvut was seen.", source_reference="Zyxwvut-7", borough="Camden")
        case = make_case(referral=referral)
        case.title = "Operation Zyxwvut"
        case.save()
        child = make_child(case=case, referral=referral, person=person)
        clock = start_clock(None, "police_referral_to_csc", child, case=case, unit=case.unit)
        subjects = [case, child, clock, referral, person, user, None]
        for kind in KINDS:
            for subject in subjects:
                tell([user], kind, subject)
        while send_waiting():
            pass
        wanted = sum(kind.email for kind in KINDS.values()) * len(subjects)
        assert len(mail.outbox) == wanted
        for letter in mail.outbox:
            title = next(kind.title for kind in KINDS.values() if f"Safelight: {kind.title} (" in letter.subject)
            about = r"[A-Z]{1,4}-[0-9]{6,12}"
            assert re.fullmatch(rf"Safelight: {re.escape(title)} \({about}\)", letter.subject)
            body = (
                rf"{re.escape(title)}\.\n\nAbout: {about}\n"
                r"Open it here: https://safelight\.example/notices/NO-[0-9]{6}/\n\n"
                r"You are asked to sign in\. What it is about is never written in an e-mail\.\n"
                r"Nobody reads answers to this message\.\n"
            )
            assert re.fullmatch(body, letter.body), letter.body
            whole = letter.message().as_string()
            for word in ("Zyxwvut", "Qponmlk", "2016", "Camden", case.title, "synthetic"):
                assert word not in whole, (word, whole)
            assert set(letter.extra_headers) == {"Message-ID", "Auto-Submitted"}
            assert not letter.attachments

    def test_titles_of_kinds_are_constants_that_fit_a_subject_line(self):
        for code, kind in KINDS.items():
            assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", code), code
            assert kind.severity in SEVERITIES
            assert re.fullmatch(r"[A-Z][A-Za-z0-9,:'’ -]{5,88}", kind.title), kind.title

    def test_without_a_mail_server_or_an_address_there_is_no_letter(self, settings):
        """Setting up e-mail later would send a year of old notices in one night."""
        case = make_case()
        tell([reachable()], "clock.breached", case)
        settings.EMAIL_ON = True
        tell([make_user()], "clock.breached", case)
        assert Notice.objects.count() == 2
        assert not Letter.objects.exists()

    def test_an_account_that_was_closed_gets_no_letter_any_more(self, by_email):
        user = reachable()
        tell([user], "clock.breached", make_case())
        type(user).objects.filter(pk=user.pk).update(is_active=False)
        assert send_waiting() == 0
        assert Letter.objects.get().dropped_at
        assert LedgerEntry.objects.filter(verb="notices.email_dropped").count() == 1

    def test_a_letter_is_not_written_for_what_was_taken_back(self, by_email):
        """An e-mail would tell of a breach that was never recorded."""
        user, case = reachable(), make_case()
        with pytest.raises(RuntimeError), transaction.atomic():
            tell([user], "clock.breached", case)
            raise RuntimeError
        assert not Letter.objects.exists()

    def test_a_process_that_died_while_sending_leaves_the_letter_to_the_next(self, by_email, monkeypatch):
        """It would wait for ever, claimed by nobody."""
        tell([reachable()], "clock.breached", make_case())
        now = timezone.now()

        class Killed(BaseException):
            pass

        def die(*_: Any, **__: Any) -> None:
            raise Killed

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr("safelight.casework.notices.letters.message_of", die)
            send_waiting(now)
        assert send_waiting(now + timedelta(minutes=1)) == 0, "it may still be under way"
        assert send_waiting(now + timedelta(minutes=6)) == 1
        assert len(mail.outbox) == 1
