"""The hashes themselves: opened from where they lie, checked, with what is in quarantine marked."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from safelight.casework.hashsets.models import HashSetRecord, NegativeEntry
from safelight.casework.hashsets.quarantine import held_rows
from safelight.errors import MatchingError
from safelight.matching import HashSet, HashSetEntry

NEGATIVE_BANK = "Negative bank"


def folder_of(root: str) -> Path:
    """Where the hashes of the set with this root lie."""
    return Path(settings.DATA) / "hashsets" / root


def open_set(row: HashSetRecord, *, verify: bool = True) -> HashSet:
    """The hashes of one record, memory-mapped and checked against its root.

    Raises:
        MatchingError: they are missing, changed, or not those of the record.
    """
    hashes = HashSet.open(folder_of(row.root), verify=verify)
    if hashes.root != row.root or hashes.name != row.name:
        raise MatchingError(
            f"The folder of {row.reference} holds {hashes.name!r} with another root.", fix="Import the list again."
        )
    hashes.held = held_rows(row, hashes)
    return hashes


def load_live() -> list[tuple[HashSetRecord, HashSet]]:
    """Every hash set in use, opened and checked.

    Raises:
        MatchingError: one is damaged. No run may go on without it in silence.
    """
    return [(row, open_set(row)) for row in HashSetRecord.objects.filter(retired_at=None).order_by("pk")]


def negative_bank() -> list[HashSet]:
    """The confirmed false likenesses as a set of its own kind, beside the others in every comparison; none if empty."""
    entries = [
        HashSetEntry(pdq=bytes.fromhex(row.pdq), md5=bytes.fromhex(row.md5) if row.md5 else None, source_row=row.pk)
        for row in NegativeEntry.objects.filter(withdrawn_at=None).order_by("pk")
    ]
    return [HashSet.from_entries(entries, name=NEGATIVE_BANK, kind="negative")] if entries else []
