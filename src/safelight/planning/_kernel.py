"""The compiled event loop: a binary heap of events in arrays, queues as linked lists, no Python objects.

Rules of time, in this order at one instant: a change of capacity, an arrival from outside, then the heap (service ends
and timers) in the order of scheduling. A freed server takes the next waiting item before the finished one moves on.
Service is never interrupted: when capacity falls, servers leave as they finish.
"""

from __future__ import annotations

import math

import numpy as np

from safelight.planning import arrays as a
from safelight.planning._books import NEVER, close_clocks, end, occupy, pass_marks, stop_clock, trace
from safelight.planning._jit import compiled
from safelight.planning._queue import choose, dequeue, enqueue, link, pop, push, scheduled, unlink
from safelight.planning._streams import (
    CHILD,
    PATIENCE,
    ROUTE,
    SERVICE,
    SPAWN,
    TEAM,
    count,
    derive,
    duration,
    purpose,
    uniform,
)
from safelight.planning.arrays import (
    ALIVE,
    BEGAN,
    BORN,
    CLS,
    ENTRY,
    KEY,
    LEAVE,
    LOOP,
    PAR,
    PEND,
    PRI,
    SERIAL,
    SHARE,
    STA,
    TIMER,
)

DONE, GROW, PAUSED = 0, 1, 2
ARRIVED, ENDED, GAVE_UP, ESCALATED = range(4)
SLACK = 2048


@compiled
def create(w, k, key, t, share, parent):  # type: ignore[no-untyped-def]
    e = w.reg[a.FREE]
    if e >= 0:
        w.reg[a.FREE] = w.item_int[e, a.NEXT]
    else:
        e = w.reg[a.USED]
        w.reg[a.USED] += 1
    w.item_int[e, CLS] = k
    w.item_int[e, PRI] = k
    w.item_int[e, PAR] = parent
    w.item_int[e, PEND] = 0
    w.item_int[e, TIMER] = -1
    w.item_int[e, LOOP] = 0
    w.item_int[e, a.CLK] = 0
    w.item_int[e, SERIAL] = w.reg[a.SERIALS]
    w.item_int[e, ALIVE] = 1
    w.item_int[e, KEY] = np.int64(key)
    w.reg[a.SERIALS] += 1
    w.item_float[e, BORN] = t
    w.item_float[e, SHARE] = share
    w.kind_int[k, a.K_ARRIVED] += 1
    return e


@compiled
def release(w, e, t):  # type: ignore[no-untyped-def]
    """The item leaves the network. Returns the parent that it was the last one for, or -1."""
    close_clocks(w, e, t)
    w.item_int[e, ALIVE] = 0
    w.item_int[e, a.NEXT] = w.reg[a.FREE]
    w.reg[a.FREE] = e
    parent = w.item_int[e, PAR]
    if parent >= 0:
        w.item_int[parent, PEND] -= 1
        if w.item_int[parent, PEND] == 0:
            return parent
    return -1


@compiled
def start(w, e, s, t):  # type: ignore[no-untyped-def]
    row = s * w.kind_int.shape[0] + w.item_int[e, CLS]
    occupy(w, s, t, 1)
    entry = w.item_float[e, ENTRY]
    if entry >= w.conf[a.WARMUP]:
        w.row_int[row, a.R_STARTED] += 1
        if t > entry:
            w.row_int[row, a.R_DELAYED] += 1
            w.row_float[row, a.F_WAIT] += t - entry
    if w.station_int[s, a.S_START_CLOCK] >= 0:
        stop_clock(w, e, w.station_int[s, a.S_START_CLOCK], t)
    at = purpose(w.item_int[e, LOOP], w.station_int[s, a.S_STREAM], SERVICE)
    days = duration(
        np.uint64(w.item_int[e, KEY]), at, w.row_int[row, a.R_SERVICE], w.row_float[row, a.F_A], w.row_float[row, a.F_B]
    )
    w.item_int[e, TIMER] = -1
    w.item_float[e, BEGAN] = t
    push(w.times, w.events, w.reg, t + days, scheduled(w.reg, e, 0))


