"""Giving on what dead workers held: chunks, plannings and ends of runs, and jobs that were lost.

Called every few seconds by `safelight tick` and by every worker, so that one of them alive is enough.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django_tasks.exceptions import TaskResultDoesNotExist

from safelight.casework.devices import leases
from safelight.casework.devices.ending import end, runs_root
from safelight.casework.devices.models import TriageChunk, TriageRun
from safelight.casework.devices.runs import send_to_queue
from safelight.casework.devices.tasks import triage_job
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.triage.chunks import RunFolder

MOST_ATTEMPTS = 3  # what kills its worker again and again is a fault to look at, not to repeat for ever
# The last one may be silent for so many times longer: a worker that a busy machine starves comes back, and a whole run
# must not end as failed over it.
PATIENCE = 3
_AT_ONCE = 100


def recover_dead_runs() -> int:
    """Find what dead workers held and runs whose job was lost, and queue them again.

    Returns:
        How many were touched.
    """
    limit = leases.clock() - leases.dead_after()
    running = TriageRun.objects.filter(state=TriageRun.State.RUNNING, heartbeat_at__lt=limit)
    chunks = TriageChunk.objects.filter(
        state=TriageChunk.State.RUNNING, run__state=TriageRun.State.RUNNING, heartbeat_at__lt=limit
    )
    touched = sum(_chunk_from_the_dead(pk, limit) for pk in _keys(chunks))
    touched += sum(_lease_from_the_dead(pk, limit) for pk in _keys(running.exclude(lease="")))
    touched += sum(_nobody_is_at_it(pk, limit) for pk in _keys(running.filter(lease="")))
    waiting = TriageRun.objects.filter(state=TriageRun.State.QUEUED, queued_at__lt=limit)
    for run in waiting.select_related("image").order_by("pk")[:_AT_ONCE]:
        if _job_is_lost(run, limit):
            send_to_queue(run)
            touched += 1
    _clear_up()
    return touched


def _clear_up() -> None:
    """Remove what ended runs needed while they ran, where their workers died before they could."""
    live = (TriageRun.State.QUEUED, TriageRun.State.RUNNING)
    for folder in runs_root().glob(f"{TriageRun.PREFIX}-*"):
        number = folder.name.removeprefix(f"{TriageRun.PREFIX}-")
        if number.isdecimal() and not TriageRun.objects.filter(pk=int(number), state__in=live).exists():
            RunFolder(folder).remove()


def _keys(rows: object) -> list[int]:
    return list(rows.values_list("pk", flat=True)[:_AT_ONCE])  # type: ignore[attr-defined]


def _locked(run_pk: int, **conditions: object) -> TriageRun | None:
    return (
        TriageRun.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("device__case", "image")
        .filter(pk=run_pk, state=TriageRun.State.RUNNING, **conditions)
        .first()
    )


@transaction.atomic
def _chunk_from_the_dead(chunk_pk: int, limit: datetime) -> int:
    """Its result is there whole or not at all: it waits again, and the next worker does it."""
    chunk = (
        TriageChunk.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(pk=chunk_pk, state=TriageChunk.State.RUNNING, heartbeat_at__lt=limit)
        .first()
    )
    run = _locked(chunk.run_id) if chunk is not None else None
    if chunk is None or run is None:
        return 0
    if chunk.attempts >= MOST_ATTEMPTS and not _surely_dead(chunk.heartbeat_at, limit):
        return 0
    silent = chunk.worker
    chunk.state, chunk.lease = TriageChunk.State.WAITING, ""
    chunk.save(update_fields=["state", "lease"])
    if chunk.attempts >= MOST_ATTEMPTS:
        _too_often(run, chunk.attempts)
        return 1
    _told(run, {"chunk": chunk.index, "attempts": chunk.attempts, "silent": silent})
    send_to_queue(run)
    return 1


@transaction.atomic
def _lease_from_the_dead(run_pk: int, limit: datetime) -> int:
    """A planning begins anew; an end is made from the chunks, which are all there."""
    run = _locked(run_pk, heartbeat_at__lt=limit)
    if run is None or not run.lease:
        return 0
    planned = run.chunks.exists()
    if run.cancel_asked and not planned:
        end(run, TriageRun.State.CANCELLED, "Stopped; its worker had died. Nothing was recorded.")
        return 1
    if run.attempts >= MOST_ATTEMPTS:
        if not _surely_dead(run.heartbeat_at, limit):
            return 0
        _too_often(run, run.attempts)
        return 1
    run.lease = ""
    if planned:
        run.heartbeat_at = leases.clock()
        run.attempts += 1  # of the end; a planning counts when it begins
    else:
        run.state, run.heartbeat_at = TriageRun.State.QUEUED, None
    run.save(update_fields=["state", "lease", "heartbeat_at", "attempts"])
    _told(run, {"attempts": run.attempts})
    send_to_queue(run)
    return 1


@transaction.atomic
def _nobody_is_at_it(run_pk: int, limit: datetime) -> int:
    """Chunks wait (or all are done), and no worker is left that would take them."""
    run = _locked(run_pk, heartbeat_at__lt=limit, lease="")
    if run is None:
        return 0
    TriageRun.objects.filter(pk=run.pk).update(heartbeat_at=leases.clock())
    send_to_queue(run)
    return 1


def _surely_dead(last: datetime | None, limit: datetime) -> bool:
    """Whether a silence that began at `last` is long enough to give up a run."""
    return last is None or last < limit - (PATIENCE - 1) * leases.dead_after()


def _too_often(run: TriageRun, times: int) -> None:
    end(
        run,
        TriageRun.State.FAILED,
        f"Its worker died {times} times. Look at the machine and its memory, then run it again.",
    )


def _told(run: TriageRun, more: dict[str, object]) -> None:
    record(
        None,
        "triage.taken_over",
        run,
        category=Category.SYSTEM,
        case=run.device.case,
        payload={"device": run.device.reference, **more},
    )


def _job_is_lost(run: TriageRun, limit: datetime) -> bool:
    """Whether no job stands in the queue for a waiting run, or its worker died before it could take the run."""
    if not run.job_id:
        return True
    try:
        job = triage_job.get_result(run.job_id)
    except TaskResultDoesNotExist:
        return True
    return bool(job.is_finished or (job.started_at is not None and job.started_at < limit))
