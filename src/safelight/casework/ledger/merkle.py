"""The Merkle tree of RFC 9162 (Certificate Transparency 2.0), section 2.1: leaves, roots, and both kinds of proof.

All hashes are SHA-256, 32 bytes. A leaf is prefixed with 0x00 and a node with 0x01, so that neither can pass for the
other. Nothing here knows of Django or of the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        carry, rest = leaf, self.size
        while rest & 1:
            carry = node_hash(self.hashes.pop(), carry)
            rest >>= 1
        self.hashes.append(carry)
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

    def prove(m: int, start: int, end: int, complete: bool) -> list[bytes]:
        if m == end - start:
            return [] if complete else [_subtree(leaves, start, end)]
        k = _split(end - start)
        if m <= k:
            return [*prove(m, start, start + k, complete), _subtree(leaves, start + k, end)]
        return [*prove(m - k, start + k, end, False), _subtree(leaves, start, start + k)]

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
