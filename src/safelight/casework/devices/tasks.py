"""The triage job: a worker plans a run, reads chunks of it beside other workers, or brings the chunks together.

A job may be delivered twice, its worker may be killed at any moment, and the evidence may be hostile. So: planning,
each chunk and the end are done under leases that a dead worker loses (`leases`, `recovery`), a chunk's result is there
whole or not at all, what the run found is written in one transaction by whoever still holds the lease (`ending`), and
whatever goes wrong becomes a state with a reason, never a crash.
"""

from __future__ import annotations

import logging
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
from django_tasks import task

from safelight.casework.devices import leases
from safelight.casework.devices.ending import TAKEN, end, finish, keep_report, run_folder
from safelight.casework.devices.models import TriageChunk, TriageRun
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.errors import SafelightError
from safelight.triage import TriageSettings, resolve_inside
from safelight.triage.chunks import ChunkRunner, DevicePlan, RunFolder, merge, open_for, plan_device
from safelight.triage.device_child import Stopped
from safelight.triage.pipeline import Bench
from safelight.triage.plan import IDENTITY
from safelight.triage.planning import roots_of
from safelight.triage.settings import MIB

log = logging.getLogger(__name__)


@task()
def triage_job(run_pk: int) -> str:
    """The queued form of :func:`run_triage`."""
    return run_triage(run_pk)


def run_triage(run_pk: int) -> str:
    """Do one's part of a run: plan it, or read chunks of it, or bring them together; until nothing is left to do.

    Returns:
        What became of it, in a word, for the job's own record.
    """
    run = _claim(run_pk)
    if run is None:
        return "nothing to do"
    try:
        return _examine(run)
    except (SafelightError, OSError, MemoryError) as error:
        return end(run, TriageRun.State.FAILED, _in_words(error))
    finally:
        # A fault of ours goes on to the worker, which keeps its trace; the page must not go on saying 'running'.
        # (A worker that is told to stop raises no Exception: its run is taken over.)
        if isinstance(sys.exception(), Exception):
            end(
                run,
                TriageRun.State.FAILED,
                "Safelight met a fault of its own; the worker's log has the details. Nothing was learnt of this image.",
            )


