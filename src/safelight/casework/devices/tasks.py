"""The triage job: one delivery runs one image through the engine and writes what it found.

A job may be delivered twice, its worker may be killed at any moment, and the evidence may be hostile. So: a run is
claimed by a lease, progress is written in short statements of their own, results in one transaction at the end and
only by whoever still holds the lease, and whatever goes wrong becomes a state with a reason, never a crash.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone
from django_tasks import task
from django_tasks.exceptions import TaskResultDoesNotExist

from safelight.casework.cases.services import note
from safelight.casework.devices.models import Finding, TriageRun, UnreadPart
from safelight.casework.devices.recording import BATCH, findings_of, plain, state_of, summary_of, unread_of
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.errors import EvidenceError, SafelightError
from safelight.triage import TriageResult, TriageSettings, resolve_inside, triage_device, write_report
from safelight.triage.progress import STAGES

log = logging.getLogger(__name__)

WRITE_EVERY = 0.5  # seconds between two writes of progress
DEAD_AFTER = timedelta(seconds=150)  # longer than a parser may stay silent (TriageSettings.stall_seconds)
_ENDINGS = {
    TriageRun.State.FAILED: ("triage.failed", "triage_failed", "was not read"),
    TriageRun.State.CANCELLED: ("triage.cancelled", "triage_cancelled", "was not triaged"),
}
MOST_ATTEMPTS = 3  # a run whose worker dies again and again is a fault to look at, not to repeat for ever


@task()
def triage_job(run_pk: int) -> str:
    """The queued form of :func:`run_triage`."""
    return run_triage(run_pk)


@dataclass
class Heartbeat:
    """Writes how far a run is, at most twice a second, and learns whether it should stop."""

    run_pk: int
    lease: str
    stop: bool = False
    lost: bool = False
    _last: float = field(default=float("-inf"))
    _stage: str = ""
    _figures: dict[str, Any] = field(default_factory=dict)

    def progress(self, moment: Any) -> None:
        """Called by the engine."""
        if moment.stage == STAGES[-1]:
            return  # its figures are those of the result, which is written at the end
        self._figures = {
            "stage": plain(moment.stage, 60),
            "files_done": moment.files_done,
            "files_total": moment.files_total,
            "bytes_done": moment.bytes_done,
            "bytes_total": moment.bytes_total,
            "summary": {
                "rate": int(moment.rate),
                "seconds_left": None if moment.seconds_left is None else int(moment.seconds_left),
                "findings": moment.findings,
            },
        }
        self.beat(force=moment.stage != self._stage)
        self._stage = moment.stage

    def should_stop(self) -> bool:
        """Called by the engine."""
        self.beat()
        return self.stop

    def beat(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._last < WRITE_EVERY:
            return
        self._last = now
        mine = TriageRun.objects.filter(pk=self.run_pk, lease=self.lease, state=TriageRun.State.RUNNING)
        try:
            if not mine.update(heartbeat_at=timezone.now(), **self._figures):
                self.lost = self.stop = True
            elif mine.filter(cancel_asked=True).exists():
                self.stop = True
        except OperationalError:
            # A busy database costs a line of progress, not the run; the next beat tries again.
            log.warning("Progress of triage run %s could not be written.", self.run_pk)


def run_triage(run_pk: int) -> str:
    """Run one triage to its end. Returns what became of it, in a word, for the job's own record."""
    run = _claim(run_pk)
    if run is None:
        return "nothing to do"
    try:
        return _examine(run)
    except (SafelightError, OSError, MemoryError) as error:
        return _end(run, TriageRun.State.FAILED, _in_words(error))
    finally:
        # A fault of ours goes on to the worker, which keeps its trace; the page must not go on saying 'running'.
        # (A worker that is told to stop raises no Exception: its run is taken over.)
        if isinstance(sys.exception(), Exception):
            _end(
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
    """Take a waiting run; None when it was taken, cancelled or finished (a job delivered twice)."""
    run = (
        TriageRun.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("device__case", "image", "queued_by")
        .filter(pk=run_pk, state=TriageRun.State.QUEUED)
        .first()
    )
    if run is None:
        return None
    run.state, run.lease = TriageRun.State.RUNNING, secrets.token_hex(16)
    run.started_at = run.heartbeat_at = timezone.now()
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
        payload={"device": run.device.reference, "attempt": run.attempts},
    )
    return run


