"""The Merkle tree of RFC 9162 (Certificate Transparency 2.0), section 2.1: leaves, roots, and both kinds of proof.

All hashes are SHA-256, 32 bytes. A leaf is prefixed with 0x00 and a node with 0x01, so that neither can pass for the
other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf (RFC 9162 §2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 9162 §2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The hashes of the complete subtrees of a tree, largest first: all that is needed to append.

    Args:
        size: how many leaves the tree has.
        hashes: one hash for each set bit of ``size``, from the highest bit down.

    Raises:
        ValueError: the number of hashes does not fit the size.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError(
                f"A tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(self.hashes)}."
            )

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash. Amortised constant time."""
        carry, rest, hashes = leaf, self.size, self.hashes
        while rest & 1:
            carry = sha256(b"\x01" + hashes.pop() + carry).digest()
            rest >>= 1
        hashes.append(carry)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over ``leaves`` (leaf hashes), in one pass and in constant memory but for the frontier."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (RFC 9162 calls it k)."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtree(leaves: Sequence[bytes], start: int, end: int) -> bytes:
    return root_of(leaves[start:end])


def inclusion_proof(leaves: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """The audit path for leaf ``index`` in the tree of the first ``size`` leaves (RFC 9162 §2.1.3.1).

    Raises:
        ValueError: no such leaf in a tree of that size.
    """
    if not 0 <= index < size <= len(leaves):
        raise ValueError(f"There is no leaf {index} in a tree of {size} leaves.")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(leaves, middle, end))
            end = middle
        else:
            path.append(_subtree(leaves, start, middle))
            start = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` proves that ``leaf`` is at ``index`` in the tree with ``root`` (RFC 9162 §2.1.3.2)."""
    if index >= size:
        return False
    node, last, computed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, sibling)
        node >>= 1
        last >>= 1
    return last == 0 and computed == root


def consistency_proof(leaves: Sequence[bytes], first: int, second: int) -> list[bytes]:
    """That the tree of ``first`` leaves is a prefix of the tree of ``second`` (RFC 9162 §2.1.4.1).

    Raises:
        ValueError: the sizes are not 0 < first <= second <= number of leaves.
    """
    if not 0 < first <= second <= len(leaves):
        raise ValueError(f"There is no consistency proof from {first} to {second} leaves.")

    return _consistency(lambda start, end: _subtree(leaves, start, end), first, second)


def _consistency(of: Callable[[int, int], bytes], first: int, second: int) -> list[bytes]:
    def prove(m: int, start: int, end: int, complete: bool) -> list[bytes]:
        if m == end - start:
            return [] if complete else [of(start, end)]
        k = _split(end - start)
        if m <= k:
            return [*prove(m, start, start + k, complete), of(start + k, end)]
        return [*prove(m - k, start + k, end, False), of(start, start + k)]

    return prove(first, 0, second, True)


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` proves that the second tree only added to the first (RFC 9162 §2.1.4.2)."""
    if first == second:
        return first_root == second_root and not path
    if first <= 0 or first > second or (not path and first.bit_count() != 1):
        return False
    nodes = list(path)
    if first.bit_count() == 1:
        nodes.insert(0, first_root)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    if not nodes:
        return False
    fr = sr = nodes[0]
    for c in nodes[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr = node_hash(c, fr)
            sr = node_hash(c, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, c)
        fn >>= 1
        sn >>= 1
    return sn == 0 and fr == first_root and sr == second_root


class Grown:
    """A tree of which the first ``base.size`` leaves are known by their frontier only, and the later ones in full:
    enough to prove any later leaf, and that later trees continue the base.

    Args:
        base: the frontier to build on, for example that of a seal.
        leaves: the hashes of the leaves after it.
    """

    def __init__(self, base: Frontier, leaves: Sequence[bytes]) -> None:
        self.base, self.leaves = base, leaves
        self.size = base.size + len(leaves)
        self._known: dict[tuple[int, int], bytes] = {}
        start = 0
        for bit, known in zip(
            (b for b in range(base.size.bit_length() - 1, -1, -1) if base.size >> b & 1), base.hashes, strict=True
        ):
            self._known[start, start + (1 << bit)] = known
            start += 1 << bit

    def _hash(self, start: int, end: int) -> bytes:
        """The hash of the leaves from ``start`` to before ``end``."""
        if start >= self.base.size:
            return root_of(self.leaves[start - self.base.size : end - self.base.size])
        found = self._known.get((start, end))
        if found is None:
            if end - start == 1:
                raise ValueError(f"Leaf {start} is known only as a part of what was sealed before.")
            middle = start + _split(end - start)
            self._known[start, end] = found = node_hash(self._hash(start, middle), self._hash(middle, end))
        return found

    def root(self, size: int | None = None) -> bytes:
        """The root over the first ``size`` leaves (default: all), from the base's size on."""
        return self._hash(0, size or self.size) if self.size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """As :func:`inclusion_proof`, for a leaf after the base.

        Raises:
            ValueError: the leaf is not after the base, or not in a tree of that size.
        """
        if not self.base.size <= index < size <= self.size:
            raise ValueError(f"There is no leaf {index} between {self.base.size} and {size}.")
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            path.append(self._hash(middle, end) if index < middle else self._hash(start, middle))
            start, end = (start, middle) if index < middle else (middle, end)
        return path[::-1]

    def consistency(self, first: int, second: int) -> list[bytes]:
        """As :func:`consistency_proof`, from the base or a later tree.

        Raises:
            ValueError: the sizes are not base.size <= first <= second <= size, or first is 0.
        """
        if not 0 < first <= second <= self.size or first < self.base.size:
            raise ValueError(f"There is no consistency proof from {first} to {second} leaves.")
        return _consistency(self._hash, first, second)
