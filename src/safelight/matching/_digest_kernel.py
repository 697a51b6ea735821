"""Compiled binary search in sorted prefixes; imported only for batch look-ups."""

from __future__ import annotations

import numpy as np
from numba import njit

from safelight.matching._vector import prefetch

_GROUP = 16


@njit(cache=True, nogil=True)
def find(prefixes, directory, shift, wanted, first, count):  # type: ignore[no-untyped-def]
    """For each wanted prefix: the first position it stands at, and how many times it stands there.

    Args:
        prefixes: (N,) uint64, sorted.
        directory: (2^b + 1,) uint32; directory[s] is where prefixes with top bits s begin.
        shift: 64 - b.
    """
    total = wanted.shape[0]
    guesses = np.empty(_GROUP, np.int64)
    for k in range(total):
        if k % _GROUP == 0:
            # Ask for the memory of a whole group first: each look-up alone would wait twice for it.
            end = min(k + _GROUP, total)
            for j in range(k, end):
                prefetch(directory, np.int64(wanted[j] >> np.uint64(shift)))
            for j in range(k, end):
                guesses[j - k] = np.int64(directory[np.int64(wanted[j] >> np.uint64(shift))])
            for j in range(end - k):
                if guesses[j] < prefixes.shape[0]:
                    prefetch(prefixes, guesses[j])
        prefix = wanted[k]
        slot = np.int64(prefix >> np.uint64(shift))
        lo = np.int64(directory[slot])
        end = np.int64(directory[slot + 1])
        hi = end
        while lo < hi:
            middle = (lo + hi) >> 1
            if prefixes[middle] < prefix:
                lo = middle + 1
            else:
                hi = middle
        n = 0
        while lo + n < end and prefixes[lo + n] == prefix:
            n += 1
        first[k] = lo
        count[k] = n


@njit(cache=True, nogil=True)
def confirm(digests, rows, order, wanted, first, count, queries, out):  # type: ignore[no-untyped-def]
    """Keep the candidates whose full digest agrees; the hits of a query stand together, rows ascending.

    Args:
        digests: (N, size) uint8; rows: (N,) uint32; order: (N,) uint32, or empty where digests are sorted.
        wanted: (M, size) uint8; first, count: (M,) from `find`.
        queries, out: (sum of count,) filled from the front.
    """
    found = 0
    total = wanted.shape[0]
    flat = digests.reshape(-1)
    for k in range(total):
        if k + 8 < total and count[k + 8] > 0 and order.shape[0] == 0:
            prefetch(flat, np.int64(first[k + 8]) * digests.shape[1])
            prefetch(rows, np.int64(first[k + 8]))
        begin = found
        for n in range(count[k]):
            at = np.int64(first[k]) + n
            position = np.int64(order[at]) if order.shape[0] > 0 else at
            same = True
            for b in range(digests.shape[1]):
                if digests[position, b] != wanted[k, b]:
                    same = False
                    break
            if same:
                queries[found] = k
                out[found] = rows[position]
                found += 1
        if found - begin > 1:
            out[begin:found].sort()
    return found
