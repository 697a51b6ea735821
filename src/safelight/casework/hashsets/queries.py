"""What the pages of hash sets read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from safelight.casework.hashsets.models import HashSetRecord, HeldEntry, NegativeEntry, Recheck, SetOverlap

PAGE = 100


@dataclass(frozen=True)
class Rows:
    """One keyset page: the rows, and the key after which the next page begins ("" on the last)."""

    rows: list[Any]
    after: str = ""


def _key(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= 15 else 0


def held(*, retired: bool = False, before: str = "") -> Rows:
    """Hash sets in use (or retired), newest first."""
    found = HashSetRecord.objects.filter(retired_at__isnull=not retired).select_related("imported_by")
    if _key(before):
        found = found.filter(pk__lt=_key(before))
    rows = list(found.order_by("-pk")[: PAGE + 1])
    return Rows(rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else "")


def versions(row: HashSetRecord) -> list[HashSetRecord]:
    """The other versions of the same name, newest first."""
    return list(HashSetRecord.objects.filter(name=row.name).exclude(pk=row.pk).order_by("-pk")[:50])


def problems(row: HashSetRecord, *, after: str = "") -> Rows:
    """Rows of the file that were left out or kept with a remark; those left out first."""
    found = row.rejected.order_by("kept", "pk")
    if _key(after):
        last = row.rejected.filter(pk=_key(after)).values_list("kept", flat=True).first()
        if last is not None:
            same = found.filter(kept=last, pk__gt=_key(after))
            found = same if last else same | found.filter(kept=True)
    rows = list(found[: PAGE + 1])
    return Rows(rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else "")


def _page(found: QuerySet[Any], before: str) -> Rows:
    if _key(before):
        found = found.filter(pk__lt=_key(before))
    rows = list(found.order_by("-pk")[: PAGE + 1])
    return Rows(rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else "")


def overlaps(*, before: str = "") -> Rows:
    """Pairs of lists in use that share entries, the newest first."""
    live = SetOverlap.objects.filter(ours__retired_at=None, theirs__retired_at=None)
    return _page(live.select_related("ours", "theirs"), before)


def overlaps_of(row: HashSetRecord) -> list[SetOverlap]:
    """What one list shares with others, those in use only."""
    found = SetOverlap.objects.filter(Q(ours=row) | Q(theirs=row), ours__retired_at=None, theirs__retired_at=None)
    return list(found.select_related("ours", "theirs").order_by("-contradicting", "-pk")[:50])


def in_quarantine(*, released: bool = False, before: str = "") -> Rows:
    """Entries in quarantine of lists in use, or those released."""
    found = HeldEntry.objects.filter(released_at__isnull=not released)
    if not released:
        found = found.filter(hash_set__retired_at=None)
    return _page(found.select_related("hash_set", "held_by", "released_by"), before)


def negatives(*, before: str = "") -> Rows:
    """The negative bank, those withdrawn too, newest first."""
    return _page(NegativeEntry.objects.select_related("confirmed_by", "withdrawn_by"), before)


def rechecks(*, before: str = "") -> Rows:
    """Looks at earlier runs, newest first."""
    return _page(Recheck.objects.select_related("hash_set"), before)
