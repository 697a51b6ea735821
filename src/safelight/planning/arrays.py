"""The arrays that the compiled event loop reads and writes: few and wide, because each one costs at every call.

S stations (teams counted one by one), K kinds of work, C clocks, G marks on the grid. Times in days.
`Net` is the constant part as `compiled` writes it; `world` lays out one run; `Out` gives its counts names.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

# Columns of `World.row_int`, one row for each s * K + k: what is given, then the queue, then what is counted.
(R_SERVICE, R_ROUTE_AT, R_ROUTE_END, R_SPAWN, R_SPAWN_TO, R_JOIN, R_BASE, R_CAP, R_PATIENCE, R_ESCALATE_TO) = range(10)
(R_HEAD, R_TAIL, R_WAITING, R_ENTERED, R_STARTED, R_DELAYED, R_SERVED, R_RENEGED) = range(10, 18)
# Columns of `World.row_float`.
(F_A, F_B, F_SHARE, F_MORE, F_PATIENCE, F_ESCALATE, F_CONSTANT, F_WAITED, F_DUE, F_GROWTH, F_POWER) = range(11)
(F_WAITED_AT, F_AREA, F_AREA_WARM, F_WAIT, F_SERVED, F_WAIT_ALL) = range(11, 17)
# Columns of `World.station_int` and `World.station_float`.
S_GROUP, S_STREAM, S_CAP, S_BUSY, S_QUEUE, S_START_CLOCK, S_END_CLOCK = range(7)
S_USED_AT, S_BUSY_AREA, S_CAP_AREA, S_BUSY_WARM, S_CAP_WARM, S_BORN = range(6)
# Columns of `World.kind_int` and `World.kind_float`.
(K_FIRST, K_NUMBER, K_PERIOD, K_GAPS, K_ROOT, K_ARRIVED, K_LEFT, K_LOST, K_INSIDE, K_SKIPPED, K_DONE) = range(11)
K_RATE, K_DEADLINE, K_UPCOMING, K_SOJOURN = range(4)
# Columns of `World.item_int` and `World.item_float`.
(CLS, PRI, STA, PAR, PEND, NEXT, PREV, TIMER, LOOP, CLK, SERIAL, ALIVE, KEY) = range(13)
BORN, ENTRY, ORDER, LEAVE, SHARE, BEGAN = range(6)
# `World.reg` and `World.conf`.
(HEAP, SEQ, FREE, SERIALS, EVENTS, USED, TRACED, CHANGE, MARKED, WARM, BY_DUE, GROWS, RUNNING) = range(13)
HORIZON, WARMUP, PERIOD, GRID = range(4)


class Net(NamedTuple):
    """A network as arrays, not yet a run."""

    row_int: I8  # (S * K, 18)
    row_float: F8  # (S * K, 17)
    station_int: I8  # (S, 7)
    kind_int: I8  # (K, 11)
    kind_float: F8  # (K, 4)
    factors: F8  # (K, P) multiplies the rate in each period; the last one lasts
    cap_time: F8  # (N,) changes of capacity, sorted
    cap_change: I8  # (N, 2) station, servers
    route_to: I8
    route_cum: F8  # cumulative probabilities; what is left of 1 leaves the network
    limit: F8  # (C, K) days, -1 where the clock does not apply
    by_due: int
    grows: int
    conf: F8  # horizon, warm-up, period, grid


class World(NamedTuple):
    """One run: the network and where it stands."""

    row_int: I8
    row_float: F8
    station_int: I8
    station_float: F8  # (S, 6)
    kind_int: I8
    kind_float: F8
    factors: F8
    cap_time: F8
    cap_change: I8
    route_to: I8
    route_cum: F8
    limit: F8
    verdicts: I8  # (C, K, 2) judged, breached
    grid_waiting: I8  # (G, S * K)
    grid_age: F8  # (G, S) sum of the ages of what waits
    conf: F8
    reg: I8
    item_int: I8  # (N, 13) work items, re-used through a free list
    item_float: F8  # (N, 6)
    times: F8  # the heap
    events: I8
    trace_times: F8
    trace_codes: I8


def world(net: Net, trace: int = 0) -> World:
    """A run at day 0, with room for the first ``trace`` events in its trace."""
    reg = np.zeros(16, np.int64)
    reg[FREE] = -1
    reg[BY_DUE], reg[GROWS] = net.by_due, net.grows
    marks = int(net.conf[HORIZON] / net.conf[GRID]) + 1
    size = 1 << 13
    return World(
        row_int=net.row_int.copy(),
        row_float=net.row_float.copy(),
        station_int=net.station_int.copy(),
        station_float=np.zeros((len(net.station_int), 6)),
        kind_int=net.kind_int.copy(),
        kind_float=net.kind_float.copy(),
        factors=net.factors,
        cap_time=net.cap_time,
        cap_change=net.cap_change,
        route_to=net.route_to,
        route_cum=net.route_cum,
        limit=net.limit,
        verdicts=np.zeros((*net.limit.shape, 2), np.int64),
        grid_waiting=np.zeros((marks, len(net.row_int)), np.int64),
        grid_age=np.zeros((marks, len(net.station_int))),
        conf=net.conf,
        reg=reg,
        item_int=np.zeros((size, 13), np.int64),
        item_float=np.zeros((size, 6)),
        times=np.zeros(size),
        events=np.zeros(size, np.int64),
        trace_times=np.zeros(trace),
        trace_codes=np.zeros(trace, np.int64),
    )


def grown(before: World, slack: int) -> World:
    """The same run with twice the room where less than ``slack`` is left."""
    after = before
    if before.reg[USED] + slack > len(before.item_int):
        after = after._replace(
            item_int=np.concatenate((before.item_int, np.zeros_like(before.item_int))),
            item_float=np.concatenate((before.item_float, np.zeros_like(before.item_float))),
        )
    if before.reg[HEAP] + slack > len(before.times):
        after = after._replace(
            times=np.concatenate((before.times, np.zeros_like(before.times))),
            events=np.concatenate((before.events, np.zeros_like(before.events))),
        )
    return after
