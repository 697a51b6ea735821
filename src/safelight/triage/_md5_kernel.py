"""The compiled half of `safelight.triage.md5lanes`: 16 MD5 streams side by side (RFC 1321).

MD5 is one long chain of dependent additions, so a processor that works on one file mostly waits. Sixteen files have
sixteen chains; written as a loop over lanes, LLVM turns them into vector instructions. The steps stand here one by one,
as in the RFC's own program, because the vectoriser needs them without an inner loop.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LANES = 16
#: With fewer streams than this, one after the other is faster than side by side.
FEW = 4


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(sum_, b, s):  # type: ignore[no-untyped-def]
    t = np.uint32(sum_)
    return np.uint32(b + np.uint32((t << np.uint32(s)) | (t >> np.uint32(32 - s))))


@njit(cache=True, nogil=True, error_model="numpy")
def _f(a, b, c, d, x, s, k):  # type: ignore[no-untyped-def]
    return _turn(np.uint32(a + (((c ^ d) & b) ^ d)) + np.uint32(np.uint32(k) + x), b, s)


@njit(cache=True, nogil=True, error_model="numpy")
def _g(a, b, c, d, x, s, k):  # type: ignore[no-untyped-def]
    return _turn(np.uint32(a + (((b ^ c) & d) ^ c)) + np.uint32(np.uint32(k) + x), b, s)


@njit(cache=True, nogil=True, error_model="numpy")
def _h(a, b, c, d, x, s, k):  # type: ignore[no-untyped-def]
    return _turn(np.uint32(a + (b ^ c ^ d)) + np.uint32(np.uint32(k) + x), b, s)


@njit(cache=True, nogil=True, error_model="numpy")
def _i(a, b, c, d, x, s, k):  # type: ignore[no-untyped-def]
    return _turn(np.uint32(a + (c ^ (b | np.uint32(~d)))) + np.uint32(np.uint32(k) + x), b, s)


@njit(cache=True, nogil=True, error_model="numpy")
def _blocks(state, w, lanes):  # type: ignore[no-untyped-def]
    """One 64-byte block of each lane: state (4, lanes), words (16, lanes)."""
    for n in range(lanes):
        a = state[0, n]
        b = state[1, n]
        c = state[2, n]
        d = state[3, n]
        a = _f(a, b, c, d, w[0, n], 7, 0xD76AA478)
        d = _f(d, a, b, c, w[1, n], 12, 0xE8C7B756)
        c = _f(c, d, a, b, w[2, n], 17, 0x242070DB)
        b = _f(b, c, d, a, w[3, n], 22, 0xC1BDCEEE)
        a = _f(a, b, c, d, w[4, n], 7, 0xF57C0FAF)
        d = _f(d, a, b, c, w[5, n], 12, 0x4787C62A)
        c = _f(c, d, a, b, w[6, n], 17, 0xA8304613)
        b = _f(b, c, d, a, w[7, n], 22, 0xFD469501)
        a = _f(a, b, c, d, w[8, n], 7, 0x698098D8)
        d = _f(d, a, b, c, w[9, n], 12, 0x8B44F7AF)
        c = _f(c, d, a, b, w[10, n], 17, 0xFFFF5BB1)
        b = _f(b, c, d, a, w[11, n], 22, 0x895CD7BE)
        a = _f(a, b, c, d, w[12, n], 7, 0x6B901122)
        d = _f(d, a, b, c, w[13, n], 12, 0xFD987193)
        c = _f(c, d, a, b, w[14, n], 17, 0xA679438E)
        b = _f(b, c, d, a, w[15, n], 22, 0x49B40821)
        a = _g(a, b, c, d, w[1, n], 5, 0xF61E2562)
        d = _g(d, a, b, c, w[6, n], 9, 0xC040B340)
        c = _g(c, d, a, b, w[11, n], 14, 0x265E5A51)
        b = _g(b, c, d, a, w[0, n], 20, 0xE9B6C7AA)
        a = _g(a, b, c, d, w[5, n], 5, 0xD62F105D)
        d = _g(d, a, b, c, w[10, n], 9, 0x02441453)
        c = _g(c, d, a, b, w[15, n], 14, 0xD8A1E681)
        b = _g(b, c, d, a, w[4, n], 20, 0xE7D3FBC8)
        a = _g(a, b, c, d, w[9, n], 5, 0x21E1CDE6)
        d = _g(d, a, b, c, w[14, n], 9, 0xC33707D6)
        c = _g(c, d, a, b, w[3, n], 14, 0xF4D50D87)
        b = _g(b, c, d, a, w[8, n], 20, 0x455A14ED)
        a = _g(a, b, c, d, w[13, n], 5, 0xA9E3E905)
        d = _g(d, a, b, c, w[2, n], 9, 0xFCEFA3F8)
        c = _g(c, d, a, b, w[7, n], 14, 0x676F02D9)
        b = _g(b, c, d, a, w[12, n], 20, 0x8D2A4C8A)
        a = _h(a, b, c, d, w[5, n], 4, 0xFFFA3942)
        d = _h(d, a, b, c, w[8, n], 11, 0x8771F681)
        c = _h(c, d, a, b, w[11, n], 16, 0x6D9D6122)
        b = _h(b, c, d, a, w[14, n], 23, 0xFDE5380C)
        a = _h(a, b, c, d, w[1, n], 4, 0xA4BEEA44)
        d = _h(d, a, b, c, w[4, n], 11, 0x4BDECFA9)
        c = _h(c, d, a, b, w[7, n], 16, 0xF6BB4B60)
        b = _h(b, c, d, a, w[10, n], 23, 0xBEBFBC70)
        a = _h(a, b, c, d, w[13, n], 4, 0x289B7EC6)
        d = _h(d, a, b, c, w[0, n], 11, 0xEAA127FA)
        c = _h(c, d, a, b, w[3, n], 16, 0xD4EF3085)
        b = _h(b, c, d, a, w[6, n], 23, 0x04881D05)
        a = _h(a, b, c, d, w[9, n], 4, 0xD9D4D039)
        d = _h(d, a, b, c, w[12, n], 11, 0xE6DB99E5)
        c = _h(c, d, a, b, w[15, n], 16, 0x1FA27CF8)
        b = _h(b, c, d, a, w[2, n], 23, 0xC4AC5665)
        a = _i(a, b, c, d, w[0, n], 6, 0xF4292244)
        d = _i(d, a, b, c, w[7, n], 10, 0x432AFF97)
        c = _i(c, d, a, b, w[14, n], 15, 0xAB9423A7)
        b = _i(b, c, d, a, w[5, n], 21, 0xFC93A039)
        a = _i(a, b, c, d, w[12, n], 6, 0x655B59C3)
        d = _i(d, a, b, c, w[3, n], 10, 0x8F0CCC92)
        c = _i(c, d, a, b, w[10, n], 15, 0xFFEFF47D)
        b = _i(b, c, d, a, w[1, n], 21, 0x85845DD1)
        a = _i(a, b, c, d, w[8, n], 6, 0x6FA87E4F)
        d = _i(d, a, b, c, w[15, n], 10, 0xFE2CE6E0)
        c = _i(c, d, a, b, w[6, n], 15, 0xA3014314)
        b = _i(b, c, d, a, w[13, n], 21, 0x4E0811A1)
        a = _i(a, b, c, d, w[4, n], 6, 0xF7537E82)
        d = _i(d, a, b, c, w[11, n], 10, 0xBD3AF235)
        c = _i(c, d, a, b, w[2, n], 15, 0x2AD7D2BB)
        b = _i(b, c, d, a, w[9, n], 21, 0xEB86D391)
        state[0, n] = np.uint32(state[0, n] + a)
        state[1, n] = np.uint32(state[1, n] + b)
        state[2, n] = np.uint32(state[2, n] + c)
        state[3, n] = np.uint32(state[3, n] + d)


@njit(cache=True, nogil=True, error_model="numpy")
def _sixteen(state, w):  # type: ignore[no-untyped-def]
    _blocks(state, w, LANES)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(words, starts, blocks, states):  # type: ignore[no-untyped-def]
    """Take each stream `blocks[i]` 64-byte blocks further from word `starts[i]`; its state is `states[i]` (4 words).

    Give the longest streams first: then the lanes end at nearly the same time.
    """
    count = starts.shape[0]
    w = np.zeros((16, LANES), np.uint32)
    state = np.zeros((4, LANES), np.uint32)
    stream = np.full(LANES, -1, np.int64)
    at = np.zeros(LANES, np.int64)
    left = np.zeros(LANES, np.int64)
    following = 0
    while True:
        active = 0
        steps = np.int64(1) << 62
        for n in range(LANES):
            if stream[n] >= 0 and left[n] == 0:
                for j in range(4):
                    states[stream[n], j] = state[j, n]
                stream[n] = -1
            while stream[n] < 0 and following < count:
                if blocks[following] > 0:
                    stream[n] = following
                    at[n] = starts[following]
                    left[n] = blocks[following]
                    for j in range(4):
                        state[j, n] = states[following, j]
                following += 1
            if stream[n] >= 0:
                active += 1
                steps = min(steps, left[n])
            else:
                at[n] = 0
        if active < FEW:
            break
        for _ in range(steps):
            for n in range(LANES):
                p = at[n]
                for j in range(16):
                    w[j, n] = words[p + j]
                # A lane without a stream reads the first block again and again; no one looks at its state.
                at[n] = p + 16 if stream[n] >= 0 else 0
            _sixteen(state, w)
        for n in range(LANES):
            if stream[n] >= 0:
                left[n] -= steps
    one = np.zeros((16, 1), np.uint32)
    own = np.zeros((4, 1), np.uint32)
    for n in range(LANES):
        if stream[n] < 0:
            continue
        for j in range(4):
            own[j, 0] = state[j, n]
        for step in range(left[n]):
            for j in range(16):
                one[j, 0] = words[at[n] + step * 16 + j]
            _blocks(own, one, 1)
        for j in range(4):
            states[stream[n], j] = own[j, 0]


@njit(cache=True, nogil=True, error_model="numpy")
def tails(octets, ends, sizes, out, blocks):  # type: ignore[no-untyped-def]
    """The last, padded blocks of each stream: what is left of it before `ends[i]`, a one bit, zeros, its length.

    `out` is (streams, 128), zeroed; `blocks[i]` becomes 1 or 2.
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
