"""Compiled Hamming scans over 256-bit codes held as four word columns; imported only when a search is really run.

Each block is first scanned over 128 of the 256 bits for its smallest distance (a reduction without branches, which the
compiler turns into vector population counts); only a block that can hold a hit is looked at code by code.
"""

from __future__ import annotations

from numba import njit, uint64

from safelight.matching._vector import popcount

BLOCK = 4096


@njit(cache=True, nogil=True)
def _smallest(a, b, qa, qb):  # type: ignore[no-untyped-def]
    least = uint64(999)
    for i in range(a.shape[0]):
        least = min(least, popcount(a[i] ^ qa) + popcount(b[i] ^ qb))
    return least


@njit(cache=True, nogil=True)
def scan(columns, size, queries, threshold, most, dead, hits, used):  # type: ignore[no-untyped-def]
    """Every (query, row, distance) with distance <= threshold.

    Args:
        columns: (4, capacity) uint64, one row per word of the codes; the first `size` columns count.
        queries: (M, 4) uint64.
        most: no more hits than this for one query.
        dead: bits of rows to pass over, or empty.
        hits: (K, 3) uint32, filled from the front; used: (M,) hits of each query, zero at first.

    Returns:
        How many hits there are, which may be more than K: the caller then comes again with room for all.
    """
    c0, c1, c2, c3 = columns[0], columns[1], columns[2], columns[3]
    limit = uint64(threshold)
    found = 0
    for lo in range(0, size, BLOCK):
        hi = min(lo + BLOCK, size)
        for k in range(queries.shape[0]):
            if used[k] >= most:
                continue
            q0, q1, q2, q3 = queries[k, 0], queries[k, 1], queries[k, 2], queries[k, 3]
            if _smallest(c0[lo:hi], c1[lo:hi], q0, q1) > limit:
                continue
            for i in range(lo, hi):
                d = popcount(c0[i] ^ q0) + popcount(c1[i] ^ q1)
                if d <= limit:
                    d += popcount(c2[i] ^ q2) + popcount(c3[i] ^ q3)
                    if d <= limit:
                        if dead.shape[0] > 0 and (dead[i >> 6] >> uint64(i & 63)) & uint64(1):
                            continue
                        if found < hits.shape[0]:
                            hits[found, 0] = k
                            hits[found, 1] = i
                            hits[found, 2] = d
                        found += 1
                        used[k] += 1
                        if used[k] >= most:
                            break
    return found
