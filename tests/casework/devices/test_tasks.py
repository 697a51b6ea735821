"""The triage job, on real images and with the real engine."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from django_tasks.exceptions import TaskResultDoesNotExist
from tests.casework.bench import Bench
from tests.casework.factories import make_case, make_user

import safelight.casework.devices.tasks as tasks
from safelight.casework.base.errors import NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.devices import ending, leases, queries, recovery, services
from safelight.casework.devices.models import Finding, TriageChunk, TriageRun
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


def open_clock(device: Any, rule: str = "device_triage") -> bool:
    return Clock.objects.open().filter(rule=rule, subject_id=device.pk, subject_type="devices.device").exists()


def test_a_real_card_is_triaged_and_every_listed_picture_found(bench: Bench) -> None:
    """The whole point: known material on a device, live or deleted, is found and named by category."""
    bench.import_sets()
    device = bench.device()
    run = bench.triage(device)
    assert run.state in {"finished", "unread_parts"}, run.failure
    rows = list(run.findings.filter(known_good=False))
    for truth in bench.card.findable:
        mine = [f for f in rows if f.md5 == truth.md5]
        assert mine, f"{truth.path} ({truth.match}) was not found"
        assert {f.category for f in mine} == {truth.category}
        if truth.match == "exact":
            assert "exact" in {f.kind for f in mine}
    assert any(f.kind == "perceptual" and 0 < f.distance <= 31 and f.pdq for f in rows)
    assert all(f.sha256 and f.size and f.offset is not None for f in rows if not f.deleted)
    assert "Listed material found" in run.verdict
    assert "clear" not in run.verdict.lower()
    assert {s.root for s in run.hash_sets.all()} == {f.hash_set.root for f in rows}
    folder = bench.data / "reports" / run.reference
    names = [
        "SHA256SUMS",
        "case-uco.jsonld",
        "findings.csv",
        "manifest.parquet",
        "report.html",
        "report.json",
        "vics.json",
    ]
    assert sorted(p.name for p in folder.iterdir()) == names
    report = json.loads((folder / "report.json").read_text())
    assert report["findings_digest"] == run.findings_digest
    assert len(report["findings"]) == len(rows)
    assert not open_clock(device), "the triage clock runs on after triage"
    assert LedgerEntry.objects.filter(verb="triage.finished", subject_id=str(run.pk), case_key=device.case_id).exists()
    assert device.case.chronology.filter(kind="triage_finished").exists()


def test_a_second_delivery_of_the_job_changes_nothing(bench: Bench) -> None:
    """Queues deliver twice; findings counted twice would be wrong in court."""
    bench.import_sets()
    run = bench.triage(bench.device())
    before = list(run.findings.values_list("pk", flat=True))
    assert tasks.run_triage(run.pk) == "nothing to do"
    assert list(run.findings.values_list("pk", flat=True)) == before


def test_asking_twice_at_once_gives_one_run(bench: Bench) -> None:
    """Two runs over one image would race for one report folder."""
    bench.import_sets()
    device = bench.device()
    services.queue_triage(bench.examiner, device)
    with pytest.raises(NotPossible, match="waiting or running"):
        services.queue_triage(bench.examiner, device)


def test_the_job_reaches_the_queue_only_when_the_request_is_kept(bench: Bench) -> None:
    """A job for a run that was rolled back would fail in front of a worker; a run without a job would wait for ever."""
    bench.import_sets()
    device = bench.device()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        lost = services.queue_triage(bench.examiner, device)
        lost.refresh_from_db()
        assert tasks.triage_job.get_result(lost.job_id).kwargs == {"run_pk": lost.pk}
        raise ZeroDivisionError
    with pytest.raises(TaskResultDoesNotExist):
        tasks.triage_job.get_result(lost.job_id)
    run = services.queue_triage(bench.examiner, device)
    assert recovery.recover_dead_runs() == 0
    TriageRun.objects.filter(pk=run.pk).update(queued_at=timezone.now() - timedelta(hours=1), job_id="")
    assert recovery.recover_dead_runs() == 1, "a run whose job was lost is not found"
    run.refresh_from_db()
    assert tasks.triage_job.get_result(run.job_id).status == "READY"
    assert recovery.recover_dead_runs() == 0


# --- bad input: each a clear message, the case never looks as if nothing were there -----------------------------------


def assert_not_silent(run: TriageRun) -> None:
    case = run.device.case
    assert run.state in {"failed", "unread_parts"}
    text = run.failure or run.verdict
    assert len(text) > 20
    assert "nothing found" not in text.lower()
    assert queries.case_has_unread_parts(case)
    assert any(run.reference in line for line in queries.outstanding(case))
    assert not run.findings.exists()


def test_a_text_file_called_e01_fails_with_words(bench: Bench) -> None:
    """An export error must not read like an empty device."""
    bench.import_sets()
    (bench.evidence / "letter.E01").write_text("Dear colleague, this is no image.\n" * 50)
    device = bench.device("letter.E01")
    run = bench.triage(device)
    assert run.state == "failed"
    assert_not_silent(run)
    assert open_clock(device), "a failed run must not stop the clock"
    assert device.case.chronology.filter(kind="triage_failed").exists()


def test_a_truncated_e01_names_what_was_not_read(bench: Bench) -> None:
    """A cut-off copy holds less than the device did."""
    bench.import_sets()
    whole = (bench.evidence / "ext2.E01").read_bytes()
    (bench.evidence / "cut.E01").write_bytes(whole[: len(whole) * 2 // 3])
    run = bench.triage(bench.device("cut.E01"))
    assert_not_silent(run)
    if run.state == "unread_parts":
        assert run.unread.exists()


def test_an_image_without_a_file_system_is_not_an_empty_device(bench: Bench) -> None:
    """Noise may be an encrypted volume: it was not read."""
    bench.import_sets()
    (bench.evidence / "noise.dd").write_bytes(os.urandom(4 << 20))
    device = bench.device("noise.dd")
    run = bench.triage(device)
    assert_not_silent(run)
    assert open_clock(device), "nothing was read: the device has not been triaged"


def test_a_path_that_becomes_a_link_to_the_outside_is_refused_when_it_runs(bench: Bench, tmp_path: Path) -> None:
    """Whoever can write into the evidence folder must not make the worker read the rest of the machine."""
    bench.import_sets()
    image = bench.evidence / "swap.dd"
    image.write_bytes(b"\0" * 4096)
    device = bench.device("swap.dd")
    image.unlink()
    (tmp_path / "secret.dd").write_bytes(b"\0" * 4096)
    os.symlink(tmp_path / "secret.dd", image)
    run = bench.triage(device)
    assert run.state == "failed"
    assert "outside" in run.failure
    assert_not_silent(run)


def test_an_image_that_has_gone_fails_with_words(bench: Bench) -> None:
    """A disk that is not mounted is not an empty device."""
    bench.import_sets()
    device = bench.device()
    (bench.evidence / "card.dd").unlink()
    run = bench.triage(device)
    assert run.state == "failed"
    assert "mounted" in run.failure


def test_a_damaged_hash_set_stops_the_run(bench: Bench) -> None:
    """Going on without one list in silence would miss what it knows."""
    row = bench.import_sets()[0]
    file = bench.data / "hashsets" / row.root / "hashset.slh"
    data = bytearray(file.read_bytes())
    data[-20] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
    run = bench.triage(bench.device())
    assert run.state == "failed"


@pytest.mark.parametrize("name", ["ext2.E01", "ext2.split.E01", "ext2.qcow2", "iso9660.raw"])
def test_shared_images_run_to_an_end(bench: Bench, name: str) -> None:
    """Formats that labs really use, the multi-part set included."""
    bench.import_sets()
    run = bench.triage(bench.device(name))
    assert run.state in {"finished", "unread_parts"}, run.failure
    assert run.summary["files_read"] > 0
    assert "does not show that the device holds none" in run.verdict
    if name == "ext2.split.E01":
        assert len(run.summary["parts"]) == 2


# --- cancelling, dying, taking over ----------------------------------------------------------------------------------


def test_stopping_a_waiting_run_ends_it_at_once(bench: Bench) -> None:
    """A run asked for by mistake must not hold the bench."""
    bench.import_sets()
    device = bench.device()
    run = services.cancel_run(bench.examiner, services.queue_triage(bench.examiner, device))
    assert run.state == "cancelled"
    assert tasks.run_triage(run.pk) == "nothing to do"
    assert any("was stopped" in line for line in queries.outstanding(device.case))
    with pytest.raises(NotPossible, match="already ended"):
        services.cancel_run(bench.examiner, run)


def test_a_running_run_stops_when_asked_and_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped run that looked finished would hide what it did not read."""
    bench.import_sets()
    device = bench.device()
    run = services.queue_triage(bench.examiner, device)
    monkeypatch.setattr(leases, "WRITE_EVERY", 0.0)
    beat = leases.Heartbeat.tell

    def ask_to_stop(self: Any, stage: str, *figures: int) -> None:
        if stage == "reading":
            TriageRun.objects.filter(pk=run.pk).update(cancel_asked=True)
        beat(self, stage, *figures)

    monkeypatch.setattr(leases.Heartbeat, "tell", ask_to_stop)
    tasks.run_triage(run.pk)
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert "stopped before its end" in run.verdict or "Stopped" in run.failure
    assert queries.outstanding(device.case)
    assert open_clock(device)


