"""Nobody would be told that a clock ran out, and no entry would be sealed, if the tick did not do its work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from tests.casework import factories

from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import LedgerEntry, LedgerSeal
from safelight.casework.ledger.services import record
from safelight.casework.ledger.verify import verify
from safelight.cli.tick import tick_once

pytestmark = pytest.mark.django_db


def test_a_clock_that_ran_out_is_noted_once_and_everything_is_sealed() -> None:
    case = factories.make_case()
    clock = Clock.objects.open().filter(case=case).exclude(due_at=None).first()
    assert clock is not None
    late = timezone.now() - timedelta(minutes=5)
    Clock.objects.filter(pk=clock.pk).update(triggered_at=late - timedelta(days=1), due_at=late, next_step_at=late)
    found, recovered, sealed = tick_once()
    assert (found, recovered) == (1, 0)
    assert sealed == LedgerEntry.objects.count() == LedgerSeal.objects.order_by("-tree_size").first().tree_size
    assert LedgerEntry.objects.filter(verb="clock.breached", subject_id=str(clock.pk)).count() == 1
    assert tick_once() == (0, 0, 0)
    assert verify().proven


def test_entries_written_later_follow_in_the_next_seal() -> None:
    factories.make_case()
    tick_once()
    with transaction.atomic():
        record(None, "demo.built", payload={"cases": 1})
    assert tick_once() == (0, 0, 1)
    assert verify().proven


def test_the_tick_goes_on_when_the_database_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick that ends over an outage of a minute tells nobody of a clock until somebody starts it again."""
    from django.db import OperationalError
    from typer.testing import CliRunner

    from safelight.cli import tick
    from safelight.cli.main import app

    said = iter([OperationalError("the disk is full\nDETAIL: more"), (1, 0, 0), KeyboardInterrupt()])

    def once(machine_time: object = None) -> tuple[int, int, int]:
        outcome = next(said)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(tick, "tick_once", once)
    monkeypatch.setattr("safelight.cli.django.setup", lambda: None)
    done = CliRunner().invoke(app, ["tick", "--every", "0.01"])
    assert "refused the regular work (the disk is full); tried again" in done.output
    assert "1 clocks newly past" in done.output
