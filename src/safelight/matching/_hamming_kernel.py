"""Compiled Hamming scans over 256-bit codes held as four word columns; imported only when a search is really run.

Each block is first scanned over 128 of the 256 bits for its smallest distance (a reduction without branches, which the
compiler turns into vector population counts); only a block that can hold a hit is looked at code by code.
"""

from __future__ import annotations

from typing import Any

from numba import njit, types, uint64
from numba.extending import intrinsic

BLOCK = 4096


def _generate_popcount(typing_context, word):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


_popcount: Any = intrinsic(_generate_popcount)


@njit(cache=True, nogil=True)
def _smallest(a, b, qa, qb):  # type: ignore[no-untyped-def]
    least = uint64(999)
    for i in range(a.shape[0]):
        least = min(least, _popcount(a[i] ^ qa) + _popcount(b[i] ^ qb))
    return least


@njit(cache=True, nogil=True)
def scan(columns, queries, threshold, hits):  # type: ignore[no-untyped-def]
    """Every (query, row, distance) with distance <= threshold.

    Args:
        columns: (4, N) uint64, one row per word of the codes.
        queries: (M, 4) uint64.
        hits: (K, 3) uint32, filled from the front.

    Returns:
        How many hits there are, which may be more than K: the caller then comes again with room for all.
    """
    n = columns.shape[1]
    c0, c1, c2, c3 = columns[0], columns[1], columns[2], columns[3]
    limit = uint64(threshold)
    found = 0
    for lo in range(0, n, BLOCK):
        hi = min(lo + BLOCK, n)
        for k in range(queries.shape[0]):
            q0, q1, q2, q3 = queries[k, 0], queries[k, 1], queries[k, 2], queries[k, 3]
            if _smallest(c0[lo:hi], c1[lo:hi], q0, q1) > limit:
                continue
            for i in range(lo, hi):
                d = _popcount(c0[i] ^ q0) + _popcount(c1[i] ^ q1)
                if d <= limit:
                    d += _popcount(c2[i] ^ q2) + _popcount(c3[i] ^ q3)
                    if d <= limit:
                        if found < hits.shape[0]:
                            hits[found, 0] = k
                            hits[found, 1] = i
                            hits[found, 2] = d
                        found += 1
    return found
