"""The compiled part of the watch for probing: one query after the other against the last of its key."""

from __future__ import annotations

from numba import njit, uint32, uint64

from safelight.matching._vector import popcount


@njit(cache=True, nogil=True)
def observe(codes, hits, moment, keep, link, ring, times, labels, hit_flags, state, found):  # type: ignore[no-untyped-def]
    """Take each query into its key's ring and count what it is part of.

    Args:
        codes: (M, 4) uint64; hits: (M,) uint8, whether each matched.
        moment: seconds; what is older than `keep` seconds no longer counts.
        link: codes within so many bits belong to one cluster.
        ring: (W, 4) uint64, times: (W,) int64, labels: (W,) uint32, hit_flags: (W,) uint8: the last distinct queries.
        state: (2,) int64: how many were ever put in, and the next free label.
        found: (3,) int64, set to the largest seen over the batch: cluster size; odd codes in a cluster; distinct
            queries that matched where at least half the ring is filled.
    """
    width = ring.shape[0]
    for m in range(codes.shape[0]):
        a, b, c, d = codes[m, 0], codes[m, 1], codes[m, 2], codes[m, 3]
        filled = min(state[0], width)
        best, label, repeated = uint64(link + 1), uint32(0), False
        for i in range(filled):
            if moment - times[i] > keep:
                continue
            apart = (
                popcount(ring[i, 0] ^ a)
                + popcount(ring[i, 1] ^ b)
                + popcount(ring[i, 2] ^ c)
                + popcount(ring[i, 3] ^ d)
            )
            if apart == 0:
                repeated = True
                break
            if apart <= link:
                if best > link:
                    label = labels[i]
                elif labels[i] != label:
                    # It stands between two clusters: they are one.
                    other = labels[i]
                    for j in range(filled):
                        if labels[j] == other:
                            labels[j] = label
                best = min(best, apart)
        if repeated:
            continue
        if best > link:
            state[1] += 1
            label = uint32(state[1] & 0xFFFFFFFF)
        at = state[0] % width
        ring[at, 0], ring[at, 1], ring[at, 2], ring[at, 3] = a, b, c, d
        times[at], labels[at], hit_flags[at] = moment, label, hits[m]
        state[0] += 1
        filled = min(state[0], width)
        cluster, odd, matched, live = 0, 0, 0, 0
        for i in range(filled):
            if moment - times[i] > keep:
                continue
            live += 1
            matched += hit_flags[i]
            if labels[i] == label:
                cluster += 1
                ones = popcount(ring[i, 0]) + popcount(ring[i, 1]) + popcount(ring[i, 2]) + popcount(ring[i, 3])
                if ones != 128:
                    odd += 1
        found[0] = max(found[0], cluster)
        if cluster >= 2:
            found[1] = max(found[1], odd)
        if 2 * live >= width:
            found[2] = max(found[2], matched)
