"""Guessing must be slow; and a stranger must not be able to keep somebody from their work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessAttemptExpiration, AccessFailureLog, AccessLog
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client
from django.utils import timezone
from tests.web.security.people import give_password, make_person

from safelight.casework.accounts import attempts
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice

pytestmark = pytest.mark.django_db


def guess(client: Client, times: int, address: str = "10.0.0.66", name: str = "sam"):
    for _ in range(times):
        answer = give_password(client, name, "wrong", REMOTE_ADDR=address)
    return answer


def later(minutes: int) -> None:
    """As if so many minutes had passed since the failures."""
    by = timedelta(minutes=minutes)
    for row in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=row.attempt_time - by)
        AccessAttemptExpiration.objects.filter(pk=row.pk).update(expires_at=row.expiration.expires_at - by)
    for row in AccessFailureLog.objects.all():
        AccessFailureLog.objects.filter(pk=row.pk).update(attempt_time=row.attempt_time - by)


def test_the_wait_grows_and_never_lasts():
    """Five guesses every five minutes are 1,440 a day; a lock that lasts is a weapon."""
    make_person()
    client = Client()
    assert b"5 minutes" in guess(client, 5).content
    assert give_password(client, REMOTE_ADDR="10.0.0.66").status_code == 429
    later(6)
    assert b"15 minutes" in guess(client, 5).content
    later(6)
    assert give_password(client, REMOTE_ADDR="10.0.0.66").status_code == 429
    later(10)
    guess(client, 5)
    later(16)
    assert b"60 minutes" in guess(client, 5).content
    later(61)
    assert give_password(client, REMOTE_ADDR="10.0.0.66").status_code == 302


def test_the_account_hears_of_it_once_an_hour():
    """Somebody would be guessing at a password for weeks, and its owner would be the last to know."""
    user = make_person()
    guess(Client(), 7)
    guess(Client(), 6, address="10.0.0.67")
    assert Notice.objects.filter(user=user, kind="account.attempts").count() == 1
    assert LedgerEntry.objects.filter(verb="account.attempts", subject_id=str(user.pk)).count() == 1


def test_an_unknown_name_leaves_no_notice_and_meets_the_same_page():
    """The page would say which accounts exist."""
    answer = guess(Client(), 6, name="nobody-here")
    assert answer.status_code == 429 and not Notice.objects.exists()


def test_guessing_from_everywhere_is_slowed_and_its_owner_is_not(monkeypatch):
    """A thousand machines with five guesses each; or: a thousand machines keep a colleague out."""
    monkeypatch.setattr(attempts, "STRANGERS", 12)
    make_person()
    assert give_password(Client(), REMOTE_ADDR="10.0.0.7").status_code == 302
    for host in range(4):
        guess(Client(), 3, address=f"203.0.113.{host}")
    assert give_password(Client(), "sam", "wrong", REMOTE_ADDR="203.0.113.99").status_code == 429
    assert give_password(Client(), REMOTE_ADDR="203.0.113.99").status_code == 429, "even with the right password"
    assert give_password(Client(), REMOTE_ADDR="10.0.0.7").status_code == 302
    AccessFailureLog.objects.update(attempt_time=timezone.now() - timedelta(hours=2))
    assert give_password(Client(), REMOTE_ADDR="203.0.113.99").status_code == 302


class CountedHasher(PBKDF2PasswordHasher):
    """The hasher of production, which counts what it works."""

    algorithm, iterations = "counted", 1_000
    spent = 0

    def encode(self, password, salt, iterations=None):
        CountedHasher.spent += iterations or self.iterations
        return super().encode(password, salt, iterations)


def test_a_name_that_nobody_has_costs_as_much_as_one_that_somebody_has(settings):
    """The time of the answer would tell who works here: hashing is nearly all of it, and must be the same work."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountedHasher"]
    make_person("sam")
    closed = make_person("closed", is_active=False)
    without = make_person("without")
    without.set_unusable_password()
    without.save()
    make_person("late", given_password_until=timezone.now() - timedelta(days=1))
    spent = {}
    for name in ("sam", "nobody", "closed", "without", "late"):
        CountedHasher.spent = 0
        assert give_password(Client(), name, "wrong words of sufficient length").status_code == 200
        spent[name] = CountedHasher.spent
    assert closed.pk and set(spent.values()) == {1_000}, spent


def test_what_is_known_of_sign_ins_goes_after_ninety_days(monkeypatch):
    """Where and when everybody has signed in would be kept for ever, for nobody."""
    make_person()
    guess(Client(), 2)
    give_password(Client())
    assert (AccessLog.objects.count(), AccessFailureLog.objects.count()) == (1, 2)
    monkeypatch.setattr(attempts, "_forgotten", [0.0])
    assert attempts.forget_old() == 0, "they are of today"
    old = timezone.now() - timedelta(days=91)
    AccessLog.objects.update(attempt_time=old)
    AccessFailureLog.objects.update(attempt_time=old)
    assert attempts.forget_old() == 0, "once a day is enough"
    monkeypatch.setattr(attempts, "_forgotten", [0.0])
    assert attempts.forget_old() == 3
    assert not AccessLog.objects.exists() and not AccessFailureLog.objects.exists()
