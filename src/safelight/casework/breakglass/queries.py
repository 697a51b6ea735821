"""What the pages of break-glass access read."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from safelight.casework.base.prepared import prepared
from safelight.casework.breakglass.models import Opening
from safelight.casework.cases.models import Case
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.ledger.registry import words_for

MOST = 100


def running_of(user: Any) -> list[Opening]:
    """What is open to ``user`` by broken glass, the first to end first. No query for whoever has broken none."""
    until = getattr(user, "glass_until", None)
    if until is None or until <= timezone.now():
        return []
    return list(Opening.objects.running().filter(user=user).select_related("case").order_by("until"))


def awaiting_review(user: Any) -> list[Opening]:
    """Ended, not reviewed, and for ``user`` to review; the first to be late first. One query."""
    return _awaiting(user, now=timezone.now())


@prepared
def _awaiting(user: Any, *, now: Any) -> Any:
    rows = Opening.objects.over(now).unreviewed().visible_to(user).exclude(user=user)
    return rows.select_related("user", "case").order_by("review_due_at", "pk")[:MOST]


def named_to(user: Any, rows: list[Opening]) -> set[int]:
    """The keys of the cases among ``rows`` that ``user`` may see: of the others no reference is shown."""
    return set(Case.objects.visible_to(user).filter(pk__in=[row.case_id for row in rows]).values_list("pk", flat=True))


def looks_of(row: Opening, *, named: bool) -> list[tuple[Any, str, str]]:
    """What the person did from the opening to its end, in the case and beside it: (when, words, what). Oldest first.

    Read from the ledger; an entry of another case is left out. Where the reader may not know the case (not ``named``),
    what was looked at is a kind of record, without its reference.
    """
    entries = LedgerEntry.objects.filter(actor=row.user_id, at__gte=row.opened_at, at__lte=row.closed_at)
    rows = entries.order_by("id")[: 5 * MOST]
    return [
        (one.at, _words(one), one.subject_label if named else one.subject_type.rpartition(".")[2])
        for one in rows
        if one.case_key in (None, row.case_id)
    ]


def _words(entry: LedgerEntry) -> str:
    """What was done, and on which page of it: four looks at a case are four questions that somebody asked of it."""
    page = entry.payload.get("page")
    return f"{words_for(entry.verb)}: {page}" if isinstance(page, str) and page else words_for(entry.verb)
