"""Compiled half of `safelight.matching.sketch`: permute codes, sort them into partitions, probe and join.

A code is 16 chunks of 16 bits. Partition c holds all rows in the order of chunk c, and of each row 96 bits of the
other chunks, so that nearly every candidate is refused without touching its code. Two codes within T bits agree within
`radii[c]` bits in at least one chunk c, because the sum of (radii + 1) is T + 1 (the pigeonhole principle). A hit is
reported only by the first chunk in which it qualifies, so that none is reported twice.
"""

from __future__ import annotations

import numpy as np
from numba import njit, uint32, uint64

from safelight.matching._vector import BLOCK, LANES, any64, lowest, mask16, popcount, prefetch

CHUNKS = 16
BUCKETS = 1 << 16
_AHEAD = 4
_WAITING = 512  # candidates that wait to be verified together
_LINES = 40  # at most this many cache lines of a bucket are asked for ahead


@njit(cache=True, nogil=True)
def permute(codes, table, out):  # type: ignore[no-untyped-def]
    """Spread the bits of (N, 32) uint8 codes by a fixed permutation, through its (32, 256, 4) uint64 table."""
    for i in range(codes.shape[0]):
        a = b = c = d = uint64(0)
        for k in range(32):
            row = table[k, codes[i, k]]
            a ^= row[0]
            b ^= row[1]
            c ^= row[2]
            d ^= row[3]
        out[i, 0] = a
        out[i, 1] = b
        out[i, 2] = c
        out[i, 3] = d


@njit(cache=True, nogil=True)
def build(halves, keys, starts, ids, blocks, words):  # type: ignore[no-untyped-def]
    """Fill one partition.

    Args:
        halves: (N * 8,) uint32, the codes end to end.
        keys: (N,) uint16, this partition's chunk of each code.
        starts: (65537,) uint32, ids: (N,) uint32, blocks: (K * 48,) uint32: the partition.
        words: (3,) which of the eight words go into the blocks.
    """
    n = keys.shape[0]
    starts[:] = 0
    for i in range(n):
        starts[np.int64(keys[i]) + 1] += uint32(1)
    for b in range(BUCKETS):
        starts[b + 1] += starts[b]
    at = starts[:BUCKETS].copy()
    for i in range(n):
        key = keys[i]
        ids[at[key]] = i
        at[key] += uint32(1)
    w0, w1, w2 = words[0], words[1], words[2]
    for p in range(n):
        x = np.int64(ids[p]) * 8
        if p + 24 < n:
            prefetch(halves, np.int64(ids[p + 24]) * 8)
        base = (p >> 4) * BLOCK + (p & 15)
        blocks[base] = halves[x + w0]
        blocks[base + LANES] = halves[x + w1]
        blocks[base + 2 * LANES] = halves[x + w2]


@njit(cache=True, nogil=True)
def sort_queries(keys, starts, ids):  # type: ignore[no-untyped-def]
    starts[:] = 0
    for i in range(keys.shape[0]):
        starts[np.int64(keys[i]) + 1] += uint32(1)
    for b in range(BUCKETS):
        starts[b + 1] += starts[b]
    at = starts[:BUCKETS].copy()
    for i in range(keys.shape[0]):
        key = keys[i]
        ids[at[key]] = i
        at[key] += uint32(1)


@njit(cache=True, nogil=True)
def _near_before(x0, x1, x2, x3, chunk, radii):  # type: ignore[no-untyped-def]
    """Whether an earlier chunk has this pair within its radius already (x is the difference of the two codes)."""
    for c in range(chunk):
        word = x0 if c < 4 else (x1 if c < 8 else (x2 if c < 12 else x3))
        part = (word >> uint64((c & 3) * 16)) & uint64(0xFFFF)
        if np.int64(popcount(part)) <= radii[c]:
            return True
    return False


@njit(cache=True, nogil=True)
def _settle(codes, flat, queries, ids, waiting, n, limit, radii, most, dead, hits, found, used):  # type: ignore[no-untyped-def]
    """Verify the candidates that wait: each a (query, position in ids, chunk).

    They come together so that the memory behind one is fetched while others are looked at.
    """
    for i in range(n):
        waiting[i, 1] = ids[waiting[i, 1]]
    for i in range(n):
        if i + 12 < n:
            prefetch(flat, waiting[i + 12, 1] * 4)
        k = waiting[i, 0]
        if used[k] >= most:
            continue
        x = waiting[i, 1]
        x0 = codes[x, 0] ^ queries[k, 0]
        x1 = codes[x, 1] ^ queries[k, 1]
        x2 = codes[x, 2] ^ queries[k, 2]
        x3 = codes[x, 3] ^ queries[k, 3]
        d = popcount(x0) + popcount(x1) + popcount(x2) + popcount(x3)
        if d > limit:
            continue
        if dead.shape[0] > 0 and (dead[x >> 6] >> uint64(x & 63)) & uint64(1):
            continue
        if _near_before(x0, x1, x2, x3, waiting[i, 2], radii):
            continue
        if found < hits.shape[0]:
            hits[found, 0] = k
            hits[found, 1] = x
            hits[found, 2] = d
        found += 1
        used[k] += 1
    return found


