"""A share of the forgeries of `scripts/trust ledger`: if one passes, the ledger proves nothing in court."""

from __future__ import annotations

import pytest

from trust import ledger

pytestmark = pytest.mark.django_db


def test_every_kind_of_forgery_is_found_and_nothing_honest_is_called_forged():
    result = ledger.run("small")
    assert result.held, result.failures
    assert len(result.rows) == len(ledger.KINDS) + 1
    assert all(row.tried >= 10 for row in result.rows)
