"""A share of `scripts/trust postgres-kills`: the database server's machine loses its power, and no referral is lost."""

from __future__ import annotations

import pytest
from django.db import connection

from trust import postgres_kills

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_acknowledged_is_lost_when_the_whole_server_is_killed():
    if connection.vendor != "postgresql":
        return  # SQLite has no server; its own kills are in test_crashes
    result = postgres_kills.run("small")
    assert result.held, result.failures
