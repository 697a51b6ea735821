"""The tree against RFC 9162: the recursive definitions of section 2.1, written again here, are the oracle."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.tlog.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(bytes([n])) for n in range(64)]
SIZES = range(1, 65)


def mth(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def test_the_published_vectors_of_certificate_transparency_hold():
    """Otherwise no other program could check our proofs. The test data that implementations of RFC 6962 share."""
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    leaves = [leaf_hash(bytes.fromhex(text)) for text in data]
    for size, root in roots.items():
        assert root_of(leaves[:size]).hex() == root


@pytest.mark.parametrize("size", SIZES)
def test_the_root_follows_the_definition_and_the_frontier_agrees(size):
    """Otherwise a seal could be over something else than its entries."""
    assert root_of(LEAVES[:size]) == mth(LEAVES[:size])
    tree = Frontier()
    for leaf in LEAVES[:size]:
        tree.append(leaf)
    again = Frontier(tree.size, tree.hashes)
    assert again.root() == mth(LEAVES[:size])
    assert root_of([]) == EMPTY_ROOT


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proven_and_every_tampered_proof_fails(size):
    """Otherwise an entry that was never written could be 'proven' in court."""
    root = mth(LEAVES[:size])
    for index in range(size):
        path = inclusion_proof(LEAVES, index, size)
        assert verify_inclusion(LEAVES[index], index, size, path, root)
        assert not verify_inclusion(leaf_hash(b"forged"), index, size, path, root)
        assert not verify_inclusion(LEAVES[index], index, size, path, leaf_hash(b"other root"))
        assert not verify_inclusion(LEAVES[index], size, size, path, root)
        for place in range(len(path)):
            bent = [*path[:place], leaf_hash(b"bent"), *path[place + 1 :]]
            assert not verify_inclusion(LEAVES[index], index, size, bent, root)
        if path:
            assert not verify_inclusion(LEAVES[index], index, size, path[:-1], root)
            assert not verify_inclusion(LEAVES[index], index, size, [*path, path[-1]], root)
            other = (index + 1) % size
            assert not verify_inclusion(LEAVES[index], other, size, path, root)


@pytest.mark.parametrize("second", SIZES)
def test_every_earlier_tree_is_proven_a_beginning_and_tampered_proofs_fail(second):
    """Otherwise history could be rewritten between two published roots."""
    new = mth(LEAVES[:second])
    for first in range(1, second + 1):
        old = mth(LEAVES[:first])
        path = consistency_proof(LEAVES, first, second)
        assert verify_consistency(first, second, old, new, path)
        assert not verify_consistency(first, second, leaf_hash(b"x"), new, path)
        assert not verify_consistency(first, second, old, leaf_hash(b"x"), path)
        for place in range(len(path)):
            bent = [*path[:place], leaf_hash(b"bent"), *path[place + 1 :]]
            assert not verify_consistency(first, second, old, new, bent)
        if path:
            assert not verify_consistency(first, second, old, new, path[:-1])
            assert not verify_consistency(first, second, old, new, [*path, path[-1]])


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=40, unique=True), st.data())
def test_changing_any_leaf_changes_the_root(data, draw):
    """Otherwise an entry could be altered without the seal noticing."""
    leaves = [leaf_hash(one) for one in data]
    at = draw.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:at], leaf_hash(data[at] + b"!"), *leaves[at + 1 :]]
    assert root_of(changed) != root_of(leaves) == mth(leaves)
    if len(leaves) > 1:
        other = (at + 1) % len(leaves)
        swapped = list(leaves)
        swapped[at], swapped[other] = swapped[other], swapped[at]
        assert root_of(swapped) != root_of(leaves)


def test_a_leaf_cannot_pass_for_a_node():
    """Otherwise an entry's bytes could be chosen to imitate a whole subtree."""
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 3), (0, 65)])
def test_a_proof_for_no_leaf_is_refused(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(LEAVES, index, size)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3), (3, 65)])
def test_a_consistency_proof_between_impossible_sizes_is_refused(first, second):
    with pytest.raises(ValueError, match="consistency"):
        consistency_proof(LEAVES, first, second)


def test_a_frontier_that_does_not_fit_its_size_is_refused():
    with pytest.raises(ValueError, match="subtrees"):
        Frontier(3, [LEAVES[0]])
