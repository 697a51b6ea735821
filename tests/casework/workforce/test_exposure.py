"""Exposure of people who grade: minutes and counts, caps and breaks, appointments; never content."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_unit, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice
from safelight.casework.workforce.exposure import (
    caps,
    count_graded,
    end_session,
    minutes_on,
    record_appointment,
    start_session,
    watch_sessions,
)
from safelight.casework.workforce.models import Appointment, GradingSession
from safelight.casework.workforce.time_and_place import record_posting
from safelight.casework.workforce.welfare import own, states

pytestmark = pytest.mark.django_db
GRADE = "image_grading"


def past(user, *, began: int, minutes: int, files: int = 0, today=None):
    """A session that began so many minutes ago, on today's date whatever the hour of the night."""
    start = timezone.now() - timedelta(minutes=began)
    return GradingSession.objects.create(
        user=user,
        day=today or timezone.localdate(),
        started_at=start,
        ended_at=start + timedelta(minutes=minutes),
        files=files,
    )


def test_a_session_counts_minutes_and_files_and_no_content():
    """Otherwise nobody knows how much a person saw, or a list says what it was."""
    person = make_user("examiner", skills=[GRADE])
    start_session(person)
    GradingSession.objects.update(started_at=timezone.now() - timedelta(minutes=25, seconds=30))
    count_graded(person, 40)
    count_graded(person, 2)
    row = end_session(person)
    assert (row.minutes, row.files, row.timed) == (25, 42, True)
    payload = LedgerEntry.objects.get(verb="exposure.ended").payload
    assert payload == {"session": row.pk, "minutes": 25, "files": 42, "by_system": False}
    with pytest.raises(NotPossible):
        end_session(person)


def test_grades_outside_a_session_are_counted_and_said_to_have_no_time():
    """Otherwise half the exposure is missing, or a time is invented for it."""
    person = make_user("examiner", skills=[GRADE])
    count_graded(person, 7)
    (day,) = own(person).days
    assert (day.minutes, day.sessions, day.files, day.untimed) == (0, 0, 7, 7)
    assert states(person.unit)[0].untimed


def test_the_caps_of_the_force_stop_a_new_session_and_say_until_when():
    """Otherwise a limit on paper protects nobody at the desk."""
    person = make_user("examiner", skills=[GRADE])
    past(person, began=60, minutes=50)
    with pytest.raises(NotPossible, match="without a break of 15 minutes") as caught:
        start_session(person)
    assert "Go on after" in caught.value.fix
    GradingSession.objects.all().delete()
    past(person, began=70, minutes=50)
    start_session(person)
    end_session(person)
    GradingSession.objects.all().delete()
    past(person, began=600, minutes=120)
    with pytest.raises(NotPossible, match="120 minutes today; the force allows 120"):
        start_session(person)
    with pytest.raises(NotAllowed):
        start_session(make_user("examiner"))


def test_short_sessions_without_a_real_break_add_up():
    person = make_user("examiner", skills=[GRADE])
    for began in (62, 46, 30):
        past(person, began=began, minutes=15)
    past(person, began=14, minutes=10)
    with pytest.raises(NotPossible, match="55 minutes without a break"):
        start_session(person)


def test_a_cap_that_nobody_set_is_missing_and_never_assumed(settings, sign_in):
    """Otherwise an invented figure stands where the force's decision should."""
    settings.SITE_STANDARDS = None
    assert (caps().per_day, caps().without_break, caps().rest) == (None, None, None)
    assert len(caps().missing) == 3
    person, supervisor = make_user("examiner", skills=[GRADE]), make_user("supervisor")
    past(person, began=700, minutes=600)
    start_session(person)
    clock = Clock.objects.get(rule="welfare_screen")
    assert clock.due_at is None, "the interval is the force's to set too"
    assert states(person.unit)[0].today == "No limit is set"
    for user, page in ((person, "workforce:me"), (supervisor, "workforce:welfare")):
        assert (
            "The force has not set: Longest time a person grades" in sign_in(user).get(reverse(page)).content.decode()
        )


def test_the_tick_ends_what_reached_the_cap_or_was_forgotten_and_tells():
    person, supervisor = make_user("examiner", skills=[GRADE]), make_user("supervisor")
    start_session(person)
    begun = timezone.now() - timedelta(minutes=300)
    GradingSession.objects.update(started_at=begun)
    assert watch_sessions(begun + timedelta(minutes=119)) == 0
    assert watch_sessions() == 1
    row = GradingSession.objects.get()
    assert (row.minutes, row.ended_by_system) == (120, True)
    assert minutes_on(person, row.day) == 120
    told = set(Notice.objects.filter(kind="exposure.cap").values_list("user", flat=True))
    assert told == {person.pk, supervisor.pk}


