"""MD5, SHA-1 and SHA-256 of one 64-byte block, written out as LLVM instructions for `safelight.triage._lanes_kernel`.

The same steps serve one stream (32-bit words) and sixteen side by side (vectors of sixteen words): the instructions are
those of no one processor, and LLVM turns them into what the machine has. The steps of the three digests are written
down by turns, so that a processor that waits for the chain of one works on the other.

Sources: RFC 1321 (MD5), FIPS 180-4 (SHA-1, SHA-256).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]

LANES = 16
#: Words of the state of each digest, in this order.
WORDS = {"md5": 4, "sha1": 5, "sha256": 8}
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
_MASK = 0xFFFFFFFF


def _primes(count: int) -> list[int]:
    found: list[int] = []
    n = 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def _cube_root(p: int) -> int:
    """The first 32 bits behind the point of the cube root of `p`, exactly."""
    wide = p << 96
    low, high = 0, 1 << 40
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= wide else (low, middle - 1)
    return low & _MASK


_MD5_K = [int(abs(math.sin(i + 1)) * 2**32) & _MASK for i in range(64)]
_MD5_S = [(7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21)]
_MD5_W = [(1, 0), (5, 1), (3, 5), (7, 0)]
_SHA1_K = [0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6]
_SHA256_K = [_cube_root(p) for p in _primes(64)]


class _Words:
    """Arithmetic on words of one kind: 32 bits, or a vector of them."""

    def __init__(self, builder: Any, lanes: int) -> None:
        self.b = builder
        self.lanes = lanes
        self.type = _I32 if lanes == 1 else ir.VectorType(_I32, lanes)
        self._suffix = "i32" if lanes == 1 else f"v{lanes}i32"

    def constant(self, value: int) -> Any:
        return ir.Constant(self.type, value if self.lanes == 1 else [value] * self.lanes)

    def add(self, *values: Any) -> Any:
        total = values[0]
        for value in values[1:]:
            total = self.b.add(total, value)
        return total

    def xor(self, *values: Any) -> Any:
        total = values[0]
        for value in values[1:]:
            total = self.b.xor(total, value)
        return total

    def choose(self, which: Any, one: Any, other: Any) -> Any:
        """Bit by bit `one` where `which` is set, else `other`."""
        return self.b.xor(other, self.b.and_(which, self.b.xor(one, other)))

    def most(self, x: Any, y: Any, z: Any) -> Any:
        """Bit by bit what at least two of three say."""
        return self.b.or_(self.b.and_(x, y), self.b.and_(z, self.b.or_(x, y)))

    def left(self, value: Any, bits: int) -> Any:
        """Turned left."""
        kind = ir.FunctionType(self.type, [self.type] * 3)
        return self.b.call(self._function(kind, "fshl"), [value, value, self.constant(bits)])

    def swapped(self, value: Any) -> Any:
        """Bytes in the other order."""
        kind = ir.FunctionType(self.type, [self.type])
        return self.b.call(self._function(kind, "bswap"), [value])

    def _function(self, kind: Any, name: str) -> Any:
        full = f"llvm.{name}.{self._suffix}"
        return self.b.module.globals.get(full) or ir.Function(self.b.module, kind, full)


def _md5(k: _Words, w: Sequence[Any], state: list[Any]) -> Iterator[None]:
    a, b, c, d = state
    for i in range(64):
        kind = i // 16
        if kind == 0:
            f = k.choose(b, c, d)
        elif kind == 1:
            f = k.choose(d, b, c)
        elif kind == 2:
            f = k.xor(b, c, d)
        else:
            f = k.xor(c, k.b.or_(b, k.b.not_(d)))
        step, start = _MD5_W[kind]
        # What does not wait for the step before is added first.
        early = k.add(a, k.add(w[(step * i + start) % 16], k.constant(_MD5_K[i])))
        a, d, c, b = d, c, b, k.add(b, k.left(k.add(early, f), _MD5_S[kind][i % 4]))
        yield
    state[:] = [k.add(old, new) for old, new in zip(state, (a, b, c, d), strict=True)]


def _sha1(k: _Words, words: Sequence[Any], state: list[Any]) -> Iterator[None]:
    a, b, c, d, e = state
    w = list(words)
    for i in range(80):
        if i >= 16:
            w[i % 16] = k.left(k.xor(w[(i - 3) % 16], w[(i - 8) % 16], w[(i - 14) % 16], w[i % 16]), 1)
        kind = i // 20
        f = _sha1_f(k, kind, b, c, d)
        early = k.add(e, k.add(w[i % 16], k.constant(_SHA1_K[kind])))
        a, b, c, d, e = k.add(k.add(early, f), k.left(a, 5)), a, k.left(b, 30), c, d
        yield
    state[:] = [k.add(old, new) for old, new in zip(state, (a, b, c, d, e), strict=True)]


def _sha1_f(k: _Words, kind: int, b: Any, c: Any, d: Any) -> Any:
    if kind == 0:
        return k.choose(b, c, d)
    return k.most(b, c, d) if kind == 2 else k.xor(b, c, d)


def _sha256(k: _Words, words: Sequence[Any], state: list[Any]) -> Iterator[None]:
    a, b, c, d, e, f, g, h = state
    w = list(words)
    for i in range(64):
        if i >= 16:
            x, y = w[(i - 15) % 16], w[(i - 2) % 16]
            s0 = k.xor(k.left(x, 25), k.left(x, 14), k.b.lshr(x, k.constant(3)))
            s1 = k.xor(k.left(y, 15), k.left(y, 13), k.b.lshr(y, k.constant(10)))
            w[i % 16] = k.add(k.add(w[i % 16], w[(i - 7) % 16]), k.add(s0, s1))
        early = k.add(h, k.add(w[i % 16], k.constant(_SHA256_K[i])))
        t1 = k.add(early, k.choose(e, f, g), k.xor(k.left(e, 26), k.left(e, 21), k.left(e, 7)))
        t2 = k.add(k.most(a, b, c), k.xor(k.left(a, 30), k.left(a, 19), k.left(a, 10)))
        a, b, c, d, e, f, g, h = k.add(t1, t2), a, b, c, k.add(d, t1), e, f, g
        yield
    state[:] = [k.add(old, new) for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


_STEPS = {"md5": (_md5, 64), "sha1": (_sha1, 80), "sha256": (_sha256, 64)}


def _by_turns(jobs: Sequence[tuple[Iterator[None], int]]) -> None:
    """Write the steps of several digests down by turns, so that all end at about the same place."""
    done = [0] * len(jobs)
    while True:
        left = [n for n, (_, steps) in enumerate(jobs) if done[n] <= steps]
        if not left:
            return
        n = min(left, key=lambda n: done[n] / jobs[n][1])
        next(jobs[n][0], None)
        done[n] += 1


def _block(builder: Any, lanes: int, names: Sequence[str], raw: Sequence[Any], state: list[Any], *, last: bool) -> None:
    """One block: `raw` are its sixteen words as they lie in memory, `state` all words of all states.

    `last`: the two words of the length are MD5's (little-endian); the others want them the other way round.
    """
    k = _Words(builder, lanes)
    swapped: list[Any] = []
    if set(names) - {"md5"}:
        swapped = [k.swapped(word) for word in raw]
        if last:
            swapped[14], swapped[15] = raw[15], raw[14]
    jobs, states, at = [], [], 0
    for name in names:
        own = state[at : at + WORDS[name]]
        states.append(own)
        at += WORDS[name]
        steps, count = _STEPS[name]
        jobs.append((steps(k, raw if name == "md5" else swapped, own), count))
    _by_turns(jobs)
    state[:] = [word for own in states for word in own]


def _pick(builder: Any, a: Any, b: Any, mask: Sequence[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, len(mask)), list(mask)))


def _turned(builder: Any, rows: Sequence[Any]) -> list[Any]:
    """Sixteen blocks of sixteen words: the first words of all, the second words of all, ..."""
    low = [n for g in range(0, 16, 4) for n in (g, 16 + g, g + 1, 17 + g)]
    high = [n + 2 for n in low]
    low2 = [n for g in range(0, 16, 4) for n in (g, g + 1, 16 + g, 17 + g)]
    high2 = [n + 2 for n in low2]
    even = [n for g in (0, 8, 16, 24) for n in range(g, g + 4)]
    odd = [n + 4 for n in even]
    pairs = [_pick(builder, rows[n], rows[n + 1], mask) for n in range(0, 16, 2) for mask in (low, high)]
    fours = [
        _pick(builder, pairs[n + m], pairs[n + m + 2], mask)
        for n in range(0, 16, 4)
        for m in range(2)
        for mask in (low2, high2)
    ]
    eights = [
        _pick(builder, fours[n + j], fours[n + j + 4], mask) for n in (0, 8) for mask in (even, odd) for j in range(4)
    ]
    return [_pick(builder, eights[n], eights[n + 8], mask) for mask in (even, odd) for n in range(8)]


def emit(builder: Any, lanes: int, names: Sequence[str], pointers: Any, steps: Any, state: Any, *, last: bool) -> None:
    """Take `lanes` streams `steps` blocks further.

    Args:
        builder: an IRBuilder.
        names: which digests, in the order of `WORDS`.
        pointers: where each stream goes on: a pointer to `lanes` addresses (int64).
        steps: how many blocks (int64, at least 1).
        state: pointer to the states, word by word, of each word `lanes` values (uint32).
    """
    k = _Words(builder, lanes)
    pointer = ir.PointerType()
    state = builder.bitcast(state, k.type.as_pointer())
    count = sum(WORDS[name] for name in names)
    addresses = [
        builder.load(builder.gep(pointers, [ir.Constant(_I64, n)], source_etype=_I64), typ=_I64) for n in range(lanes)
    ]
    places = [builder.gep(state, [ir.Constant(_I64, n)], source_etype=k.type) for n in range(count)]
    before = builder.block
    loop = builder.append_basic_block("blocks")
    first = [builder.load(place, typ=k.type, align=4) for place in places]
    builder.branch(loop)
    builder.position_at_end(loop)
    index = builder.phi(_I64)
    index.add_incoming(ir.Constant(_I64, 0), before)
    phis = [builder.phi(k.type) for _ in places]
    for phi, value in zip(phis, first, strict=True):
        phi.add_incoming(value, before)
    offset = builder.shl(index, ir.Constant(_I64, 6))
    raw = []
    for address in addresses:
        place = builder.inttoptr(builder.add(address, offset), pointer)
        if lanes == 1:
            raw = [
                builder.load(builder.gep(place, [ir.Constant(_I64, n)], source_etype=_I32), typ=_I32, align=1)
                for n in range(16)
            ]
        else:
            raw.append(builder.load(place, typ=ir.VectorType(_I32, 16), align=1))
    words = list(phis)
    _block(builder, lanes, names, raw if lanes == 1 else _turned(builder, raw), words, last=last)
    following = builder.add(index, ir.Constant(_I64, 1))
    end = builder.block
    index.add_incoming(following, end)
    for phi, value in zip(phis, words, strict=True):
        phi.add_incoming(value, end)
    done = builder.append_basic_block("done")
    builder.cbranch(builder.icmp_signed("<", following, steps), loop, done)
    builder.position_at_end(done)
    for place, value in zip(places, words, strict=True):
        builder.store(value, place, align=4)
