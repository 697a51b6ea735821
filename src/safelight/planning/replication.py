"""One replication: run the event loop, check the laws that every run obeys, and keep what the summary needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from safelight.planning import arrays as a
from safelight.planning.arrays import F8, I8, World
from safelight.planning.compiled import Compiled, staffed
from safelight.planning.errors import PlanningError, SelfCheckError
from safelight.planning.seeds import replication_key

MOST_ITEMS = 8_000_000
BUDGET = 1 << 62


@dataclass(frozen=True)
class Replication:
    """What one replication found. R stations of the network (teams added up), K kinds, C clocks, G marks.

    Counts and sums are over the time after the warm-up; waiting and used are means over that time.
    """

    number: int
    events: int
    entered: I8  # (R, K)
    started: I8  # (R, K)
    delayed: I8  # (R, K) of `started`, those that had to wait
    wait: F8  # (R, K) days, summed over `started`
    served: I8  # (R, K)
    service: F8  # (R, K) days of server time, summed over `served`
    reneged: I8  # (R, K)
    waiting: F8  # (R, K) mean number waiting
    used: F8  # (R,) mean number of busy servers
    servers: F8  # (R,) mean number of servers
    arrived: I8  # (K,) whole run: from outside and brought by other work
    left: I8  # (K,) whole run: done
    lost: I8  # (K,) whole run: gave up waiting
    inside: I8  # (K,) at the end
    skipped: I8  # (K,) whole run: brought, but left out by a cap
    done: I8  # (K,) done, born after the warm-up
    sojourn: F8  # (K,) days, summed over `done`
    judged: I8  # (C, K) clocks that were stopped or ran past their limit
    breached: I8  # (C, K)
    grid_waiting: I8  # (G, R, K)
    grid_age: F8  # (G, R) days, summed over what waits


def replicate(compiled: Compiled, seed: int, number: int) -> Replication:
    """Run replication ``number``: the same for the same (network, seed, number), whatever ran before.

    Raises:
        PlanningError: more items wait than memory is planned for.
        SelfCheckError: the run broke conservation or Little's law (a fault of ours).
    """
    world = run_world(compiled, seed, number)
    check_laws(world)
    kinds = len(world.kind_int)
    shape = (len(world.station_int), kinds)
    span = float(world.conf[a.HORIZON] - world.conf[a.WARMUP])
    at = np.asarray(compiled.first)

    def whole(column: int) -> Any:
        return np.add.reduceat(world.row_int[:, column].reshape(shape), at, axis=0)

    def parts(values: F8) -> Any:
        return np.add.reduceat(values.reshape(shape), at, axis=0)

    def mean(to: int, since: int) -> Any:
        return np.add.reduceat(world.station_float[:, to] - world.station_float[:, since], at) / span

    def kind(column: int) -> Any:
        return world.kind_int[:, column].copy()

    marks = world.grid_waiting.reshape(-1, *shape)
    return Replication(
        number=number,
        events=int(world.reg[a.EVENTS]),
        entered=whole(a.R_ENTERED),
        started=whole(a.R_STARTED),
        delayed=whole(a.R_DELAYED),
        wait=parts(world.row_float[:, a.F_WAIT]),
        served=whole(a.R_SERVED),
        service=parts(world.row_float[:, a.F_SERVED]),
        reneged=whole(a.R_RENEGED),
        waiting=parts(world.row_float[:, a.F_AREA] - world.row_float[:, a.F_AREA_WARM]) / span,
        used=mean(a.S_BUSY_AREA, a.S_BUSY_WARM),
        servers=mean(a.S_CAP_AREA, a.S_CAP_WARM),
        arrived=kind(a.K_ARRIVED),
        left=kind(a.K_LEFT),
        lost=kind(a.K_LOST),
        inside=kind(a.K_INSIDE),
        skipped=kind(a.K_SKIPPED),
        done=kind(a.K_DONE),
        sojourn=world.kind_float[:, a.K_SOJOURN].copy(),
        judged=world.verdicts[:, :, 0].copy(),
        breached=world.verdicts[:, :, 1].copy(),
        grid_waiting=np.add.reduceat(marks, at, axis=1),
        grid_age=np.add.reduceat(world.grid_age, at, axis=1),
    )


def run_world(compiled: Compiled, seed: int, number: int, trace: int = 0) -> World:
    """The bare run, with the first ``trace`` events written down; see `_kernel.simulate`."""
    from safelight.planning._kernel import DONE, SLACK, simulate

    world = a.world(staffed(compiled, replication_key(seed, number)), trace)
    while simulate(world, BUDGET) != DONE:
        if world.reg[a.USED] > MOST_ITEMS:
            raise PlanningError(
                "network",
                f"more than {MOST_ITEMS:,} items wait at once: the load grows without limit.",
                fix="Shorten the run, lower the rates or add servers.",
            )
        world = a.grown(world, SLACK)
    return world


def check_laws(world: World) -> None:
    """Conservation of cases, and Little's law as an identity of the sample path.

    Raises:
        SelfCheckError: one of them does not hold.
    """
    kind, row, station = world.kind_int, world.row_int, world.station_int
    if not np.array_equal(kind[:, a.K_ARRIVED], kind[:, a.K_LEFT] + kind[:, a.K_LOST] + kind[:, a.K_INSIDE]):
        raise SelfCheckError("cases were lost or made up: arrived is not left + lost + inside")
    if (row[:, a.R_WAITING] < 0).any() or (station[:, a.S_BUSY] < 0).any():
        raise SelfCheckError("a count fell below zero")
    area, waits = world.row_float[:, a.F_AREA], world.row_float[:, a.F_WAIT_ALL]
    if not np.allclose(area, waits, rtol=1e-7, atol=1e-5):
        raise SelfCheckError("Little's law does not hold: the queues over time are not the waits added up")
    if ((station[:, a.S_QUEUE] > 0) & (station[:, a.S_BUSY] < station[:, a.S_CAP])).any():
        raise SelfCheckError("work waits beside a free server")