@compiled
def set_timer(w, e, s, t):  # type: ignore[no-untyped-def]
    """One timer at a time: the earlier of escalation and giving up."""
    at = w.item_float[e, LEAVE]
    after = w.row_float[s * w.kind_int.shape[0] + w.item_int[e, PRI], a.F_ESCALATE]
    if after > 0.0 and t + after < at:
        at = t + after
    if at < NEVER:
        what = scheduled(w.reg, e, 1)
        w.item_int[e, TIMER] = what
        push(w.times, w.events, w.reg, at, what)


@compiled
def arrive(w, e, s, t):  # type: ignore[no-untyped-def]
    """At station ``s``, or at its team when several stand behind it."""
    if w.station_int[s, a.S_GROUP] > 1:
        s += np.int64(w.item_float[e, SHARE] * w.station_int[s, a.S_GROUP])
    k = w.item_int[e, CLS]
    row = s * w.kind_int.shape[0] + k
    w.item_int[e, STA] = s
    w.item_int[e, PRI] = k
    w.item_float[e, ENTRY] = t
    if t >= w.conf[a.WARMUP]:
        w.row_int[row, a.R_ENTERED] += 1
    if w.station_int[s, a.S_BUSY] < w.station_int[s, a.S_CAP]:
        start(w, e, s, t)
        return
    enqueue(w, e, s, t)
    w.item_float[e, LEAVE] = NEVER
    if w.row_int[row, a.R_PATIENCE] == 1:
        at = purpose(w.item_int[e, LOOP], w.station_int[s, a.S_STREAM], PATIENCE)
        u = uniform(np.uint64(w.item_int[e, KEY]), at)
        w.item_float[e, LEAVE] = t - w.row_float[row, a.F_PATIENCE] * math.log(u)
    elif w.row_int[row, a.R_PATIENCE] == 2:
        w.item_float[e, LEAVE] = t + w.row_float[row, a.F_PATIENCE]
    set_timer(w, e, s, t)


@compiled
def serve(w, s, t):  # type: ignore[no-untyped-def]
    """A free server takes the next item."""
    e = choose(w, s, t)
    dequeue(w, e, s, t)
    start(w, e, s, t)


@compiled
def move(w, e, t):  # type: ignore[no-untyped-def]
    """From its station to the next, or out; the last item of a case that waits for it sends the case on too."""
    while e >= 0:
        s = w.item_int[e, STA]
        k = w.item_int[e, CLS]
        row = s * w.kind_int.shape[0] + k
        lo, hi = w.row_int[row, a.R_ROUTE_AT], w.row_int[row, a.R_ROUTE_END]
        to = np.int64(-1)
        if hi - lo == 1 and w.route_cum[lo] >= 1.0:
            to = w.route_to[lo]
        elif hi > lo:
            at = purpose(w.item_int[e, LOOP], w.station_int[s, a.S_STREAM], ROUTE)
            u = uniform(np.uint64(w.item_int[e, KEY]), at)
            for i in range(lo, hi):
                if u < w.route_cum[i]:
                    to = w.route_to[i]
                    break
        if to >= 0:
            if w.station_int[to, a.S_STREAM] <= w.station_int[s, a.S_STREAM]:
                w.item_int[e, LOOP] += 1
            arrive(w, e, to, t)
            return
        w.kind_int[k, a.K_LEFT] += 1
        if w.item_float[e, BORN] >= w.conf[a.WARMUP]:
            w.kind_int[k, a.K_DONE] += 1
            w.kind_float[k, a.K_SOJOURN] += t - w.item_float[e, BORN]
        e = release(w, e, t)


