"""What the pages of hash sets read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safelight.casework.hashsets.models import HashSetRecord

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
