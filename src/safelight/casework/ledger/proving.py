"""One entry, proven to a stranger: a file that needs neither this program nor the database (docs/ledger.md)."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef

from safelight.casework.ledger.models import LedgerEntry, LedgerLeaf, LedgerSeal, SealMark
from safelight.casework.ledger.outside import checkpoint_of, log_signer, witnesses
from safelight.casework.ledger.services import canonical
from safelight.casework.ledger.verify import grown_from

FORMAT = "safelight-proof/1"


def prove(entry: LedgerEntry) -> dict[str, Any]:
    """An inclusion proof (RFC 9162 §2.1.3) for one sealed entry, with what others said of the root it leads to.

    It leads to the first seal over the entry that has a witness's cosignature and an authority's time-stamp; where none
    has both, to the first that has a time-stamp, then to the first with a cosignature, then to the first.

    Raises:
        LedgerLeaf.DoesNotExist: the entry is not sealed yet.
        LedgerSeal.DoesNotExist: its leaf is under no seal, which is a fault of the ledger.
    """
    leaf = LedgerLeaf.objects.get(entry=entry)
    over = LedgerSeal.objects.filter(tree_size__gt=leaf.index).order_by("tree_size")
    cosigned, stamped = (Exists(SealMark.objects.filter(seal=OuterRef("pk"), kind=kind)) for kind in SealMark.Kind)
    ways = (over.filter(cosigned, stamped), over.filter(stamped), over.filter(cosigned), over)
    seal = next((found for way in ways if (found := way.first()) is not None), None)
    if seal is None:
        raise LedgerSeal.DoesNotExist(f"Leaf {leaf.index} is under no seal.")
    before = LedgerSeal.objects.filter(tree_size__lte=leaf.index).order_by("-tree_size").first()
    tree = grown_from(before.tree_size if before else 0, seal.tree_size)
    checkpoint, signer = checkpoint_of(seal), log_signer()
    marks = {kind: [] for kind in SealMark.Kind.values}
    for mark in seal.marks.all():
        marks[mark.kind].append(mark.body)
    return {
        "format": FORMAT,
        "entry": canonical(entry).decode(),
        "leaf_index": leaf.index,
        "tree_size": seal.tree_size,
        "path": [h.hex() for h in tree.inclusion(leaf.index, seal.tree_size)],
        "root": seal.root,
        "sealed_at": seal.at.isoformat(),
        "checkpoint": checkpoint.text.decode(),
        "signatures": [signer.sign(checkpoint.text).strip(), *marks["cosignature"]],
        "keys": [str(signer.verifier), *(str(one.key) for one in witnesses())],
        "timestamps": marks["timestamp"],
    }
