"""What the lists in use share, and where they contradict each other; compared when one is imported."""

from __future__ import annotations

from django.utils import timezone

from safelight.casework.hashsets.models import HashSetRecord, SetOverlap
from safelight.casework.hashsets.store import open_set
from safelight.matching.comparing import Overlap, overlap_of

EXAMPLES = 200


def compare_with_others(row: HashSetRecord) -> list[SetOverlap]:
    """Compare a newly imported set with every other in use; part of the import.

    Raises:
        MatchingError: a set is damaged.
    """
    ours = open_set(row, verify=False)
    made = []
    for other in HashSetRecord.objects.filter(retired_at=None).exclude(pk=row.pk).order_by("pk"):
        found = overlap_of(ours, open_set(other, verify=False))
        if found.ours:
            made.append(_row(row, other, found))
    return SetOverlap.objects.bulk_create(made)


def _row(row: HashSetRecord, other: HashSetRecord, found: Overlap) -> SetOverlap:
    return SetOverlap(
        ours=row,
        theirs=other,
        ours_shared=found.ours,
        theirs_shared=found.theirs,
        contradicting=found.contradicting,
        examples=[
            {
                "what": one.what, "algorithm": one.algorithm, "digest": one.digest, "ours": one.says,
                "theirs": one.other_says,
            }
            for one in found.contradictions[:EXAMPLES]
        ],
        compared_at=timezone.now(),
    )  # fmt: skip
