"""A share of `scripts/trust crashes`: an acknowledged referral never goes missing, and a case has one investigator."""

from __future__ import annotations

import pytest

from trust import crashes

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_acknowledged_is_lost_and_no_case_is_given_twice():
    result = crashes.run("small")
    assert result.held, result.failures