@njit(cache=True, nogil=True)
def _edge(block, lo, hi):  # type: ignore[no-untyped-def]
    """Which lanes of a block belong to the bucket [lo, hi)."""
    mask = uint32(0xFFFF)
    if block == lo >> 4:
        mask &= uint32(0xFFFF) << uint32(lo & 15)
    if block == (hi - 1) >> 4:
        mask &= uint32(0xFFFF) >> uint32(15 - ((hi - 1) & 15))
    return mask


@njit(cache=True, nogil=True)
def _first_near(blocks, base, block, end, a, b, c, near):  # type: ignore[no-untyped-def]
    """The first block in [block, end) with a code near over the 96 bits, or `end`: the loop that all speed hangs on."""
    while block + 4 <= end and not any64(blocks, base + block * BLOCK, a, b, c, near):
        block += 4
    while block < end and mask16(blocks, base + block * BLOCK, a, b, c, near) == uint32(0):
        block += 1
    return block


@njit(cache=True, nogil=True)
def _collect(blocks, base, block, lo, hi, a, b, c, near, k, ids, ids_at, chunk, waiting, n):  # type: ignore[no-untyped-def]
    """Put the near codes of a bucket, from a block on, among the candidates, as long as there is room.

    Returns:
        The block to go on from (the bucket's end if none is left), and how many candidates wait.
    """
    end = ((hi - 1) >> 4) + 1
    while block < end and n + LANES <= waiting.shape[0]:
        mask = mask16(blocks, base + block * BLOCK, a, b, c, near) & _edge(block, lo, hi)
        while mask != 0:
            at = ids_at + block * LANES + lowest(uint32(mask))
            prefetch(ids, at)
            waiting[n, 0] = k
            waiting[n, 1] = at
            waiting[n, 2] = chunk
            n += 1
            mask &= mask - uint32(1)
        block = _first_near(blocks, base, block + 1, end, a, b, c, near)
    return block, n


@njit(cache=True, nogil=True)
def _ask_ahead(blocks, base, lo, hi):  # type: ignore[no-untyped-def]
    at = base + (lo >> 4) * BLOCK
    end = min(base + (((hi - 1) >> 4) + 1) * BLOCK, at + _LINES * LANES)
    while at < end:
        prefetch(blocks, at)
        at += LANES


