"""A share of `scripts/trust clock-jumps`: a statutory clock that moves with a wrong machine clock protects no child."""

from __future__ import annotations

import pytest

from trust import clock_jumps

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_clock_moves_back_or_is_passed_over_when_the_machine_s_time_jumps():
    result = clock_jumps.run("small")
    assert result.held, result.failures
