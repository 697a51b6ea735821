"""Proving the ledger to others: all of it, or one entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

from safelight.casework.ledger.checking import Address, Verification, check_all
from safelight.casework.ledger.columns import Source
from safelight.casework.ledger.models import LedgerEntry, LedgerLeaf, LedgerSeal
from safelight.casework.ledger.services import canonical
from safelight.tlog.merkle import Frontier, Grown


def verify(on_progress: Callable[[int, int], None] | None = None) -> Verification:
    """Re-read the whole ledger and check it against its seals.

    Args:
        on_progress: called with (leaves done, leaves in all) as stretches of the ledger are done.
    """
    connection.ensure_connection()
    return check_all(Source(connection.connection, connection.vendor), _address(), on_progress)


def _address() -> Address | None:
    """How another process reaches this database."""
    if connection.in_atomic_block:
        return None  # only this connection sees what its transaction wrote
    told = connection.get_connection_params()
    if connection.vendor == "sqlite":
        return "sqlite", {"database": str(told["database"])}
    plain = {
        name: value for name, value in told.items() if isinstance(value, str | int) and name != "server_side_binding"
    }
    return connection.vendor, plain


def grown_from(size: int, upto: int) -> Grown:
    """The tree from the seal over ``size`` leaves (0: from nothing) with the leaves after it, up to ``upto``.

    Raises:
        LedgerSeal.DoesNotExist: there is no seal over so many leaves.
    """
    base = Frontier()
    if size:
        seal = LedgerSeal.objects.get(tree_size=size)
        base = Frontier(size, map(bytes.fromhex, seal.frontier))
    rows = LedgerLeaf.objects.filter(index__gte=size, index__lt=upto).order_by("index")
    return Grown(base, [bytes.fromhex(one) for one in rows.values_list("leaf_hash", flat=True).iterator(10_000)])


def prove(entry: LedgerEntry) -> dict[str, Any]:
    """An inclusion proof for one sealed entry against the first seal over it (RFC 9162 §2.1.3).

    Raises:
        LedgerLeaf.DoesNotExist: the entry is not sealed yet.
        LedgerSeal.DoesNotExist: its leaf is under no seal, which is a fault of the ledger.
    """
    leaf = LedgerLeaf.objects.get(entry=entry)
    seal = LedgerSeal.objects.filter(tree_size__gt=leaf.index).order_by("tree_size").first()
    if seal is None:
        raise LedgerSeal.DoesNotExist(f"Leaf {leaf.index} is under no seal.")
    before = LedgerSeal.objects.filter(tree_size__lte=leaf.index).order_by("-tree_size").first()
    tree = grown_from(before.tree_size if before else 0, seal.tree_size)
    return {
        "entry": canonical(entry).decode(),
        "leaf_index": leaf.index,
        "tree_size": seal.tree_size,
        "path": [h.hex() for h in tree.inclusion(leaf.index, seal.tree_size)],
        "root": seal.root,
        "sealed_at": seal.at.isoformat(),
    }