def test_a_dead_worker_is_noticed_and_its_run_taken_over(bench: Bench) -> None:
    """A killed worker must not leave a device 'running' for ever."""
    bench.import_sets()
    device = bench.device()
    run = services.queue_triage(bench.examiner, device)
    dead = tasks._claim(run.pk)
    assert dead is not None
    assert recovery.recover_dead_runs() == 0
    TriageRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    assert recovery.recover_dead_runs() == 1
    run.refresh_from_db()
    assert (run.state, run.lease) == ("queued", "")
    assert LedgerEntry.objects.filter(verb="triage.taken_over", subject_id=str(run.pk)).exists()
    tasks.run_triage(run.pk)
    run.refresh_from_db()
    assert run.state in {"finished", "unread_parts"}
    assert run.attempts == 2
    # The first worker wakes up after all: it has lost its lease and writes nothing.
    found = run.findings.count()
    assert ending.end(dead, TriageRun.State.FAILED, "too late") == "taken over by another worker"
    heart = leases.Heartbeat(dead)
    assert heart.should_stop() and heart.lost
    run.refresh_from_db()
    assert run.state != "failed" and run.findings.count() == found


def test_what_ended_runs_needed_is_cleared_up_and_what_live_ones_need_stays(bench: Bench) -> None:
    """A folder left by a dead worker once stopped every look for dead workers; and one of a live run is its memory."""
    bench.import_sets()
    device = bench.device()
    live = services.queue_triage(bench.examiner, device)
    ended = TriageRun.objects.create(
        device=device,
        image=live.image,
        state=TriageRun.State.FAILED,
        queued_by=bench.examiner,
        queued_at=timezone.now(),
    )
    for name in (live.reference, ended.reference, "T-999999", "T-other"):
        (ending.runs_root() / name).mkdir(parents=True)
    recovery.recover_dead_runs()
    assert sorted(p.name for p in ending.runs_root().iterdir()) == sorted([live.reference, "T-other"])


