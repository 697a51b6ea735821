"""What waits for a person about hash sets: devices that a newer list knows, and lists that have gone stale."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import carried_by
from safelight.casework.hashsets.models import HashSetRecord, RecheckHit
from safelight.casework.hashsets.rechecks import hits_visible_to, open_hits

GROUP = "Hash sets"
MOST = 100


def items_for(user: Any) -> list[WorkItem]:
    """For whoever triages or works the case: images to triage anew. For administrators: lists to renew."""
    if user.role == "administrator":
        return [_stale(row) for row in HashSetRecord.objects.filter(retired_at=None) if is_stale(row)][:MOST]
    if user.role not in ("examiner", "investigator", "supervisor"):
        return []
    if not RecheckHit.objects.filter(settled_at=None, problem="").exists():
        return []  # mostly so; who may see which is the dearer question
    hits = open_hits(hits_visible_to(user)).filter(run__device__case__status="open")
    if user.role == "investigator":
        hits = hits.filter(carried_by(user, "run__device__case"))
    found: dict[int, WorkItem] = {}
    for hit in hits.select_related("run__device__case", "recheck__hash_set").order_by("-exact", "pk")[: MOST * 2]:
        device = hit.run.device
        words = f"{hit.files:,} {'file' if hit.files == 1 else 'files'}"
        found.setdefault(
            device.pk,
            WorkItem(
                title=f"Triage the device anew: a newer list knows {words} of it",
                url=reverse("devices:detail", args=[device.reference]),
                subject=f"{device.get_kind_display()} {device.exhibit} · {device.case.reference} {device.case.title}",
                risk=device.case.risk,
                urgent=bool(hit.exact),
                group="Devices",
            ),
        )
    return list(found.values())[:MOST]


def is_stale(row: HashSetRecord) -> bool:
    """Whether the list is older than it should be."""
    return timezone.now() > row.imported_at + timedelta(days=row.fresh_days)


def _stale(row: HashSetRecord) -> WorkItem:
    return WorkItem(
        title="Fetch a newer version of the list, or retire it",
        url=reverse("hashsets:detail", args=[row.reference]),
        subject=f"{row.reference} {row.name}, version {row.version}",
        group=GROUP,
    )
