"""A new list looks at every earlier triage run again, from the manifests that runs keep: digests, never the evidence.

A device that was found empty with yesterday's lists may hold what today's list knows. Whoever works the case is told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django_tasks import task

from safelight.casework.base.errors import NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.cases.services import note
from safelight.casework.hashsets.models import HashSetRecord, Recheck, RecheckHit
from safelight.casework.hashsets.store import negative_bank, open_set
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.errors import SafelightError
from safelight.matching import HashSet
from safelight.triage.findings import FindingStage, in_order
from safelight.triage.result import Finding
from safelight.triage.rows import read_batches, records_of
from safelight.triage.settings import TriageSettings

log = logging.getLogger(__name__)
MANIFEST = "manifest.parquet"
EXAMPLES = 50
LATE = timedelta(minutes=15)


def ask_for_recheck(row: HashSetRecord, only: Any = None) -> Recheck:
    """Ask for all earlier runs (or one) to be looked at with this list; the job starts when the transaction commits."""
    asked = Recheck.objects.create(hash_set=row, only=only, asked_at=timezone.now())
    transaction.on_commit(lambda: recheck_job.enqueue(recheck_pk=asked.pk))
    return asked


def catch_up(run: Any) -> None:
    """A run that ends: lists that came in while it was under way look at it too. Part of the run's end."""
    used = run.hash_sets.values("pk")
    for row in HashSetRecord.objects.filter(kind="known", retired_at=None, imported_at__gte=run.started_at).exclude(
        pk__in=used
    ):
        ask_for_recheck(row, only=run)


@task()
def recheck_job(recheck_pk: int) -> str:
    """The queued form of :func:`recheck_runs`."""
    return recheck_runs(recheck_pk)


def ask_again_for_lost() -> int:
    """Queue rechecks again whose job was lost; what they told already is not told twice."""
    lost = list(
        Recheck.objects.filter(finished_at=None, asked_at__lt=timezone.now() - LATE).values_list("pk", flat=True)
    )
    for pk in lost:
        Recheck.objects.filter(pk=pk).update(asked_at=timezone.now())
        recheck_job.enqueue(recheck_pk=pk)
    return len(lost)


def recheck_runs(recheck_pk: int) -> str:
    """Look at every earlier run with the recheck's list; each run in a transaction of its own, so that it can go on."""
    from safelight.casework.devices.models import TriageRun

    asked = Recheck.objects.select_related("hash_set").filter(pk=recheck_pk, finished_at=None).first()
    if asked is None:
        return "nothing to do"
    if asked.hash_set.retired_at is not None:
        Recheck.objects.filter(pk=asked.pk).update(finished_at=timezone.now())
        return "the list is retired"
    sets = [open_set(asked.hash_set), *negative_bank()]
    seen = set(asked.hits.values_list("run", flat=True))
    checked, files, missing = 0, 0, 0
    # The newest run that read something of each image; runs that used this list already need no second look.
    runs = TriageRun.objects.filter(state__in=["finished", "unread_parts"]).exclude(hash_sets=asked.hash_set)
    if asked.only_id:
        runs = runs.filter(pk=asked.only_id)
    newer = TriageRun.objects.filter(
        image=OuterRef("image"), pk__gt=OuterRef("pk"), state__in=["finished", "unread_parts"]
    )
    for run in runs.exclude(Exists(newer)).select_related("device__case").order_by("pk").iterator(chunk_size=200):
        if run.pk in seen:
            continue
        try:
            number, found = _look(run, sets)
            checked, files = checked + 1, files + number
            if found:
                _tell(asked, run, found)
        except SafelightError as error:
            missing += 1
            RecheckHit.objects.create(recheck=asked, run=run, problem=str(error)[:300])
            log.warning("Run %s could not be looked at again: %s", run.reference, error)
    with transaction.atomic():
        Recheck.objects.filter(pk=asked.pk).update(
            finished_at=timezone.now(), runs_checked=checked, files_checked=files, runs_not_checked=missing
        )
        hits = asked.hits.filter(problem="").count()
        payload = {"root": asked.hash_set.root, "runs": checked, "files": files, "not_checked": missing, "hits": hits}
        record(None, "hashset.rechecked", asked.hash_set, category=Category.SYSTEM, payload=payload)
    return f"{checked} runs, {files} files"