@compiled
def bring(w, e, s, row, t):  # type: ignore[no-untyped-def]
    """The work that the end of this service brings. Returns True when the case waits for it."""
    kind = w.row_int[row, a.R_SPAWN]
    key = np.uint64(w.item_int[e, KEY])
    loop, stream = w.item_int[e, LOOP], w.station_int[s, a.S_STREAM]
    n, over = count(
        key,
        purpose(loop, stream, SPAWN),
        w.row_float[row, a.F_SHARE],
        w.row_int[row, a.R_BASE],
        w.row_float[row, a.F_MORE],
        w.row_int[row, a.R_CAP],
    )
    w.kind_int[kind, a.K_SKIPPED] += over
    if n == 0:
        return False
    root = derive(key, purpose(loop, stream, CHILD))
    join = w.row_int[row, a.R_JOIN] == 1
    if join:
        w.item_int[e, PEND] = n
    parent = e if join else np.int64(-1)
    for i in range(n):
        child = create(w, kind, derive(root, i), t, w.item_float[e, SHARE], parent)
        arrive(w, child, w.row_int[row, a.R_SPAWN_TO], t)
    return join


@compiled
def finish(w, e, t):  # type: ignore[no-untyped-def]
    """The end of a service: free the server, serve the next, bring the work that this one brings, move on."""
    s = w.item_int[e, STA]
    row = s * w.kind_int.shape[0] + w.item_int[e, CLS]
    occupy(w, s, t, -1)
    if w.item_float[e, ENTRY] >= w.conf[a.WARMUP]:
        w.row_int[row, a.R_SERVED] += 1
        w.row_float[row, a.F_SERVED] += t - w.item_float[e, BEGAN]
    if w.station_int[s, a.S_END_CLOCK] >= 0:
        stop_clock(w, e, w.station_int[s, a.S_END_CLOCK], t)
    if w.station_int[s, a.S_QUEUE] > 0 and w.station_int[s, a.S_BUSY] < w.station_int[s, a.S_CAP]:
        serve(w, s, t)
    if w.row_int[row, a.R_SPAWN] >= 0 and bring(w, e, s, row, t):
        return
    move(w, e, t)


@compiled
def ring(w, e, t):  # type: ignore[no-untyped-def]
    """A timer of a waiting item: it gives up, or it is treated as more urgent from now on. Returns what happened."""
    s = w.item_int[e, STA]
    kinds = w.kind_int.shape[0]
    row = s * kinds + w.item_int[e, CLS]
    if t >= w.item_float[e, LEAVE]:
        dequeue(w, e, s, t)
        w.kind_int[w.item_int[e, CLS], a.K_LOST] += 1
        if w.item_float[e, ENTRY] >= w.conf[a.WARMUP]:
            w.row_int[row, a.R_RENEGED] += 1
        parent = release(w, e, t)
        if parent >= 0:
            move(w, parent, t)
        return GAVE_UP
    row = s * kinds + w.item_int[e, PRI]
    unlink(w.row_int, w.item_int, e, row)
    w.item_int[e, PRI] = w.row_int[row, a.R_ESCALATE_TO]
    link(w.row_int, w.item_int, w.item_float, e, s * kinds + w.item_int[e, PRI])
    set_timer(w, e, s, t)
    return ESCALATED


@compiled
def plan_arrival(w, k, t):  # type: ignore[no-untyped-def]
    """When the next item of kind k arrives after t: a Poisson process whose rate is constant in each period."""
    work = -math.log(uniform(np.uint64(w.kind_int[k, a.K_GAPS]), w.kind_int[k, a.K_NUMBER]))
    last = w.factors.shape[1] - 1
    period = w.kind_int[k, a.K_PERIOD]
    at = NEVER
    while True:
        rate = w.kind_float[k, a.K_RATE] * w.factors[k, period]
        if period >= last:
            if rate > 0.0:
                at = t + work / rate
            break
        end = (period + 1) * w.conf[a.PERIOD]
        if rate > 0.0 and t + work / rate <= end:
            at = t + work / rate
            break
        work -= rate * (end - t)
        t = end
        period += 1
    w.kind_int[k, a.K_PERIOD] = period
    w.kind_float[k, a.K_UPCOMING] = at


