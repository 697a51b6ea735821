"""XXH3-64 of many 4 KiB blocks at once, compiled, and a filter that tells at once which cannot be in a set.

The hash is that of the xxHash specification (XXH3, 64 bits, no seed, default secret) for inputs of exactly 4,096 bytes;
the tests hold it against the xxhash library. The filter is a Bloom filter whose bits for one key lie in one word.

Source: "xxHash fast digest algorithm", doc/xxhash_spec.md of xxHash 0.8 (Yann Collet, BSD 2-Clause).
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK_WORDS = 512
_SECRET = np.frombuffer(
    bytes.fromhex(
        "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
        "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
        "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
        "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
    ),
    np.uint8,
)


def _words(start: int, count: int) -> np.ndarray:
    return np.frombuffer(_SECRET[start : start + 8 * count].tobytes(), "<u8").astype(np.uint64)


#: The secret as the words of 16 stripes meet it: each stripe begins one word further.
KEYS = np.concatenate([_words(8 * stripe, 8) for stripe in range(16)])
SCRAMBLE = _words(128, 8)
LAST = _words(121, 8)
MERGE = _words(11, 8)
START = np.array(
    [0xC2B2AE3D, 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x85EBCA77,
     0x27D4EB2F165667C5, 0x9E3779B1],
    np.uint64,
)  # fmt: skip
_LOW = np.uint64(0xFFFFFFFF)
_S32, _S47, _S37 = np.uint64(32), np.uint64(47), np.uint64(37)
_PRIME32 = np.uint64(0x9E3779B1)
_PRIME64 = np.uint64(0x9E3779B185EBCA87)
_AVALANCHE = np.uint64(0x165667919E3779F9)


@njit(inline="always")
def _fold(a, b):  # type: ignore[no-untyped-def]
    """The two halves of a 128-bit product, one over the other."""
    al, ah, bl, bh = a & _LOW, a >> _S32, b & _LOW, b >> _S32
    ll, hl, lh, hh = al * bl, ah * bl, al * bh, ah * bh
    cross = (ll >> _S32) + (hl & _LOW) + lh
    high = (hl >> _S32) + (cross >> _S32) + hh
    low = (cross << _S32) | (ll & _LOW)
    return low ^ high


@njit(cache=True, nogil=True, error_model="numpy")
def _mixed(words, keys, out):  # type: ignore[no-untyped-def]
    """What each pair of words adds to its two accumulators; even loops, so that the compiler makes vectors of them."""
    for q in range(out.shape[0] // 2):
        a, b = words[2 * q], words[2 * q + 1]
        k, m = a ^ keys[2 * q], b ^ keys[2 * q + 1]
        out[2 * q] = (k & _LOW) * (k >> _S32) + b
        out[2 * q + 1] = (m & _LOW) * (m >> _S32) + a


@njit(cache=True, nogil=True, error_model="numpy")
def _halved(values, half):  # type: ignore[no-untyped-def]
    for j in range(half):
        values[j] += values[j + half]


@njit(cache=True, nogil=True, error_model="numpy")
def hashes(words, starts, out, start, keys, scramble, last, merge):  # type: ignore[no-untyped-def]
    """XXH3-64 of the blocks that begin at word `starts[n]`, into `out[n]`."""
    acc = np.empty(8, np.uint64)
    mixed = np.empty(128, np.uint64)
    for n in range(starts.shape[0]):
        at = starts[n]
        for i in range(8):
            acc[i] = start[i]
        for part in range(4):
            mixed[120:] = 0
            count = 128 if part < 3 else 120
            _mixed(words[at + part * 128 : at + part * 128 + count], keys, mixed[:count])
            half = 64
            while half >= 8:
                _halved(mixed, half)
                half >>= 1
            for i in range(8):
                v = acc[i] + mixed[i]
                acc[i] = (v ^ (v >> _S47) ^ scramble[i]) * _PRIME32 if part < 3 else v
        _mixed(words[at + 504 : at + 512], last, mixed[:8])
        for i in range(8):
            acc[i] += mixed[i]
        result = np.uint64(4096) * _PRIME64
        for i in range(4):
            result += _fold(acc[2 * i] ^ merge[2 * i], acc[2 * i + 1] ^ merge[2 * i + 1])
        result = (result ^ (result >> _S37)) * _AVALANCHE
        out[n] = result ^ (result >> _S32)


@njit(cache=True, nogil=True, error_model="numpy")
def fill(filter_, keys):  # type: ignore[no-untyped-def]
    """Put keys into the filter, whose length is a power of two."""
    mask = np.uint64(filter_.shape[0] - 1)
    one = np.uint64(1)
    for n in range(keys.shape[0]):
        k = keys[n]
        bits = (one << (k & np.uint64(63))) | (one << ((k >> np.uint64(6)) & np.uint64(63)))
        bits |= one << ((k >> np.uint64(12)) & np.uint64(63))
        filter_[np.int64((k >> np.uint64(20)) & mask)] |= bits


@njit(cache=True, nogil=True, error_model="numpy")
def sift(filter_, keys, without, out):  # type: ignore[no-untyped-def]
    """Positions of the keys that may be in the filter (`without` never is), into `out`; how many."""
    mask = np.uint64(filter_.shape[0] - 1)
    one = np.uint64(1)
    found = 0
    for n in range(keys.shape[0]):
        k = keys[n]
        bits = (one << (k & np.uint64(63))) | (one << ((k >> np.uint64(6)) & np.uint64(63)))
        bits |= one << ((k >> np.uint64(12)) & np.uint64(63))
        out[found] = n
        if filter_[np.int64((k >> np.uint64(20)) & mask)] & bits == bits and k != without:
            found += 1
    return found