@njit(cache=True, nogil=True)
def probe(codes, queries, starts, ids, blocks, words, masks, sizes, nears, radii, limit, most, dead, hits, used):  # type: ignore[no-untyped-def]
    """Look up queries one after the other.

    Args:
        codes: (N, 4) uint64 permuted; queries: (M, 4) uint64 permuted.
        starts, ids, blocks: (16 * 65537,), (16 * N,), (16 * K * 48,) uint32, the partitions end to end; words: (16, 3).
        masks: (65536,) uint16 by number of bits; sizes: (17,) how many have at most so many bits.
        nears: (16, 17) for each chunk and number of bits that differ in it: how many of the 96 bits may differ.
        radii: (16,) radius of each chunk, -1 for one that is left out.
        most: no more hits than this for one query.
        dead: bits of withdrawn rows, or empty.
        hits: (K, 3) uint32 (query, row, distance); used: (M,) hits of each query.

    Returns:
        How many hits there are; more than K means that the caller must come again with room.
    """
    flat = codes.reshape(-1)
    waiting = np.empty((_WAITING, 3), np.int64)
    rows = np.int64(codes.shape[0])
    stride = np.int64(blocks.shape[0] // CHUNKS)
    count = 0
    for c in range(CHUNKS):
        if radii[c] >= 0:
            count += sizes[radii[c]]
    los = np.empty(count, np.int64)
    his = np.empty(count, np.int64)
    whose = np.empty(count, np.int64)
    allowed = np.empty(count, np.uint32)
    part = np.empty((CHUNKS, 3), np.uint32)
    found = 0
    for k in range(queries.shape[0]):
        n = 0
        for c in range(CHUNKS):
            if radii[c] < 0:
                continue
            for w in range(3):
                word = words[c, w]
                part[c, w] = uint32(queries[k, word >> 1] >> uint64((word & 1) * 32))
            key = (queries[k, c >> 2] >> uint64((c & 3) * 16)) & uint64(0xFFFF)
            for t in range(sizes[radii[c]]):
                may = nears[c, np.int64(popcount(uint64(masks[t])))]
                if may < 0:
                    break  # an earlier chunk has them all
                at = c * (BUCKETS + 1) + np.int64(key ^ uint64(masks[t]))
                if starts[at] != starts[at + 1]:
                    allowed[n] = may
                    los[n] = starts[at]
                    his[n] = starts[at + 1]
                    whose[n] = c
                    n += 1
        for t in range(min(_AHEAD, n)):
            _ask_ahead(blocks, whose[t] * stride, los[t], his[t])
        wait = 0
        used[k] = 0
        for t in range(n):
            ahead = t + _AHEAD
            if ahead < n:
                _ask_ahead(blocks, whose[ahead] * stride, los[ahead], his[ahead])
            c = whose[t]
            near = allowed[t]
            lo = los[t]
            hi = his[t]
            end = ((hi - 1) >> 4) + 1
            block = _first_near(blocks, c * stride, lo >> 4, end, part[c, 0], part[c, 1], part[c, 2], near)
            while block < end:
                block, wait = _collect(
                    blocks, c * stride, block, lo, hi, part[c, 0], part[c, 1], part[c, 2], near, k, ids, c * rows, c,
                    waiting, wait,
                )  # fmt: skip
                if block < end:
                    found = _settle(
                        codes, flat, queries, ids, waiting, wait, limit, radii, most, dead, hits, found, used
                    )
                    wait = 0
                    if used[k] >= most:
                        break
            if used[k] >= most:
                break
        found = _settle(codes, flat, queries, ids, waiting, wait, limit, radii, most, dead, hits, found, used)
    return found


@njit(cache=True, nogil=True)
def join(  # type: ignore[no-untyped-def]
    codes, queries, starts, ids, blocks, q_starts, q_ids, q_words, probes, nears, limit, chunk, radii, most, dead, hits,
    found, used,
):  # fmt: skip
    """One partition against all queries, bucket by bucket; the hits of earlier partitions stand in `hits` already.

    Args:
        starts, ids, blocks: the partition.
        q_starts, q_ids: the queries in the order of this chunk; q_words: (M, 3) uint32 in that order.
        probes: (P,) uint16, the differences within this chunk's radius; nears: (P,) the bits that may differ elsewhere.
        used: (M,) hits of each query so far; a query that has `most` is passed over.
    """
    flat = codes.reshape(-1)
    waiting = np.empty((_WAITING, 3), np.int64)
    wait = 0
    for bucket in range(BUCKETS):
        lo = np.int64(starts[bucket])
        hi = np.int64(starts[bucket + 1])
        if lo == hi:
            continue
        first = lo >> 4
        end = ((hi - 1) >> 4) + 1
        for t in range(probes.shape[0]):
            other = bucket ^ np.int64(probes[t])
            near = nears[t]
            for u in range(np.int64(q_starts[other]), np.int64(q_starts[other + 1])):
                a = q_words[u, 0]
                b = q_words[u, 1]
                c = q_words[u, 2]
                block = _first_near(blocks, 0, first, end, a, b, c, near)
                if block < end:
                    k = np.int64(q_ids[u])
                    while block < end and used[k] < most:
                        block, wait = _collect(blocks, 0, block, lo, hi, a, b, c, near, k, ids, 0, chunk, waiting, wait)
                        if block < end or wait + LANES > _WAITING:
                            found = _settle(
                                codes, flat, queries, ids, waiting, wait, limit, radii, most, dead, hits, found, used
                            )
                            wait = 0
    return _settle(codes, flat, queries, ids, waiting, wait, limit, radii, most, dead, hits, found, used)


@njit(cache=True, nogil=True)
def scan_rows(codes, queries, limit, most, dead, hits, used):  # type: ignore[no-untyped-def]
    """Every code against every query, in blocks that stay in the cache; for thresholds too wide for partitions."""
    n = codes.shape[0]
    found = 0
    for lo in range(0, n, 2048):
        hi = min(lo + 2048, n)
        for k in range(queries.shape[0]):
            if used[k] >= most:
                continue
            q0, q1, q2, q3 = queries[k, 0], queries[k, 1], queries[k, 2], queries[k, 3]
            for i in range(lo, hi):
                d = popcount(codes[i, 0] ^ q0) + popcount(codes[i, 1] ^ q1)
                d += popcount(codes[i, 2] ^ q2) + popcount(codes[i, 3] ^ q3)
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
