"""The event loop against queues whose answer is known exactly.

`python benchmarks/planning.py --cells 20000000` runs the same cells at full size, where each must come within 1 %.
"""

from __future__ import annotations

import pytest

from safelight.planning import closed_forms as exact
from safelight.planning.errors import PlanningError
from safelight.planning.proof import cells, prove


def test_every_closed_form_is_met() -> None:
    """30 cells: M/M/c, M/G/1, priorities, impatience, Jackson networks. One in twenty may miss its 95 % interval."""
    found = list(prove(100_000, replications=20, processes=1))
    assert len(found) >= 30
    outside = [one.name for one in found if not one.inside]
    assert len(outside) <= 4, outside
    for one in found:
        assert one.found.low is not None and one.found.high is not None
        half = (one.found.high - one.found.low) / 2
        assert abs(one.found.mean - one.truth) < 2.0 * half, one  # type: ignore[operator]


def test_within_one_per_cent_where_the_noise_allows_it() -> None:
    """The cells with little noise, at a size that the suite can afford."""
    quick = (
        "M/M/1 at 0.5",
        "M/G/1 fixed 0 at 0.7",
        "M/G/1 erlang 3 at 0.7",
        "Erlang-A 5 servers, 4.5 a day: gave up",
    )
    names = {cell.name for _, wanted in cells() for cell in wanted}
    assert set(quick) <= names
    for one in prove(1_200_000, replications=10, processes=1, only=quick):
        assert one.error < 0.01, one


def test_the_anchor() -> None:
    """10 servers, 3 classes, load 0.9: Erlang C with Cobham, as published beside five other engines."""
    assert exact.erlang_c(10, 9.0) == pytest.approx(0.6687, abs=5e-5)
    assert exact.cobham_waits(10, (1.8, 2.7, 4.5), 1.0) == pytest.approx([0.0816, 0.1483, 1.2159], abs=5e-5)


def test_closed_forms_agree_with_each_other() -> None:
    assert exact.mmc_wait(1, 0.8, 1.0) == pytest.approx(4.0)
    assert exact.mg1_wait(0.8, 1.0, 1.0) == pytest.approx(4.0)
    assert exact.cobham_waits(7, (4.0,), 1.5) == pytest.approx([exact.mmc_wait(7, 4.0, 1.5)])
    rates, ones = (0.2, 0.3), (1.0, 1.0)
    assert exact.cobham_single(rates, ones, ones) == pytest.approx(exact.cobham_waits(1, rates, 1.0))
    waiting, lost = exact.erlang_a(5, 4.0, 1.0, 1e9)
    assert waiting == pytest.approx(4.0 * exact.mmc_wait(5, 4.0, 1.0), rel=1e-3) and lost < 1e-6
    assert exact.pooling(12, 10, 0.95) == pytest.approx((1.65, 0.078), abs=0.005)
    with pytest.raises(PlanningError, match="grows without limit"):
        exact.mmc_wait(3, 3.0, 1.0)
