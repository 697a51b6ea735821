"""A share of `scripts/trust power-loss`: a referral that was acknowledged must survive the power cut."""

from __future__ import annotations

from trust import power_loss


def test_nothing_acknowledged_is_lost_when_the_power_goes():
    result = power_loss.run("small")
    assert result.held, result.failures
    assert all(figure.met for figure in result.figures), "a trial that cannot find a loss proves nothing"
