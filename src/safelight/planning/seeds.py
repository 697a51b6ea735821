"""The random numbers of `safelight.planning._streams` in plain Python, for what is drawn outside the event loop."""

from __future__ import annotations

_MASK = 0xFFFFFFFFFFFFFFFF
_GOLDEN = 0x9E3779B97F4A7C15


def derive(key: int, number: int) -> int:
    """The 64-bit key numbered ``number`` under ``key``."""
    z = (key + (number + 1) * _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def uniform(key: int, number: int) -> float:
    """A number strictly between 0 and 1."""
    return ((derive(key, number) >> 11) + 0.5) * 2.0**-53


def replication_key(seed: int, replication: int) -> int:
    """The key of one replication: (seed, number) and nothing else decide what happens in it."""
    return derive(derive(seed & _MASK, 0), replication)
