"""How a triage run ends: its report in its place, and everything it found in one transaction."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from safelight.casework.cases.services import note
from safelight.casework.devices.models import Finding, TriageRun, UnreadPart
from safelight.casework.devices.recording import BATCH, findings_of, plain, state_of, summary_of, unread_of
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.triage import TriageResult, write_report
from safelight.triage.chunks import DevicePlan, RunFolder, write_manifest

TAKEN = "taken over by another worker"
_ENDINGS = {
    TriageRun.State.FAILED: ("triage.failed", "triage_failed", "was not read"),
    TriageRun.State.CANCELLED: ("triage.cancelled", "triage_cancelled", "was not triaged"),
}


def runs_root() -> Path:
    """Where runs keep what is finished, until they are over. All workers reach it: it lies with the reports."""
    return Path(settings.REPORTS_ROOT) / ".runs"


def run_folder(run: TriageRun) -> RunFolder:
    """The run's own part of it."""
    return RunFolder(runs_root() / run.reference)


def keep_report(run: TriageRun, result: TriageResult, plan: DevicePlan, folder: RunFolder) -> Path:
    """The report files in their final place. A folder left by an attempt that died is replaced whole."""
    root = Path(settings.REPORTS_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    target, making = root / run.reference, root / f".{run.reference}.{run.lease}"
    making.mkdir(parents=True, exist_ok=True)
    write_manifest(plan, folder, making / "manifest.parquet")  # what a newer list is held against later
    write_report(result, making)
    if target.exists():
        shutil.rmtree(target)
    making.rename(target)
    return target


@transaction.atomic
def finish(run: TriageRun, result: TriageResult, folder: Path, records: dict[str, Any]) -> str:
    """Everything the run found, in one transaction, by whoever still holds the lease."""
    from safelight.casework.devices.runs import settle_triage_clock
    from safelight.casework.hashsets.rechecks import catch_up

    mine = (
        TriageRun.objects.select_for_update(of=("self",))
        .filter(pk=run.pk, lease=run.lease, state=TriageRun.State.RUNNING)
        .first()
    )
    if mine is None:
        return TAKEN
    Finding.objects.bulk_create(findings_of(run, result, records), batch_size=BATCH)
    UnreadPart.objects.bulk_create(unread_of(run, result), batch_size=BATCH)
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
    transaction.on_commit(run_folder(run).remove)
    return str(mine.state)


@transaction.atomic
def end(run: TriageRun, state: str, reason: str) -> str:
    """The run gave no answer (failed, or cancelled before it began to read); the device's page shows why."""
    mine = (
        TriageRun.objects.select_for_update(of=("self",))
        .filter(pk=run.pk, lease=run.lease, state=TriageRun.State.RUNNING)
        .first()
    )
    if mine is None:
        return TAKEN
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
    transaction.on_commit(run_folder(run).remove)
    return state
