"""What every service of a case needs: the row locked and open, and a line in its chronology."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from safelight.casework.base.errors import NotPossible
from safelight.casework.cases.chronology import counts
from safelight.casework.cases.models import Case, ChronologyEntry
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record


def write_entry(actor: Any, case: Case, kind: str, text: str, at: datetime) -> ChronologyEntry:
    """Write a chronology entry and, when its kind is meaningful, move the case's last action on to its time."""
    meaningful = counts(kind)
    entry = ChronologyEntry.objects.create(
        case=case, at=at, recorded_at=timezone.now(), kind=kind, meaningful=meaningful, text=text, actor=actor
    )
    # In the database, so that a stale row in the caller's hands cannot set it back.
    if meaningful and Case.objects.filter(pk=case.pk, last_action_at__lt=at).update(last_action_at=at):
        case.last_action_at = at
    record(
        actor,
        "case.noted",
        case,
        category=Category.COLLECTION,
        payload={"kind": kind, "at": at, "entry": entry.pk, "text": fingerprint(text)},
    )
    return entry


def lock_open(case: Any) -> Case:
    """The case, locked for this transaction. Raises NotPossible when it is closed."""
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if case.status != Case.Status.OPEN:
        raise NotPossible(f"{case.reference} is closed.", fix="Reopen it first.")
    return case


def lock(case: Any) -> Case:
    """The case, locked for this transaction, open or closed: for what protects a child, which no closing ends."""
    found: Case = Case.objects.select_for_update(of=("self",)).select_related("unit").get(pk=case.pk)
    return found