def _examine(run: TriageRun) -> str:
    from safelight.casework.hashsets.services import load_live, negative_bank

    path = resolve_inside(Path(settings.EVIDENCE_ROOT), run.image.path)
    live = load_live()
    if not live:
        return _end(
            run, TriageRun.State.FAILED, "There is no hash set to compare with. Import one and run the triage again."
        )
    heart = Heartbeat(run.pk, run.lease)
    making = _making(run)
    making.mkdir(parents=True, exist_ok=True)
    try:
        result = triage_device(
            [path],
            hash_sets=[hash_set for _, hash_set in live] + negative_bank(),
            settings=TriageSettings(sandbox=settings.TRIAGE_SANDBOX),
            operator=run.queued_by.name,
            on_progress=heart.progress,
            should_stop=heart.should_stop,
            manifest=making / "manifest.parquet",  # what a newer list is held against later
        )
    except EvidenceError:
        if heart.stop and not heart.lost:
            return _end(run, TriageRun.State.CANCELLED, "Stopped before the image was open. Nothing was read.")
        raise
    if heart.lost:
        shutil.rmtree(making, ignore_errors=True)
        return "taken over by another worker"
    folder = _write_report(run, result)
    records = {record.root: record for record, _ in live}
    for wait in (1.0, 5.0, 20.0):
        try:
            return _finish(run, result, folder, records)
        except OperationalError:
            # Hours of reading are not thrown away because the database is busy for a moment.
            log.warning("The result of %s could not be written; trying again in %s s.", run.reference, wait)
            time.sleep(wait)
    return _finish(run, result, folder, records)


def _making(run: TriageRun) -> Path:
    """Where the files of a run are put together until it is finished."""
    return Path(settings.REPORTS_ROOT) / f".{run.reference}.{run.lease}"


def _write_report(run: TriageRun, result: TriageResult) -> Path:
    """The report files in their final place. A folder left by an attempt that died is replaced whole."""
    target, making = Path(settings.REPORTS_ROOT) / run.reference, _making(run)
    write_report(result, making)
    if target.exists():
        shutil.rmtree(target)
    making.rename(target)
    return target


@transaction.atomic
def _finish(run: TriageRun, result: TriageResult, folder: Path, records: dict[str, Any]) -> str:
    """Everything the run found, in one transaction, by whoever still holds the lease."""
    from safelight.casework.devices.runs import settle_triage_clock
    from safelight.casework.hashsets.rechecks import catch_up

    mine = (
        TriageRun.objects.select_for_update(of=("self",))
        .filter(pk=run.pk, lease=run.lease, state=TriageRun.State.RUNNING)
        .first()
    )
    if mine is None:
        return "taken over by another worker"
    Finding.objects.bulk_create(findings_of(run, result, records), batch_size=BATCH)
    UnreadPart.objects.bulk_create(unread_of(run, result), batch_size=BATCH)
    mine.hash_sets.set(list(records.values()))
    mine.state, mine.finished_at, mine.lease = state_of(result), timezone.now(), ""
    mine.tool_version = plain(f"{result.tool} {result.tool_version}", 80)
    mine.verdict, mine.findings_digest = plain(result.verdict.sentence), result.findings_digest
    mine.unread_bytes, mine.summary = result.bytes_not_read, summary_of(result)
    mine.report_folder = str(folder.relative_to(Path(settings.REPORTS_ROOT)))
    mine.stage = "done"
    mine.failure = ""
    mine.save()
    cancelled = mine.state == TriageRun.State.CANCELLED
    device = run.device
    record(
        None,
        "triage.cancelled" if cancelled else "triage.finished",
        mine,
        category=Category.SYSTEM,
        case=device.case,
        payload={
            "device": device.reference,
            "state": mine.state,
            "findings": len(result.findings),
            "findings_digest": mine.findings_digest,
            "unread_parts": len(result.unread),
            "unread_bytes": mine.unread_bytes,
            "hash_sets": sorted(records),
            "tool": mine.tool_version,
        },
    )
    kind = "triage_cancelled" if cancelled else "triage_finished"
    note(None, device.case, kind, f"{device.exhibit} ({mine.reference}): {mine.verdict}")
    settle_triage_clock(None, device)
    catch_up(mine)
    return str(mine.state)


