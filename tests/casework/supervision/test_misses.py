"""The second missed review reaches the chief officer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.factories import make_case, make_user

from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import sweep
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice
from safelight.casework.supervision.misses import tell_of_misses
from safelight.casework.supervision.models import ReviewMiss
from safelight.casework.supervision.services import record_review

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def story():
    supervisor, chief = make_user("supervisor"), make_user("chief_officer", unit=None)
    case = make_case(actor=supervisor, risk="high")
    clock = Clock.objects.get(case=case, rule="supervisor_review")
    return supervisor, chief, case, clock.due_at


def at(moment):
    sweep(moment)
    return [(row.case, row.missed) for row in tell_of_misses(moment)]


def test_the_first_miss_tells_nobody_and_the_second_interval_tells_the_chief(story):
    """Otherwise a case is reviewed by nobody for months and nobody above learns of it."""
    supervisor, chief, case, due = story
    assert at(due + timedelta(hours=1)) == []
    assert at(due + WEEK - timedelta(hours=2)) == []
    assert at(due + WEEK + timedelta(days=1)) == [(case, 2)]
    told = set(Notice.objects.filter(kind="review.missed").values_list("user", flat=True))
    assert told == {chief.pk, supervisor.pk}
    assert LedgerEntry.objects.get(verb="review.escalated").payload["missed"] == 2
    assert at(due + 3 * WEEK) == [], "told once"


def test_a_late_review_and_then_another_miss_tells_at_once(story):
    """Otherwise every review may be late by a day for ever."""
    supervisor, _, case, due = story
    at(due + timedelta(hours=1))
    Clock.objects.filter(case=case, rule="supervisor_review").update(
        triggered_at=timezone.now() - 2 * WEEK, due_at=timezone.now() - WEEK
    )
    words = dict.fromkeys(("plan", "safeguarding", "devices", "victim", "next_action"), "Synthetic.")
    record_review(supervisor, case, **words, next_action_by=timezone.localdate())
    second = Clock.objects.open().get(case=case, rule="supervisor_review")
    assert at(second.due_at + timedelta(minutes=1)) == [(case, 2)]


def test_a_review_held_in_between_settles_the_miss(story):
    supervisor, _, case, due = story
    at(due + timedelta(hours=1))
    words = dict.fromkeys(("plan", "safeguarding", "devices", "victim", "next_action"), "Synthetic.")
    record_review(supervisor, case, **words, next_action_by=timezone.localdate())
    miss = ReviewMiss.objects.get()
    assert tell_of_misses(miss.tell_at) == []
    miss.refresh_from_db()
    assert miss.outcome == "reviewed"
    assert not Notice.objects.filter(kind="review.missed").exists()
