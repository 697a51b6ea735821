"""Replications on a real Dask cluster of two processes: the same answer, and clear words when nobody is there."""

from __future__ import annotations

import numpy as np
import pytest
from tests.planning.networks import everything

from safelight.planning import PlanningError, simulate


def test_two_workers_say_what_one_process_says() -> None:
    """A force that borrows a cluster for the big question must not get another answer than on the laptop."""
    from distributed import LocalCluster

    network = everything("growing", load=0.4)
    alone = simulate(network, replications=9, seed=3, processes=1)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as two:
        spread = simulate(network, replications=9, seed=3, cluster=two.scheduler_address)
        stopped = simulate(network, replications=500, seed=3, cluster=two.scheduler_address, stop=lambda: True)
    assert [run.number for run in spread.tally.runs] == list(range(9))
    for name in ("wait", "judged", "breached", "waiting", "used", "arrived"):
        for one, other in zip(alone.tally.runs, spread.tally.runs, strict=True):
            assert np.array_equal(getattr(one, name), getattr(other, name))
    assert np.array_equal(alone.tally.series("team")[1], spread.tally.series("team")[1])
    assert stopped.stopped and stopped.replications == 1


def test_an_address_where_nobody_answers_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.planning.cluster.CONNECT_SECONDS", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense"):
        with pytest.raises(PlanningError, match="cluster: nobody answers"):
            simulate(everything(), replications=2, cluster=address)
