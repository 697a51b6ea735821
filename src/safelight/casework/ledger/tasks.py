"""Verifying the whole ledger, as a job: it re-reads every entry."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django_tasks import task

from safelight.casework.ledger.against import check_outside
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record, seal
from safelight.casework.ledger.verify import Verification, verify


def record_verification(actor: Any, result: Verification) -> None:
    """Write what a verification found into the ledger itself; the ledger page shows the newest."""
    with transaction.atomic():
        record(
            actor,
            "ledger.verified",
            None,
            category=Category.SYSTEM,
            payload={
                "proven": result.proven,
                "entries": result.entries,
                "sealed": result.sealed,
                "seals": result.seals,
                "root": result.root,
                "faults": result.faults[:20],
                "witnessed": result.witnessed,
                "marks": result.marks,
                "remarks": result.remarks[:20],
            },
        )


@task()
def verify_ledger(actor_pk: int | None) -> dict[str, Any]:
    """Seal what waits, verify everything, and record the result."""
    while seal():
        pass
    result = verify()
    check_outside(result)
    actor = get_user_model().objects.filter(pk=actor_pk).first() if actor_pk else None
    record_verification(actor, result)
    return {"proven": result.proven, "entries": result.entries, "root": result.root}