def test_a_kept_appointment_starts_the_clock_of_the_next_and_a_missed_one_does_not():
    """Otherwise a missed appointment counts as care."""
    person, supervisor = make_user("examiner", skills=[GRADE]), make_user("supervisor")
    count_graded(person, 1)
    first = Clock.objects.open().get(rule="welfare_screen")
    Clock.objects.filter(pk=first.pk).update(triggered_at=timezone.now() - timedelta(days=50))
    today = timezone.localdate()
    record_appointment(supervisor, user=person, held_on=today - timedelta(days=3), outcome="missed")
    assert Clock.objects.open().get(rule="welfare_screen").pk == first.pk
    record_appointment(supervisor, user=person, held_on=today - timedelta(days=2), outcome="kept")
    second = Clock.objects.open().get(rule="welfare_screen")
    assert second.pk != first.pk
    assert timezone.localdate(second.triggered_at) == today - timedelta(days=2)
    assert [row.outcome for row in own(person).appointments] == ["kept", "missed"]
    for actor in (person, make_user("administrator"), make_user("supervisor", "SW")):
        with pytest.raises(NotAllowed):
            record_appointment(actor, user=person, held_on=today, outcome="kept")
    for bad in ({"held_on": today + timedelta(days=1)}, {"held_on": None}, {"outcome": "fine"}):
        with pytest.raises(Invalid):
            record_appointment(supervisor, user=person, **{"held_on": today, "outcome": "kept", **bad})


def test_the_appointment_follows_a_posting():
    """Otherwise the new supervisor does not know that it is due, and the old one cannot arrange it."""
    person, supervisor = make_user("examiner", skills=[GRADE]), make_user("supervisor")
    count_graded(person, 1)
    other = make_unit("SW")
    record_posting(supervisor, user=person, unit=other, from_day=timezone.localdate())
    assert Clock.objects.open().get(rule="welfare_screen").unit == other
    assert [state.user for state in states(other)] == [person]


def test_a_supervisor_sees_state_and_the_person_figures(sign_in):
    """Otherwise people hide what they saw, since a supervisor counts it."""
    person, supervisor = make_user("examiner", skills=[GRADE]), make_user("supervisor")
    # Numbers that no name of a made person holds.
    person.name, person.username = "Synthetic Examiner", "synthetic-examiner"
    person.save()
    past(person, began=400, minutes=131, files=977)
    mine = sign_in(person).get(reverse("workforce:me")).content.decode()
    assert "977" in mine and "131 (above the limit)" in mine
    theirs = sign_in(supervisor).get(reverse("workforce:welfare")).content.decode()
    assert "Above the limit" in theirs
    assert "977" not in theirs and "131" not in theirs
    for page in (reverse("workforce:staff", args=[person.username]), reverse("workforce:index")):
        assert "977" not in sign_in(supervisor).get(page).content.decode()
    assert sign_in(make_user("administrator")).get(reverse("workforce:welfare")).status_code == 403


def test_the_buttons_and_the_form_work(sign_in):
    person, supervisor = make_user("examiner", skills=[GRADE]), make_user("supervisor")
    client = sign_in(person)
    assert client.post(reverse("workforce:session_start")).status_code == 302
    assert "End the session" in client.get(reverse("workforce:me")).content.decode()
    client.post(reverse("workforce:session_start"))
    assert GradingSession.objects.count() == 1
    assert client.post(reverse("workforce:session_end")).status_code == 302
    assert "You are not grading" in client.post(reverse("workforce:session_end"), follow=True).content.decode()
    today = timezone.localdate()
    data = {"held_on-day": today.day, "held_on-month": today.month, "held_on-year": today.year, "outcome": "kept"}
    address = reverse("workforce:appointment", args=[person.username])
    assert sign_in(supervisor).post(address, data).status_code == 302
    assert Appointment.objects.get().outcome == "kept"


def test_the_database_allows_one_session_at_a_time():
    person, now = make_user("examiner"), timezone.now()
    GradingSession.objects.create(user=person, day=now.date(), started_at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        GradingSession.objects.create(user=person, day=now.date(), started_at=now)


def test_states_cost_the_same_for_a_large_unit(django_assert_max_num_queries):
    unit = make_user("examiner", skills=[GRADE]).unit
    for _ in range(5):
        past(make_user("examiner", skills=[GRADE]), began=60, minutes=10)
    with django_assert_max_num_queries(5):
        assert len(states(unit)) == 6