def _in_words(error: BaseException) -> str:
    if isinstance(error, SafelightError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The memory of this machine was not enough. Run it on a larger one."
    return f"The disk or the folder could not be used: {error}."


@transaction.atomic
def _claim(run_pk: int) -> TriageRun | None:
    """Take a waiting run (and its planning), or join one whose chunks are being read; None when there is nothing to do:
    a job delivered twice, or a run that another worker plans or ends.
    """
    run = (
        TriageRun.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("device__case", "image", "queued_by")
        .filter(pk=run_pk, state__in=(TriageRun.State.QUEUED, TriageRun.State.RUNNING), lease="")
        .first()
    )
    if run is None or run.state == TriageRun.State.RUNNING:
        return run
    run.state, run.lease = TriageRun.State.RUNNING, secrets.token_hex(16)
    run.heartbeat_at = leases.clock()
    run.started_at = run.started_at or run.heartbeat_at
    run.attempts += 1
    run.stage, run.files_done, run.files_total, run.bytes_done, run.bytes_total = "opening", 0, 0, 0, 0
    run.save(
        update_fields=[
            "state", "lease", "started_at", "heartbeat_at", "attempts",
            "stage", "files_done", "files_total", "bytes_done", "bytes_total",
        ]
    )  # fmt: skip
    record(
        None,
        "triage.started",
        run,
        category=Category.SYSTEM,
        case=run.device.case,
        payload={"device": run.device.reference, "attempt": run.attempts, "worker": leases.me()},
    )
    return run


def engine_settings() -> TriageSettings:
    """How runs are done here; the same on all workers, or they would not fit together."""
    return TriageSettings(sandbox=settings.TRIAGE_SANDBOX, chunk_bytes=min(settings.TRIAGE_CHUNK_MIB, 1024) * MIB)


def _examine(run: TriageRun) -> str:
    from safelight.casework.hashsets.services import load_live, negative_bank, open_set

    path = resolve_inside(Path(settings.EVIDENCE_ROOT), run.image.path)
    planning = bool(run.lease)
    live = load_live() if planning else [(r, open_set(r)) for r in run.hash_sets.order_by("pk")]
    if not live:
        return end(
            run, TriageRun.State.FAILED, "There is no hash set to compare with. Import one and run the triage again."
        )
    sets = [hash_set for _, hash_set in live] + negative_bank()
    folder = run_folder(run)
    with Bench(engine_settings()) as bench, leases.Heartbeat(run) as heart:
        bench.should_stop = heart.should_stop
        if planning:
            heart.holds(lease=run.lease)
            folder.clear()  # Of a planning that its worker did not survive.
            try:
                plan = plan_device([path], folder, hash_sets=sets, operator=run.queued_by.name, bench=bench)
            except Stopped:
                if heart.lost:
                    return TAKEN
                return end(run, TriageRun.State.CANCELLED, "Stopped before the image was open. Nothing was read.")
            if not _planned(run, plan, [record for record, _ in live]):
                return TAKEN
        else:
            found = folder.plan()
            if found is None:
                return "nothing to do"
            plan = found
            if plan.roots != roots_of(sets, bench.settings):
                return _start_anew(run)
        _read(run, plan, folder, bench, heart, sets, path, helping=not planning)
        if not _to_be_ended(run):
            return "helped"
        heart.holds(lease=run.lease)
        result = merge(plan, folder, hash_sets=sets, settings=bench.settings)
        report = keep_report(run, result, plan, folder)
        records = {record.root: record for record, _ in live}
        for wait in (1.0, 5.0, 20.0):
            try:
                return finish(run, result, report, records)
            except OperationalError:
                # Hours of reading are not thrown away because the database is busy for a moment.
                log.warning("The result of %s could not be written; trying again in %s s.", run.reference, wait)
                time.sleep(wait)
        return finish(run, result, report, records)


@transaction.atomic
def _start_anew(run: TriageRun) -> str:
    """The lists that the run was begun with are no longer to be had (a person confirmed a false likeness meanwhile), so
    this worker cannot help. If nobody else is at it, the run is planned again, with the lists of today.
    """
    mine = TriageRun.objects.select_for_update(of=("self",)).filter(pk=run.pk, state=TriageRun.State.RUNNING, lease="")
    from safelight.casework.devices.runs import send_to_queue

    if not mine.exists() or run.chunks.filter(state=TriageChunk.State.RUNNING).exists():
        return "nothing to do"
    run.chunks.all().delete()
    mine.update(state=TriageRun.State.QUEUED, heartbeat_at=None)
    run.state = TriageRun.State.QUEUED
    send_to_queue(run)
    return "planned again"


@transaction.atomic
def _planned(run: TriageRun, plan: DevicePlan, sets: list[Any]) -> bool:
    """The plan stands: from here on anyone may read its chunks. False when the planning was taken over meanwhile."""
    from safelight.casework.devices.runs import call_helpers

    mine = TriageRun.objects.select_for_update(of=("self",)).filter(
        pk=run.pk, lease=run.lease, state=TriageRun.State.RUNNING
    )
    reading = [c for c in plan.chunks if c.kind != IDENTITY]
    if not mine.exists():
        return False
    leases.lay_out(run, plan)
    run.hash_sets.set(sets)
    mine.update(
        lease="", files_total=plan.rows, bytes_total=sum(c.bytes for c in plan.chunks), stage="reading",
        files_done=0, bytes_done=0, heartbeat_at=leases.clock(),
    )  # fmt: skip
    run.lease = ""
    call_helpers(run, len(reading) - 1)
    return True


def _read(
    run: TriageRun, plan: DevicePlan, folder: RunFolder, bench: Bench, heart: leases.Heartbeat, sets: list[Any],
    path: Path, *, helping: bool,
) -> None:  # fmt: skip
    """Read chunks until none is to be had, or the run is to stop; a chunk that is not finished is given back."""
    runner: ChunkRunner | None = None
    while not heart.stop and (chunk := leases.take(run, helping=helping)) is not None:
        heart.holds(chunk=chunk)
        try:
            if runner is None:
                if helping:  # Who planned has the device open.
                    open_for(plan, bench.reader, [path])
                runner = ChunkRunner(plan, folder, bench, sets, carry=not helping)
            result = runner.run(plan.chunks[chunk.index], heart.tell)
        except Stopped:
            leases.give_back(chunk)
            break
        except BaseException:
            leases.give_back(chunk)
            raise
        leases.done(chunk, findings=len(result.findings))
    heart.holds()


@transaction.atomic
def _to_be_ended(run: TriageRun) -> bool:
    """Whether nothing is left to read and this worker brings the run to its end; `run.lease` is set then."""
    mine = (
        TriageRun.objects.select_for_update(of=("self",))
        .filter(pk=run.pk, state=TriageRun.State.RUNNING, lease="")
        .first()
    )
    if mine is None:
        return False
    left = mine.chunks.exclude(state=TriageChunk.State.DONE)
    if mine.cancel_asked:
        left = left.filter(state=TriageChunk.State.RUNNING)
    if left.exists():
        return False
    run.lease = secrets.token_hex(16)
    TriageRun.objects.filter(pk=run.pk).update(lease=run.lease, stage="matching", heartbeat_at=leases.clock())
    return True