def test_a_run_that_kills_its_worker_again_and_again_fails(bench: Bench) -> None:
    """A poisonous image must not eat every worker of the lab, one after another."""
    bench.import_sets()
    run = services.queue_triage(bench.examiner, bench.device())
    for _ in range(recovery.MOST_ATTEMPTS):
        assert tasks._claim(run.pk) is not None
        TriageRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
        assert recovery.recover_dead_runs() == 1
    run.refresh_from_db()
    assert run.state == "failed"
    assert "died 3 times" in run.failure


def test_a_starved_worker_is_no_dead_one(bench: Bench) -> None:
    """Two killed workers and a third, starved by a busy machine, once ended a run as failed that could be read."""
    bench.import_sets()
    run = services.queue_triage(bench.examiner, bench.device())
    TriageRun.objects.filter(pk=run.pk).update(state="running", heartbeat_at=timezone.now())
    run.refresh_from_db()
    TriageChunk.objects.create(run=run, index=0, kind="sweep", attempts=recovery.MOST_ATTEMPTS - 1)
    chunk = leases.take(run, helping=True)
    assert chunk is not None and chunk.attempts == recovery.MOST_ATTEMPTS

    def silent_for(times: float) -> int:
        TriageChunk.objects.update(heartbeat_at=timezone.now() - times * leases.dead_after())
        return recovery.recover_dead_runs()

    assert silent_for(1.5) == 0
    heart = leases.Heartbeat(run)
    heart.holds(chunk=chunk)
    assert not heart.should_stop(), "it still holds what it works on"
    TriageChunk.objects.update(attempts=1)
    assert silent_for(1.5) == 1
    heart.beat(force=True)
    assert heart.lost and TriageChunk.objects.get().attempts == 0, "its death was counted, and it lives"
    TriageChunk.objects.update(attempts=recovery.MOST_ATTEMPTS - 1)
    assert leases.take(run, helping=True) is not None
    assert silent_for(recovery.PATIENCE + 0.5) == 1
    run.refresh_from_db()
    assert run.state == "failed" and "died 3 times" in run.failure


