"""Clocks would run out unheard, and devices wait for ever, while every page looks well."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from tests.casework import factories

from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.services import record, seal
from safelight.web import alive
from safelight.web.production import running

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_work(settings: Any, tmp_path: Path, make_user: Callable[..., Any]) -> None:
    settings.DATA = tmp_path
    for kind in ("tick", "worker"):
        alive.Alive(kind).beat()
    make_user("administrator", "root")


def codes() -> set[str]:
    found = [finding for look in running.LOOKS for finding in look()]
    assert all(f.what and f.where and f.fix for f in found)
    return {f.code for f in found}


def test_everything_at_work_has_no_finding() -> None:
    assert codes() == set()


def silence(kind: str, seconds: float) -> None:
    (path,) = alive.folder().glob(f"{kind}@*")
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_a_tick_that_stands_still_is_named() -> None:
    silence("tick", 600)
    assert codes() == {"tick.silent"}


def test_a_worker_that_fell_silent_is_named_and_that_none_is_left() -> None:
    silence("worker", 600)
    assert codes() == {"worker.silent", "worker.none"}


def test_an_orderly_end_leaves_no_complaint_behind() -> None:
    alive.Alive("worker").close()
    assert codes() == {"worker.none"}


def test_what_was_silent_for_a_week_is_forgotten() -> None:
    silence("worker", alive.FORGET + 10)
    assert codes() == {"worker.none"}
    assert not list(alive.folder().glob("worker@*"))


def test_a_clock_whose_step_nobody_took_is_named() -> None:
    case = factories.make_case()
    clock = Clock.objects.open().filter(case=case).exclude(due_at=None).first()
    assert clock is not None
    late = timezone.now() - timedelta(minutes=5)
    Clock.objects.filter(pk=clock.pk).update(triggered_at=late - timedelta(days=1), due_at=late, next_step_at=late)
    while seal():
        pass
    assert codes() == {"tick.clocks"}


def test_an_entry_that_was_never_sealed_is_named() -> None:
    with transaction.atomic():
        record(None, "ledger.verified", payload={}, at=timezone.now() - timedelta(minutes=5))
    assert codes() == {"ledger.unsealed"}
    seal()
    assert codes() == set()


def test_the_database_of_a_demonstration_is_named() -> None:
    with transaction.atomic():
        record(None, "demo.built", payload={"cases": 1})
    assert codes() == {"accounts.demo"}


def test_a_site_without_an_administrator_is_named(django_user_model: Any) -> None:
    django_user_model.objects.update(is_active=False)
    assert codes() == {"accounts.no_administrator"}


def test_a_letter_that_does_not_leave_is_named(make_user: Callable[..., Any]) -> None:
    from safelight.casework.notices.models import Letter, Notice

    user = make_user()
    notice = Notice.objects.create(user=user, kind="clock.overdue", at=timezone.now())
    Letter.objects.create(notice=notice, tries=running.STUCK, next_try_at=timezone.now())
    assert codes() == {"mail.stuck"}


def test_who_set_up_no_second_factor_is_counted(make_user: Callable[..., Any]) -> None:
    user = make_user("investigator", "sam")
    assert codes() == set(), "who never signed in waits for their first day"
    user.last_login = timezone.now()
    user.save()
    assert codes() == {"accounts.no_second_factor"}
    user.authenticator_set.create(type="totp", data={})
    assert codes() == set()


def test_a_witness_that_is_away_or_contradicts_is_named() -> None:
    """The ledger would be written anew, and the one who could tell has been off for a year."""
    from safelight.casework.ledger.models import Outsider

    now = timezone.now()
    row = Outsider.objects.create(name="witness.example", problem="It does not answer.", failing_since=now)
    assert codes() == set(), "for a day it may be away"
    row.failing_since = now - timedelta(hours=30)
    row.save()
    assert codes() == {"ledger.witness_away"}
    row.refused = True
    row.save()
    assert codes() == {"ledger.contradicted"}
