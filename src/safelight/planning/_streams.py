"""Random numbers by counter: each case and each purpose has its own stream, whatever else happens in the run.

A draw is a hash of (key of the case, purpose), so two scenarios with one seed meet the same cases with the same work in
them (common random numbers), and no draw depends on the order of events. The hash is SplitMix64's finaliser
(Steele, Lea and Flood 2014, doi 10.1145/2660193.2660195; constants: Stafford's variant 13).
"""

from __future__ import annotations

import math

import numpy as np

from safelight.planning._jit import compiled

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_ONE = np.uint64(1)

SERVICE, ROUTE, PATIENCE, SPAWN, TEAM, CHILD = 0, 1, 2, 3, 4, 5
FIXED, EXPONENTIAL, ERLANG, LOGNORMAL, HYPER = 0, 1, 2, 3, 4


@compiled
def mix(z):  # type: ignore[no-untyped-def]
    """SplitMix64's finaliser: (uint64) -> uint64."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@compiled
def derive(key, number):  # type: ignore[no-untyped-def]
    """The key numbered ``number`` under ``key``."""
    return mix(np.uint64(key) + (np.uint64(number) + _ONE) * GOLDEN)


@compiled
def uniform(key, number):  # type: ignore[no-untyped-def]
    """A number strictly between 0 and 1."""
    return (np.float64(derive(key, number) >> _S11) + 0.5) * 1.1102230246251565e-16


@compiled
def purpose(loop, stream, what):  # type: ignore[no-untyped-def]
    """The counter where the draws for ``what`` at a station's stream begin; 64 counters are reserved for each."""
    return ((loop * 256 + stream) * 8 + what) * 64


@compiled
def duration(key, first, kind, a, b):  # type: ignore[no-untyped-def]
    """One duration. ``a`` and ``b`` by kind: fixed (value), exponential (mean), Erlang (mean of a phase, phases),
    lognormal (mu, sigma), hyperexponential (mean, probability of the first phase; balanced means)."""
    if kind == EXPONENTIAL:
        return -a * math.log(uniform(key, first))
    if kind == FIXED:
        return a
    if kind == LOGNORMAL:
        radius = math.sqrt(-2.0 * math.log(uniform(key, first)))
        return math.exp(a + b * radius * math.cos(2.0 * math.pi * uniform(key, first + 1)))
    if kind == ERLANG:
        product = 1.0
        for i in range(int(b)):
            product *= uniform(key, first + i)
        return -a * math.log(product)
    share = b if uniform(key, first) < b else 1.0 - b
    return -a / (2.0 * share) * math.log(uniform(key, first + 1))


@compiled
def count(key, first, share, base, mean, cap):  # type: ignore[no-untyped-def]
    """How many items a case brings: none with probability 1 - share, else base + Poisson(mean).

    Returns:
        (how many are worked on, how many the cap leaves out).
    """
    if share < 1.0 and uniform(key, first) >= share:
        return 0, 0
    n = base
    if mean > 0.0:
        limit = math.exp(-mean)
        product = uniform(key, first + 1)
        i = 2
        while product > limit and i < 64:
            n += 1
            product *= uniform(key, first + i)
            i += 1
    if cap >= 0 and n > cap:
        return cap, n - cap
    return n, 0
