"""Proving the ledger: every entry still hashes to its leaf, every leaf is in its place, every root follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from safelight.casework.ledger.merkle import Frontier, inclusion_proof, leaf_hash
from safelight.casework.ledger.models import LedgerEntry, LedgerLeaf, LedgerSeal
from safelight.casework.ledger.services import canonical


@dataclass
class Verification:
    """What a verification found. ``faults`` are sentences that name the entry or range; empty means proven."""

    entries: int = 0
    sealed: int = 0
    seals: int = 0
    waiting: int = 0
    root: str = ""
    faults: list[str] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        return not self.faults


def verify(on_progress: Callable[[int, int], None] | None = None) -> Verification:
    """Re-read the whole ledger and check it against its seals.

    Args:
        on_progress: called with (leaves done, leaves in all) every few thousand leaves.
    """
    result = Verification(entries=LedgerEntry.objects.count())
    seals = list(LedgerSeal.objects.order_by("tree_size"))
    result.seals, at = len(seals), 0
    total = seals[-1].tree_size if seals else 0
    tree = Frontier()
    first_bad: int | None = None

    def close_bad(end: int) -> None:
        nonlocal first_bad
        if first_bad is not None:
            result.faults.append(f"Entries at leaves {first_bad} to {end} do not hash to what was sealed.")
            first_bad = None

    leaves = LedgerLeaf.objects.select_related("entry").order_by("index").iterator(chunk_size=5_000)
    for leaf in leaves:
        if leaf.index != tree.size:
            result.faults.append(f"Leaves {tree.size} to {leaf.index - 1} are missing.")
            break
        computed = leaf_hash(canonical(leaf.entry))
        stored = bytes.fromhex(leaf.leaf_hash)
        if computed != stored or leaf.entry.digest != leaf.leaf_hash:
            first_bad = leaf.index if first_bad is None else first_bad
        else:
            close_bad(leaf.index - 1)
        tree.append(computed)
        while at < len(seals) and seals[at].tree_size == tree.size:
            close_bad(leaf.index)
            if seals[at].root != tree.root().hex():
                result.faults.append(
                    f"The root sealed at {seals[at].at:%Y-%m-%d %H:%M:%S} over {seals[at].tree_size} entries "
                    "does not follow from them."
                )
            at += 1
        if on_progress and tree.size % 5_000 == 0:
            on_progress(tree.size, total)
    close_bad(tree.size - 1)
    if tree.size < total:
        result.faults.append(f"The last seal covers {total} entries, but only {tree.size} leaves are there.")
    elif tree.size > total:
        result.faults.append(f"Leaves {total} to {tree.size - 1} are under no seal.")
    result.sealed = tree.size
    waiting = LedgerEntry.objects.filter(leaf=None).order_by("id")
    for entry in waiting.iterator(chunk_size=5_000):
        result.waiting += 1
        if leaf_hash(canonical(entry)).hex() != entry.digest:
            result.faults.append(f"Entry {entry.pk} ({entry.verb}), not yet sealed, does not hash to its digest.")
    result.root = tree.root().hex()
    if on_progress:
        on_progress(tree.size, total)
    return result


def prove(entry: LedgerEntry) -> dict[str, object]:
    """An inclusion proof for one sealed entry against the newest root (RFC 9162 §2.1.3).

    Raises:
        LedgerLeaf.DoesNotExist: the entry is not sealed yet.
        LedgerSeal.DoesNotExist: nothing is sealed yet.
    """
    leaf = LedgerLeaf.objects.get(entry=entry)
    seal = LedgerSeal.objects.order_by("-tree_size").first()
    if seal is None:
        raise LedgerSeal.DoesNotExist("Nothing is sealed yet.")
    hashes = [bytes.fromhex(h) for h in LedgerLeaf.objects.order_by("index").values_list("leaf_hash", flat=True)]
    path = inclusion_proof(hashes, leaf.index, seal.tree_size)
    return {
        "entry": canonical(entry).decode(),
        "leaf_index": leaf.index,
        "tree_size": seal.tree_size,
        "path": [h.hex() for h in path],
        "root": seal.root,
        "sealed_at": seal.at.isoformat(),
    }
