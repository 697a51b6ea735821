"""The compiled half of `safelight.triage.lanes`: sixteen streams side by side, or one, through one to three digests.

A digest is one long chain of dependent steps, so a processor that works on one file mostly waits. Sixteen files have
sixteen chains, which vector instructions take side by side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from safelight.triage._digest_rounds import LANES, emit

#: With fewer streams than this, one after the other is faster than side by side.
FEW = 3
#: What is computed: MD5; it and SHA-1; and SHA-256 too. And the words of a state then.
MD5, BOTH, ALL = 0, 1, 2
STATE_WORDS = (4, 9, 17)


def _intrinsic(lanes: int, names: tuple[str, ...], last: bool = False) -> Any:
    def run(typing, pointers, steps, state):  # type: ignore[no-untyped-def]
        def code(context, builder, signature, args):  # type: ignore[no-untyped-def]
            arrays = [
                context.make_array(kind)(context, builder, value=value).data
                for kind, value in ((signature.args[0], args[0]), (signature.args[2], args[2]))
            ]
            emit(builder, lanes, names, arrays[0], args[1], arrays[1], last=last)
            return context.get_dummy_value()

        return types.void(pointers, steps, state), code

    return intrinsic(run)


_md5_16, _md5_1 = _intrinsic(LANES, ("md5",)), _intrinsic(1, ("md5",))
_both_16, _both_1 = _intrinsic(LANES, ("md5", "sha1")), _intrinsic(1, ("md5", "sha1"))
_all_16, _all_1 = _intrinsic(LANES, ("md5", "sha1", "sha256")), _intrinsic(1, ("md5", "sha1", "sha256"))
_md5_end = _intrinsic(LANES, ("md5",), last=True)
_both_end = _intrinsic(LANES, ("md5", "sha1"), last=True)
_all_end = _intrinsic(LANES, ("md5", "sha1", "sha256"), last=True)


@njit(cache=True, nogil=True, error_model="numpy")
def _wide(which, pointers, steps, state):  # type: ignore[no-untyped-def]
    if which == MD5:
        _md5_16(pointers, steps, state)
    elif which == BOTH:
        _both_16(pointers, steps, state)
    else:
        _all_16(pointers, steps, state)


@njit(cache=True, nogil=True, error_model="numpy")
def _single(which, pointers, steps, state):  # type: ignore[no-untyped-def]
    if which == MD5:
        _md5_1(pointers, steps, state)
    elif which == BOTH:
        _both_1(pointers, steps, state)
    else:
        _all_1(pointers, steps, state)


@njit(cache=True, nogil=True, error_model="numpy")
def _last(which, pointers, state):  # type: ignore[no-untyped-def]
    if which == MD5:
        _md5_end(pointers, 1, state)
    elif which == BOTH:
        _both_end(pointers, 1, state)
    else:
        _all_end(pointers, 1, state)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(which, base, order, first, starts, blocks, states):  # type: ignore[no-untyped-def]
    """Take streams further, each over its pieces, in which only whole 64-byte blocks count.

    The pieces of stream `i` are `first[i]` to `first[i + 1]`: `blocks[p]` blocks from address `base + starts[p]`. Its
    state is `states[i]` (`STATE_WORDS[which]` words). `order` names the streams, the longest first: then the lanes end
    at nearly the same time. No bounds are checked here.
    """
    words = states.shape[1]
    state = np.zeros((words, LANES), np.uint32)
    stream = np.full(LANES, -1, np.int64)
    piece = np.zeros(LANES, np.int64)
    # A lane without a stream reads what another reads; no one looks at its state.
    pointers = np.zeros(LANES, np.int64)
    left = np.zeros(LANES, np.int64)
    following = 0
    while True:
        active = 0
        steps = np.int64(1) << 62
        some = np.int64(0)
        for n in range(LANES):
            while left[n] == 0:
                if stream[n] >= 0 and piece[n] < first[stream[n] + 1]:
                    pointers[n] = base + starts[piece[n]]
                    left[n] = blocks[piece[n]]
                    piece[n] += 1
                    continue
                if stream[n] >= 0:
                    for j in range(words):
                        states[stream[n], j] = state[j, n]
                    stream[n] = -1
                if following == order.shape[0]:
                    break
                stream[n] = order[following]
                following += 1
                piece[n] = first[stream[n]]
                for j in range(words):
                    state[j, n] = states[stream[n], j]
            if stream[n] >= 0:
                active += 1
                steps = min(steps, left[n])
                some = pointers[n]
        if active < FEW:
            break
        for n in range(LANES):
            if stream[n] < 0:
                pointers[n] = some
        _wide(which, pointers, steps, state)
        for n in range(LANES):
            if stream[n] >= 0:
                left[n] -= steps
                pointers[n] += steps * 64
    own = np.zeros((words, 1), np.uint32)
    place = np.zeros(1, np.int64)
    for n in range(LANES):
        if stream[n] < 0:
            continue
        for j in range(words):
            own[j, 0] = state[j, n]
        place[0] = pointers[n]
        _single(which, place, left[n], own)
        for p in range(piece[n], first[stream[n] + 1]):
            if blocks[p]:
                place[0] = base + starts[p]
                _single(which, place, blocks[p], own)
        for j in range(words):
            states[stream[n], j] = own[j, 0]


@njit(cache=True, nogil=True, error_model="numpy")
def conclude(which, base, starts, states):  # type: ignore[no-untyped-def]
    """The last, padded block of each stream, which lies at address `base + starts[i]`."""
    count = starts.shape[0]
    words = states.shape[1]
    state = np.zeros((words, LANES), np.uint32)
    pointers = np.zeros(LANES, np.int64)
    for at in range(0, count, LANES):
        some = min(LANES, count - at)
        for n in range(LANES):
            row = at + min(n, some - 1)
            pointers[n] = base + starts[row]
            for j in range(words):
                state[j, n] = states[row, j]
        _last(which, pointers, state)
        for n in range(some):
            for j in range(words):
                states[at + n, j] = state[j, n]


@njit(cache=True, nogil=True, error_model="numpy")
def tails(octets, ends, sizes, out, blocks):  # type: ignore[no-untyped-def]
    """The last, padded blocks of each stream: what is left of it before `ends[i]`, a one bit, zeros, its length.

    `out` is (streams, 128), zeroed; `blocks[i]` becomes 1 or 2. The length is MD5's, the lowest byte first.
    """
    for i in range(ends.shape[0]):
        rest = sizes[i] & 63
        for j in range(rest):
            out[i, j] = octets[ends[i] - rest + j]
        out[i, rest] = 0x80
        blocks[i] = 1 if rest < 56 else 2
        bits = np.uint64(sizes[i]) * np.uint64(8)
        for j in range(8):
            out[i, blocks[i] * 64 - 8 + j] = np.uint8((bits >> np.uint64(8 * j)) & np.uint64(255))
