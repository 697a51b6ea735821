"""Compiled parts of the event loop that keep the books: servers in use, clocks, marks on the grid, the end of a run."""

from __future__ import annotations

from safelight.planning import arrays as a
from safelight.planning._jit import compiled
from safelight.planning.arrays import ALIVE, BORN, CLS, ENTRY

NEVER = 1e300


@compiled
def occupy(w, s, t, change):  # type: ignore[no-untyped-def]
    span = t - w.station_float[s, a.S_USED_AT]
    w.station_float[s, a.S_BUSY_AREA] += w.station_int[s, a.S_BUSY] * span
    w.station_float[s, a.S_CAP_AREA] += w.station_int[s, a.S_CAP] * span
    w.station_float[s, a.S_USED_AT] = t
    w.station_int[s, a.S_BUSY] += change


@compiled
def stop_clock(w, e, c, t):  # type: ignore[no-untyped-def]
    """Judge clock ``c`` when it is stopped; only cases count whose whole time for it is inside warm-up and horizon."""
    k = w.item_int[e, CLS]
    limit = w.limit[c, k]
    if limit < 0.0 or (w.item_int[e, a.CLK] >> c) & 1:
        return
    w.item_int[e, a.CLK] |= 1 << c
    born = w.item_float[e, BORN]
    if born >= w.conf[a.WARMUP] and born + limit <= w.conf[a.HORIZON]:
        w.verdicts[c, k, 0] += 1
        if t - born > limit:
            w.verdicts[c, k, 1] += 1


@compiled
def close_clocks(w, e, t):  # type: ignore[no-untyped-def]
    """Clocks that nobody stopped: breached when past their limit, otherwise not judged."""
    for c in range(w.limit.shape[0]):
        limit = w.limit[c, w.item_int[e, CLS]]
        if limit >= 0.0 and t - w.item_float[e, BORN] > limit:
            stop_clock(w, e, c, t)


@compiled
def settle(w, t):  # type: ignore[no-untyped-def]
    """Bring every integral over time up to t."""
    for s in range(w.station_int.shape[0]):
        occupy(w, s, t, 0)
    for row in range(w.row_int.shape[0]):
        w.row_float[row, a.F_AREA] += w.row_int[row, a.R_WAITING] * (t - w.row_float[row, a.F_WAITED_AT])
        w.row_float[row, a.F_WAITED_AT] = t


@compiled
def pass_marks(w, t):  # type: ignore[no-untyped-def]
    """Everything between the last event and the one at t: the end of the warm-up, marks on the grid.

    Returns:
        the time of the next of these.
    """
    while True:
        g = w.reg[a.MARKED]
        at = g * w.conf[a.GRID] if g < w.grid_age.shape[0] else NEVER
        warm = NEVER if w.reg[a.WARM] else w.conf[a.WARMUP]
        if min(at, warm) > t:
            return min(at, warm)
        if warm <= at:
            settle(w, warm)
            for row in range(w.row_int.shape[0]):
                w.row_float[row, a.F_AREA_WARM] = w.row_float[row, a.F_AREA]
            for s in range(w.station_int.shape[0]):
                w.station_float[s, a.S_BUSY_WARM] = w.station_float[s, a.S_BUSY_AREA]
                w.station_float[s, a.S_CAP_WARM] = w.station_float[s, a.S_CAP_AREA]
            w.reg[a.WARM] = 1
            continue
        for row in range(w.row_int.shape[0]):
            w.grid_waiting[g, row] = w.row_int[row, a.R_WAITING]
        for s in range(w.station_int.shape[0]):
            w.grid_age[g, s] = w.station_int[s, a.S_QUEUE] * at - w.station_float[s, a.S_BORN]
        w.reg[a.MARKED] += 1


@compiled
def trace(w, t, serial, s, what):  # type: ignore[no-untyped-def]
    n = w.reg[a.TRACED]
    w.trace_times[n] = t
    w.trace_codes[n] = (serial * 1024 + s) * 4 + what
    w.reg[a.TRACED] += 1


@compiled
def end(w):  # type: ignore[no-untyped-def]
    """At the horizon: who is still inside, and whose clock ran out meanwhile."""
    kinds = w.kind_int.shape[0]
    horizon = w.conf[a.HORIZON]
    settle(w, horizon)
    for e in range(w.reg[a.USED]):
        if w.item_int[e, ALIVE] == 1:
            close_clocks(w, e, horizon)
            w.kind_int[w.item_int[e, CLS], a.K_INSIDE] += 1
    for row in range(w.row_int.shape[0]):
        e = w.row_int[row, a.R_HEAD]
        while e >= 0:
            cell = (row // kinds) * kinds + w.item_int[e, CLS]
            w.row_float[cell, a.F_WAIT_ALL] += horizon - w.item_float[e, ENTRY]
            e = w.item_int[e, a.NEXT]
