"""What posts cost: arithmetic that a finance officer can repeat."""

from __future__ import annotations

import pytest

from safelight.planning.money import PAY, post_cost, yearly_cost
from safelight.planning.parameters import load_parameters


def test_each_post_and_machine_is_counted_once_and_who_leaves_is_not() -> None:
    parameters = load_parameters()
    base = yearly_cost(parameters)
    for lever in (*PAY, "laboratory.machines"):
        more = yearly_cost(parameters.with_changes({lever: "+1"}))
        assert more - base == pytest.approx(post_cost(parameters, lever))
    gone = yearly_cost(parameters.with_changes({"staff.leaving": 40}))
    assert base - gone == pytest.approx(40 * 50257 * 1.4)
