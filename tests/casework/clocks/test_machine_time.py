"""A machine whose time was wrong for a while must not keep silent when a clock's time truly comes."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from tests.casework.factories import make_case, make_child, make_user

from safelight.casework.accounts.models import User
from safelight.casework.clocks.machine_time import MachineTime, take_back
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock, sweep
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Letter, Notice

pytestmark = pytest.mark.django_db
YEARS = timedelta(days=1100)


@pytest.fixture
def clock() -> Clock:
    supervisor = make_user("supervisor")
    User.objects.filter(pk=supervisor.pk).update(email="supervisor@force.example")
    case = make_case(actor=supervisor)
    Clock.objects.filter(case=case).update(next_step_at=None)
    return start_clock(
        supervisor, "police_referral_to_csc", make_child(case=case), triggered_at=timezone.now(), case=case,
        unit=case.unit,
    )  # fmt: skip


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    def move(by: timedelta) -> None:
        truth = timezone.now
        monkeypatch.setattr(timezone, "now", lambda: truth() + by)

    return move


def test_what_was_told_years_too_early_is_told_again_in_its_time(clock, at, settings):
    settings.EMAIL_ON = True
    at(YEARS)
    assert sweep() == [clock]
    early = Notice.objects.filter(kind="clock.breached", subject_id=clock.pk).count()
    assert early
    at(-YEARS)
    assert take_back(timezone.now()) > 0
    clock.refresh_from_db()
    assert clock.alerted_at is None
    assert clock.next_step_at is not None
    assert not Letter.objects.filter(next_try_at__gt=timezone.now() + timedelta(days=1)).exists()
    assert sweep() == [], "it is not late yet"
    at(timedelta(hours=30))
    assert sweep() == [clock]
    assert Notice.objects.filter(kind="clock.breached", subject_id=clock.pk).count() == 2 * early
    assert take_back(timezone.now()) == 0, "and nothing that was told in its time is told twice"


def test_a_jump_is_noticed_and_the_administrators_hear_of_it(at):
    admin = make_user("administrator")
    watch = MachineTime()
    watch.watch()
    for moved in (timedelta(seconds=-1), timedelta(seconds=1)):
        at(moved)
        watch.watch()
    assert not LedgerEntry.objects.filter(verb="time.jumped").exists(), "a leap second is no jump"
    at(timedelta(hours=-1))
    watch.watch()
    assert LedgerEntry.objects.get(verb="time.jumped").payload["seconds"] == pytest.approx(-3600, abs=2)
    assert Notice.objects.filter(user=admin, kind="time.jumped").count() == 1


def test_a_machine_that_slept_did_not_jump(at, monkeypatch):
    watch = MachineTime()
    watch.watch()
    at(timedelta(hours=8))
    truth = time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda which: truth(which) + 8 * 3600)
    watch.watch()
    assert not LedgerEntry.objects.filter(verb="time.jumped").exists()


def test_another_machine_s_wrong_time_is_found_without_having_seen_the_jump(clock):
    sweep(timezone.now() + YEARS)
    clock.refresh_from_db()
    assert clock.next_step_at is None
    MachineTime().watch()
    clock.refresh_from_db()
    assert clock.next_step_at is not None
