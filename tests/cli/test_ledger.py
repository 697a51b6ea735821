"""``safelight ledger verify``: what it finds is on the ledger page too."""

from __future__ import annotations

import pytest
from django.db import transaction
from typer.testing import CliRunner

from safelight.casework.ledger.models import Category, LedgerEntry
from safelight.casework.ledger.queries import standing
from safelight.casework.ledger.services import record
from safelight.cli.main import app

pytestmark = pytest.mark.django_db


def test_a_verification_by_command_is_the_one_that_the_page_shows() -> None:
    """The page would go on saying 'never verified' although it is done every night."""
    with transaction.atomic():
        record(None, "ledger.verified", None, category=Category.SYSTEM, payload={"proven": False, "entries": 0})
    answer = CliRunner().invoke(app, ["ledger", "verify"])
    assert answer.exit_code == 0, answer.output
    shown = standing().verification
    assert shown is not None
    assert shown.payload["proven"] is True
    assert shown.payload["entries"] >= 1
    assert LedgerEntry.objects.filter(verb="ledger.verified").count() == 2
