"""Compiled repair of an allocation: moves and swaps of cases between people until none makes it cheaper.

Costs beside a person's cases rise in pieces with the points carried, so that work spreads before anybody is full.
"""

from __future__ import annotations

from safelight.planning._jit import compiled

TINY = 1e-9


@compiled
def carried(p, load, width, slope):  # type: ignore[no-untyped-def]
    """The cost of carrying ``load`` more points than today; above all pieces it is not allowed (very dear)."""
    total, rest = 0.0, load
    for k in range(width.shape[1]):
        if rest <= 0.0:
            return total
        part = min(rest, width[p, k])
        total += part * slope[p, k]
        rest -= part
    return total if rest <= TINY else 1e18


@compiled
def shift(i, to, cost, points, width, slope, given, load, nobody):  # type: ignore[no-untyped-def]
    """What giving case ``i`` to ``to`` would save; negative when it costs."""
    now, w = given[i], points[i]
    before = nobody[i] if now < 0 else cost[i, now] + carried(now, load[now], width, slope)
    after = cost[i, to] if now < 0 else cost[i, to] + carried(now, load[now] - w, width, slope)
    before += carried(to, load[to], width, slope)
    after += carried(to, load[to] + w, width, slope)
    return before - after


@compiled
def improve(cost, points, width, slope, near, given, load, nobody, member, place, count):  # type: ignore[no-untyped-def]
    """One pass over all cases. Changes ``given`` and ``load`` in place; returns what was saved.

    Args:
        cost: (C, P), infinite where not allowed. near: (C, N) people to try, cheapest first, -1 for none.
        given: (C,) person or -1. load: (P,) points given here. nobody: (C,) cost of leaving a case unplaced.
        member, place, count: who holds what: member[p, 0..count[p]] are cases, place[i] is where case i stands.
    """
    saved = 0.0
    for i in range(cost.shape[0]):
        now, w = given[i], points[i]
        best, best_to, best_other, best_third = TINY, -1, -1, -1
        for n in range(near.shape[1]):
            to = near[i, n]
            if to < 0:
                break
            if to == now:
                continue
            gain = shift(i, to, cost, points, width, slope, given, load, nobody)
            if gain > best:
                best, best_to, best_other, best_third = gain, to, -1, -1
            # One of that person's cases makes room: it goes to whom this case leaves, or to a third person.
            there, mine = carried(to, load[to], width, slope), 0.0
            if now >= 0:
                mine = cost[i, now] + carried(now, load[now], width, slope) - carried(now, load[now] - w, width, slope)
            else:
                mine = nobody[i]
            for m in range(count[to]):
                other = member[to, m]
                v = points[other]
                base = cost[other, to] - cost[i, to] + there - carried(to, load[to] - v + w, width, slope)
                if base + mine <= best:
                    continue
                gain = base
                if now >= 0:
                    gain += cost[i, now] - cost[other, now]
                    gain += carried(now, load[now], width, slope) - carried(now, load[now] - w + v, width, slope)
                else:
                    gain += nobody[i] - nobody[other]
                if gain > best:
                    best, best_to, best_other, best_third = gain, to, other, now
                for q in range(near.shape[1]):
                    third = near[other, q]
                    if third < 0 or base + mine - cost[other, third] <= best:
                        break
                    if third in (to, now):
                        continue
                    more = carried(third, load[third] + v, width, slope) - carried(third, load[third], width, slope)
                    gain = base + mine - cost[other, third] - more
                    if gain > best:
                        best, best_to, best_other, best_third = gain, to, other, third
        if best_to < 0:
            continue
        saved += best
        if best_other >= 0:
            leave(best_other, points, given, load, member, place, count)
        if now >= 0:
            leave(i, points, given, load, member, place, count)
        join(i, best_to, points, given, load, member, place, count)
        if best_other >= 0 and best_third >= 0:
            join(best_other, best_third, points, given, load, member, place, count)
    return saved


@compiled
def leave(i, points, given, load, member, place, count):  # type: ignore[no-untyped-def]
    p = given[i]
    last = member[p, count[p] - 1]
    member[p, place[i]] = last
    place[last] = place[i]
    count[p] -= 1
    load[p] -= points[i]
    given[i] = -1


@compiled
def join(i, p, points, given, load, member, place, count):  # type: ignore[no-untyped-def]
    member[p, count[p]] = i
    place[i] = count[p]
    count[p] += 1
    load[p] += points[i]
    given[i] = p
