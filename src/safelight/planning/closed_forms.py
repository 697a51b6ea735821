"""Queues whose answer is known exactly: what the event loop is held against, and quick answers on their own.

Rates are per day, times in days. Sources: Erlang 1917; Cobham 1954 (doi 10.1287/opre.2.1.70); Pollaczek and Khinchine
1930/32; Palm 1957 for impatience (Erlang-A); Jackson 1957 (doi 10.1287/opre.5.4.518).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from safelight.planning.errors import PlanningError


def erlang_c(servers: int, load: float) -> float:
    """The probability to wait in M/M/c. ``load`` is arrivals times mean service, below ``servers``.

    Raises:
        PlanningError: the load is at or above the servers: the queue grows without limit.
    """
    if load >= servers:
        raise PlanningError("load", f"{load:g} for {servers} servers grows without limit.", fix="Add servers.")
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked / (1.0 - load / servers * (1.0 - blocked))


def mmc_wait(servers: int, rate: float, mean: float) -> float:
    """Mean wait in M/M/c."""
    return erlang_c(servers, rate * mean) * mean / (servers - rate * mean)


def mg1_wait(rate: float, mean: float, cv2: float) -> float:
    """Mean wait in M/G/1 (Pollaczek-Khinchine). ``cv2`` is the squared coefficient of variation of the service."""
    load = rate * mean
    erlang_c(1, load)
    return rate * mean**2 * (1.0 + cv2) / 2.0 / (1.0 - load)


def cobham_waits(servers: int, rates: Sequence[float], mean: float) -> list[float]:
    """Mean waits of non-preemptive priority classes in M/M/c with one mean service, most urgent first."""
    total = sum(rates) * mean
    rest = erlang_c(servers, total) * mean / servers
    waits = []
    ahead = 0.0
    for rate in rates:
        share = ahead + rate * mean / servers
        waits.append(rest / (1.0 - ahead) / (1.0 - share))
        ahead = share
    return waits


def cobham_single(rates: Sequence[float], means: Sequence[float], cv2s: Sequence[float]) -> list[float]:
    """Mean waits of non-preemptive priority classes in M/G/1, each with its own service, most urgent first."""
    rest = sum(rate * mean**2 * (1 + cv2) / 2 for rate, mean, cv2 in zip(rates, means, cv2s, strict=True))
    waits = []
    ahead = 0.0
    for rate, mean in zip(rates, means, strict=True):
        share = ahead + rate * mean
        waits.append(rest / (1.0 - ahead) / (1.0 - share))
        ahead = share
    return waits


def erlang_a(servers: int, rate: float, mean: float, patience: float) -> tuple[float, float]:
    """M/M/c with exponential patience: (mean number waiting, share that gives up)."""
    weight, total, queue = 1.0, 1.0, 0.0
    n = 0
    while True:
        n += 1
        out = min(n, servers) / mean + max(0, n - servers) / patience
        weight *= rate / out
        total += weight
        queue += max(0, n - servers) * weight
        if n > servers + rate * mean and weight < 1e-16 * total:
            break
    waiting = queue / total
    return waiting, waiting / patience / rate


def jackson_waiting(servers: Sequence[int], rates: Sequence[float], means: Sequence[float]) -> list[float]:
    """Mean number waiting at each station of an open Jackson network, from the total rate into each."""
    return [rate * mmc_wait(count, rate, mean) for count, rate, mean in zip(servers, rates, means, strict=True)]


def pooling(teams: int, servers: int, load: float) -> tuple[float, float]:
    """Waits, in service times, of ``teams`` separate teams of ``servers`` against one team of all of them.

    Args:
        load: share of the servers' time that is used, below 1.
    """
    apart = mmc_wait(servers, load * servers, 1.0)
    return apart, mmc_wait(teams * servers, load * teams * servers, 1.0)


def is_close(found: float, truth: float, share: float) -> bool:
    """Within a share of the truth."""
    return math.isclose(found, truth, rel_tol=share)