def _look(run: Any, sets: list[HashSet]) -> tuple[int, list[Finding]]:
    """How many files the run's manifest holds, and what the list knows of them.

    Raises:
        EvidenceError: there is no manifest, or it is damaged.
    """
    stage, files = FindingStage(sets, TriageSettings()), 0
    for batch in read_batches(Path(settings.REPORTS_ROOT) / run.report_folder / MANIFEST):
        records = list(records_of(batch))
        files += len(records)
        stage.match(records)
    return files, list(in_order(stage.findings))


@transaction.atomic
def _tell(asked: Recheck, run: Any, found: list[Finding]) -> None:
    """Keep what was found, and say so where the people of the case look: My work, the chronology, the ledger."""
    exact = sum(one.kind == "exact" for one in found)
    hit, new = RecheckHit.objects.get_or_create(
        recheck=asked,
        run=run,
        defaults={
            "files": len({one.path for one in found}),
            "exact": exact,
            "category": found[0].category or "",
            "examples": [_example(one) for one in found[:EXAMPLES]],
        },
    )
    if not new:
        return
    device = run.device
    payload = {"device": device.reference, "root": asked.hash_set.root, "files": hit.files, "exact": exact}
    record(None, "triage.known_later", run, category=Category.SYSTEM, case=device.case, payload=payload)
    words = f"{hit.files} {'file' if hit.files == 1 else 'files'}"
    note(
        None, device.case, "triage_known_later",
        f"{device.exhibit}: the list {asked.hash_set.name}, version {asked.hash_set.version}, knows {words} of "
        f"{run.reference}, which was finished before it came.",
    )  # fmt: skip


def _example(one: Finding) -> dict[str, Any]:
    return {
        "path": one.path.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00"),
        "kind": one.kind,
        "algorithm": one.algorithm,
        "category": one.category or "",
        "distance": one.distance,
        "md5": one.md5,
    }


def open_hits(hits: QuerySet[RecheckHit] | None = None) -> QuerySet[RecheckHit]:
    """Hits that wait: not settled, and the image was not triaged with the list since."""
    from safelight.casework.devices.models import TriageRun

    since = TriageRun.objects.filter(
        image=OuterRef("run__image"), pk__gt=OuterRef("run"), state__in=["finished", "unread_parts"],
        hash_sets=OuterRef("recheck__hash_set"),
    )  # fmt: skip
    base = RecheckHit.objects.all() if hits is None else hits
    return base.filter(settled_at=None, problem="").exclude(Exists(since))


def hits_visible_to(user: Any) -> QuerySet[RecheckHit]:
    """Hits in devices that this person may see."""
    from safelight.casework.devices.models import TriageRun

    return RecheckHit.objects.filter(TriageRun.objects.visible_to(user).holding("run"))


@transaction.atomic
def settle_hit(actor: Any, hit: RecheckHit, *, reason: str) -> RecheckHit:
    """Say why the image need not be triaged anew for this; the hit stays in the record.

    Raises:
        NotAllowed, Invalid (no reason), NotPossible (settled already).
    """
    row = RecheckHit.objects.select_for_update(of=("self",)).select_related("run__device__case").get(pk=hit.pk)
    need(actor, "devices.triage", row.run.device, what="You may not settle what concerns this device.")
    why = required_text(reason, field="reason", what="The reason")[:300]
    if row.settled_at is not None:
        raise NotPossible("This was settled already.")
    row.settled_at, row.settled_by, row.settled_reason = timezone.now(), actor, why
    row.save(update_fields=["settled_at", "settled_by", "settled_reason"])
    record(actor, "triage.later_settled", row.run, case=row.run.device.case, payload={"files": row.files}, reason=why)
    return row


def rows_of(recheck: Recheck, user: Any) -> Iterator[RecheckHit]:
    """The hits of one recheck that this person may see, the gravest first."""
    return (
        hits_visible_to(user)
        .filter(recheck=recheck)
        .select_related("run__device__case")
        .order_by("problem", "-exact", "pk")
    ).iterator(chunk_size=200)