def test_a_fault_of_ours_ends_the_run_and_goes_to_the_log(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page must not say 'running' when nobody is."""
    bench.import_sets()
    run = services.queue_triage(bench.examiner, bench.device())

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError("made by the test")

    monkeypatch.setattr(tasks, "merge", broken)
    with pytest.raises(ZeroDivisionError):
        tasks.run_triage(run.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert "fault of its own" in run.failure


def test_a_hostile_name_is_kept_readable(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """NUL and undecodable bytes in a name must not lose the finding at the database's door."""
    bench.import_sets()
    real = tasks.merge

    def renamed(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        found = tuple(replace(f, path=f"a\0b\udcff/{f.path}") for f in result.findings)
        return replace(result, findings=found)

    monkeypatch.setattr(tasks, "merge", renamed)
    monkeypatch.setattr(ending, "write_report", lambda result, folder: folder.mkdir(parents=True, exist_ok=True))
    run = bench.triage(bench.device())
    assert run.findings.exists()
    assert all(f.path.startswith("a\\x00b\\udcff/") for f in run.findings.all())


# --- accounting for unread parts -------------------------------------------------------------------------------------


def test_unread_parts_stay_until_a_person_accounts_for_them(bench: Bench) -> None:
    """A case may close over unread parts only when somebody said why, by name; and they stay 'not read'."""
    bench.import_sets()
    (bench.evidence / "noise.dd").write_bytes(os.urandom(4 << 20))
    case = make_case()
    device = bench.device("noise.dd", case)
    run = bench.triage(device)
    assert queries.outstanding(case)
    other = make_user("investigator", "CN")
    with pytest.raises(Exception, match="examiner or a supervisor"):
        services.accept_unread(other, run, reason="x")
    services.accept_unread(bench.examiner, run, reason="Encrypted; the key is asked for in another way.")
    assert queries.outstanding(case) == []
    assert queries.case_has_unread_parts(case)
    assert not open_clock(device)
    with pytest.raises(NotPossible, match="accounted for"):
        services.accept_unread(bench.examiner, run, reason="again")


def test_progress_gives_rate_and_time_left() -> None:
    """Whoever waits at two in the morning wants to know for how long."""
    now = timezone.now()
    run = TriageRun(
        state="running", started_at=now - timedelta(seconds=10), heartbeat_at=now, bytes_done=100, bytes_total=200
    )
    run.summary = {"rate": 20, "seconds_left": 5}
    moment = queries.progress_of(run)
    assert (moment.rate, moment.seconds_left, moment.silent_for) == (20, 5, None)
    run.heartbeat_at = now - timedelta(minutes=2)
    assert queries.progress_of(run).silent_for is not None


def test_findings_are_paged_by_key(bench: Bench) -> None:
    """A device with 100,000 findings must open as fast as one with ten."""
    bench.import_sets()
    run = bench.triage(bench.device())
    sample = run.findings.first()
    assert sample is not None
    values = {f.attname: getattr(sample, f.attname) for f in Finding._meta.concrete_fields if f.attname != "id"}
    Finding.objects.bulk_create([Finding(**values) for _ in range(120)])
    seen: list[int] = []
    page = queries.findings(run)
    while True:
        seen += [row.pk for row in page.rows]
        if not page.after:
            break
        page = queries.findings(run, after=int(page.after))
    assert seen == list(run.findings.order_by("pk").values_list("pk", flat=True))