@compiled
def simulate(w, budget):  # type: ignore[no-untyped-def]
    """Run on from where ``w`` stands, see `safelight.planning.arrays.World`.

    Args:
        budget: pause after so many events, so that the caller can stop the run.

    Returns:
        DONE at the horizon, GROW when `arrays.grown` must make room first, PAUSED at the end of the budget.
    """
    kinds = w.kind_int.shape[0]
    if w.reg[a.RUNNING] == 0:
        w.reg[a.RUNNING] = 1
        for k in range(kinds):
            w.kind_float[k, a.K_UPCOMING] = NEVER
            if w.kind_float[k, a.K_RATE] > 0.0:
                plan_arrival(w, k, 0.0)
    horizon = w.conf[a.HORIZON]
    tracing = w.trace_times.shape[0]
    changes = w.cap_time.shape[0]
    arrival, who = NEVER, 0
    for k in range(kinds):
        if w.kind_float[k, a.K_UPCOMING] < arrival:
            arrival, who = w.kind_float[k, a.K_UPCOMING], k
    next_mark = -1.0
    until = w.reg[a.EVENTS] + budget
    while w.reg[a.EVENTS] < until:
        if w.reg[a.HEAP] + SLACK > w.times.shape[0] or w.reg[a.USED] + SLACK > w.item_int.shape[0]:
            return GROW
        change = w.reg[a.CHANGE]
        t = w.times[0] if w.reg[a.HEAP] > 0 else NEVER
        source = 2
        if arrival <= t:
            t, source = arrival, 1
        if change < changes and w.cap_time[change] <= t:
            t, source = w.cap_time[change], 0
        if next_mark <= t:
            next_mark = pass_marks(w, min(t, horizon))
        if t > horizon:
            end(w)
            return DONE
        if source == 2:
            what = w.events[0]
            pop(w.times, w.events, w.reg)
            e = (what >> 1) & 0xFFFFFF
            if what & 1:
                if w.item_int[e, TIMER] != what:
                    continue  # it was served meanwhile
                serial, s = w.item_int[e, SERIAL], w.item_int[e, STA]
                w.item_int[e, TIMER] = -1
                rung = ring(w, e, t)
                if w.reg[a.TRACED] < tracing:
                    trace(w, t, serial, s, rung)
            else:
                if w.reg[a.TRACED] < tracing:
                    trace(w, t, w.item_int[e, SERIAL], w.item_int[e, STA], ENDED)
                finish(w, e, t)
        elif source == 1:
            key = derive(np.uint64(w.kind_int[who, a.K_ROOT]), w.kind_int[who, a.K_NUMBER])
            e = create(w, who, key, t, uniform(key, purpose(0, 255, TEAM)), np.int64(-1))
            if w.reg[a.TRACED] < tracing:
                trace(w, t, w.item_int[e, SERIAL], w.kind_int[who, a.K_FIRST], ARRIVED)
            arrive(w, e, w.kind_int[who, a.K_FIRST], t)
            w.kind_int[who, a.K_NUMBER] += 1
            plan_arrival(w, who, t)
            arrival, who = w.kind_float[0, a.K_UPCOMING], 0
            for k in range(1, kinds):
                if w.kind_float[k, a.K_UPCOMING] < arrival:
                    arrival, who = w.kind_float[k, a.K_UPCOMING], k
        else:
            s = w.cap_change[change, 0]
            occupy(w, s, t, 0)
            w.station_int[s, a.S_CAP] = w.cap_change[change, 1]
            for _ in range(SLACK // 2):
                if w.station_int[s, a.S_QUEUE] == 0 or w.station_int[s, a.S_BUSY] >= w.station_int[s, a.S_CAP]:
                    w.reg[a.CHANGE] += 1
                    break
                serve(w, s, t)  # what does not fit into the heap's room comes in another turn of the loop
        w.reg[a.EVENTS] += 1
    return PAUSED