@transaction.atomic
def _end(run: TriageRun, state: str, reason: str) -> str:
    """The run gave no answer (failed, or cancelled before it began to read); the device's page shows why."""
    mine = (
        TriageRun.objects.select_for_update(of=("self",))
        .filter(pk=run.pk, lease=run.lease, state=TriageRun.State.RUNNING)
        .first()
    )
    if mine is None:
        return "taken over by another worker"
    shutil.rmtree(Path(settings.REPORTS_ROOT) / f".{run.reference}.{run.lease}", ignore_errors=True)
    mine.state, mine.finished_at, mine.lease = state, timezone.now(), ""
    mine.failure, mine.summary = plain(reason), {}
    mine.save(update_fields=["state", "finished_at", "lease", "failure", "summary"])
    device = run.device
    verb, kind, words = _ENDINGS[state]
    record(
        None,
        verb,
        mine,
        category=Category.SYSTEM,
        case=device.case,
        payload={"device": device.reference, "attempt": mine.attempts},
    )
    note(None, device.case, kind, f"{device.exhibit} {words} ({mine.reference}): {mine.failure}")
    return state


def recover_dead_runs() -> int:
    """Find runs whose worker died and runs whose job was lost, and queue them again. ``safelight tick`` calls it.

    Returns:
        How many runs were touched.
    """
    now = timezone.now()
    dead = TriageRun.objects.filter(state=TriageRun.State.RUNNING, heartbeat_at__lt=now - DEAD_AFTER)
    touched = sum(_take_from_the_dead(pk) for pk in list(dead.values_list("pk", flat=True)[:100]))
    waiting = TriageRun.objects.filter(state=TriageRun.State.QUEUED, queued_at__lt=now - DEAD_AFTER)
    for run in waiting.order_by("pk")[:100]:
        if _job_is_lost(run):
            job = triage_job.enqueue(run_pk=run.pk)
            TriageRun.objects.filter(pk=run.pk).update(job_id=str(job.id))
            touched += 1
    return touched


@transaction.atomic
def _take_from_the_dead(run_pk: int) -> int:
    from safelight.casework.devices.runs import send_to_queue

    run = (
        TriageRun.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("device__case")
        .filter(pk=run_pk, state=TriageRun.State.RUNNING, heartbeat_at__lt=timezone.now() - DEAD_AFTER)
        .first()
    )
    if run is None:
        return 0
    if run.cancel_asked:
        _end(run, TriageRun.State.CANCELLED, "Stopped; its worker had died. Nothing was recorded.")
        return 1
    if run.attempts >= MOST_ATTEMPTS:
        _end(
            run,
            TriageRun.State.FAILED,
            f"Its worker died {run.attempts} times. Look at the machine and its memory, then run it again.",
        )
        return 1
    run.state, run.lease, run.heartbeat_at = TriageRun.State.QUEUED, "", None
    run.save(update_fields=["state", "lease", "heartbeat_at"])
    record(
        None,
        "triage.taken_over",
        run,
        category=Category.SYSTEM,
        case=run.device.case,
        payload={"device": run.device.reference, "attempts": run.attempts},
    )
    send_to_queue(run)
    return 1


def _job_is_lost(run: TriageRun) -> bool:
    """Whether no job stands in the queue for a waiting run (the process died between commit and enqueue)."""
    if not run.job_id:
        return True
    try:
        return bool(triage_job.get_result(run.job_id).is_finished)
    except TaskResultDoesNotExist:
        return True
