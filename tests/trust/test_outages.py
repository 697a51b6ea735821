"""A share of `scripts/trust outages`: whatever else is away, a report about a child is taken, once."""

from __future__ import annotations

import pytest

from trust import outages

pytestmark = pytest.mark.django_db(transaction=True)


def test_intake_goes_on_and_the_backlog_drains():
    result = outages.run("small")
    assert result.held, (result.failures, result.rows)
