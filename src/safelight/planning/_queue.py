"""Compiled parts of the event loop: the heap of events and the queues of the stations."""

from __future__ import annotations

from safelight.planning._jit import compiled
from safelight.planning.arrays import (
    BORN,
    BY_DUE,
    CLS,
    ENTRY,
    F_AREA,
    F_CONSTANT,
    F_DUE,
    F_GROWTH,
    F_POWER,
    F_WAIT_ALL,
    F_WAITED,
    F_WAITED_AT,
    GROWS,
    HEAP,
    K_DEADLINE,
    NEXT,
    ORDER,
    PREV,
    PRI,
    R_HEAD,
    R_TAIL,
    R_WAITING,
    S_BORN,
    S_QUEUE,
    SEQ,
    SERIAL,
)


@compiled
def push(times, events, reg, t, what):  # type: ignore[no-untyped-def]
    """Add an event; ``what`` is (number in the order of scheduling) * 2^25 + work item * 2 + (1 for a timer)."""
    i = reg[HEAP]
    reg[HEAP] = i + 1
    while i > 0:
        up = (i - 1) >> 1
        if times[up] < t or (times[up] == t and events[up] < what):
            break
        times[i] = times[up]
        events[i] = events[up]
        i = up
    times[i] = t
    events[i] = what


@compiled
def pop(times, events, reg):  # type: ignore[no-untyped-def]
    """Take the first event out: its hole sinks to the bottom, then the last event rises from there."""
    n = reg[HEAP] - 1
    reg[HEAP] = n
    t = times[n]
    what = events[n]
    i = 0
    child = 1
    while child < n:
        right = child + 1
        if right < n and (
            times[right] < times[child] or (times[right] == times[child] and events[right] < events[child])
        ):
            child = right
        times[i] = times[child]
        events[i] = events[child]
        i = child
        child = 2 * i + 1
    while i > 0:
        up = (i - 1) >> 1
        if times[up] < t or (times[up] == t and events[up] < what):
            break
        times[i] = times[up]
        events[i] = events[up]
        i = up
    times[i] = t
    events[i] = what


@compiled
def scheduled(reg, e, timer):  # type: ignore[no-untyped-def]
    reg[SEQ] += 1
    return (reg[SEQ] << 25) | (e << 1) | timer


@compiled
def link(row_int, item_int, item_float, e, row):  # type: ignore[no-untyped-def]
    """Into the queue of its priority, from the back: nearly always the last place."""
    after = row_int[row, R_TAIL]
    order = item_float[e, ORDER]
    while after >= 0 and item_float[after, ORDER] > order:
        after = item_int[after, PREV]
    before = row_int[row, R_HEAD] if after < 0 else item_int[after, NEXT]
    item_int[e, PREV] = after
    item_int[e, NEXT] = before
    if after < 0:
        row_int[row, R_HEAD] = e
    else:
        item_int[after, NEXT] = e
    if before < 0:
        row_int[row, R_TAIL] = e
    else:
        item_int[before, PREV] = e


@compiled
def unlink(row_int, item_int, e, row):  # type: ignore[no-untyped-def]
    after, before = item_int[e, PREV], item_int[e, NEXT]
    if after < 0:
        row_int[row, R_HEAD] = before
    else:
        item_int[after, NEXT] = before
    if before < 0:
        row_int[row, R_TAIL] = after
    else:
        item_int[before, PREV] = after


@compiled
def enqueue(w, e, s, t):  # type: ignore[no-untyped-def]
    """Behind the others of its kind: by arrival here, or by due time."""
    k = w.item_int[e, CLS]
    due = w.item_float[e, BORN] + w.kind_float[k, K_DEADLINE]
    w.item_float[e, ORDER] = due if w.reg[BY_DUE] else t
    _count(w, e, s, t, 1)
    link(w.row_int, w.item_int, w.item_float, e, s * w.kind_int.shape[0] + w.item_int[e, PRI])


@compiled
def dequeue(w, e, s, t):  # type: ignore[no-untyped-def]
    kinds = w.kind_int.shape[0]
    unlink(w.row_int, w.item_int, e, s * kinds + w.item_int[e, PRI])
    _count(w, e, s, t, -1)
    w.row_float[s * kinds + w.item_int[e, CLS], F_WAIT_ALL] += t - w.item_float[e, ENTRY]


@compiled
def _count(w, e, s, t, change):  # type: ignore[no-untyped-def]
    row = s * w.kind_int.shape[0] + w.item_int[e, CLS]
    w.row_float[row, F_AREA] += w.row_int[row, R_WAITING] * (t - w.row_float[row, F_WAITED_AT])
    w.row_float[row, F_WAITED_AT] = t
    w.row_int[row, R_WAITING] += change
    w.station_int[s, S_QUEUE] += change
    w.station_float[s, S_BORN] += change * w.item_float[e, BORN]


@compiled
def choose(w, s, t):  # type: ignore[no-untyped-def]
    """The waiting item with the highest score among the first of each kind; ties go to who waits longest."""
    best = -1
    best_score = 0.0
    kinds = w.kind_int.shape[0]
    grows = w.reg[GROWS]
    for row in range(s * kinds, (s + 1) * kinds):
        e = w.row_int[row, R_HEAD]
        if e < 0:
            continue
        entry = w.item_float[e, ENTRY]
        born = w.item_float[e, BORN]
        deadline = w.kind_float[w.item_int[e, CLS], K_DEADLINE]
        value = w.row_float[row, F_CONSTANT] + w.row_float[row, F_WAITED] * (t - entry)
        value -= w.row_float[row, F_DUE] * (born + deadline)
        if grows and w.row_float[row, F_GROWTH] != 0.0:
            value += w.row_float[row, F_GROWTH] * (1.0 + (t - born) / deadline) ** w.row_float[row, F_POWER]
        if best < 0 or value > best_score:
            best, best_score = e, value
        elif value == best_score:
            other = w.item_float[best, ENTRY]
            if entry < other or (entry == other and w.item_int[e, SERIAL] < w.item_int[best, SERIAL]):
                best = e
    return best
