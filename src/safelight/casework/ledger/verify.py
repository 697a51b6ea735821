"""Verifying the whole ledger through Django's connection, and building its tree from a seal on."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from safelight.casework.ledger.checking import Address, Verification, check_all
from safelight.casework.ledger.columns import Source
from safelight.casework.ledger.models import LedgerLeaf, LedgerSeal
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
