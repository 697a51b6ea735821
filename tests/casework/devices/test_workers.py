"""Three real workers on one device, some of them killed: taken over, counted once, the same findings."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.casework.bench import Bench, make_bench
from tests.casework.conftest import DEMO_SITE
from tests.support.workers import FILES, Lab, big_image

from safelight.casework.devices import recovery, services
from safelight.casework.devices.models import EvidenceImage, TriageRun
from safelight.casework.ledger.models import LedgerEntry
from safelight.web.env import text

pytestmark = pytest.mark.django_db(transaction=True)


def url() -> str:
    """The tests' own database, for processes of their own."""
    own = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{own['NAME']}"
    whole = text("DATABASE_URL")
    return f"{whole.rpartition('/')[0]}/{own['NAME']}"


@pytest.fixture
def bench(settings: Any, tmp_path: Path) -> Bench:
    return make_bench(settings, tmp_path)


@pytest.fixture
def lab(bench: Bench, settings: Any) -> Any:
    # The keys are those of the tests, whose rows the database holds.
    site = {"SAFELIGHT_SITE_STANDARDS": str(DEMO_SITE), "SAFELIGHT_FIELD_KEYS": str(settings.FIELD_KEYS)}
    one = Lab(url(), bench.data, bench.evidence, **site)
    yield one
    one.close()


def test_killed_workers_cost_nothing_but_time(bench: Bench, lab: Lab) -> None:
    """A worker that dies in the night would leave a device half read, or its files counted twice."""
    bench.import_sets()
    big_image(bench.evidence)
    run = services.queue_triage(bench.examiner, bench.device("big.dd"))
    lab.start(3)
    came = lab.under_fire(run, random.Random("kills"), kills=2)
    said = lab.log.read_text()[-3000:]
    assert came.state == "finished", (came, said)
    assert came.kills == 2 and came.files == FILES and came.findings >= 3, came
    assert max(came.waits, default=0) < 30, came
    chunks = list(run.chunks.values_list("state", "lease"))
    assert len(chunks) >= 4 and set(chunks) == {("done", "")}
    if came.taken_over:
        entry = LedgerEntry.objects.filter(verb="triage.taken_over", subject_id=str(run.pk)).first()
        assert entry is not None and entry.payload["device"] == run.device.reference
    # The same device alone, with nobody killed.
    EvidenceImage.objects.filter(path="big.dd").update(path="elsewhere.dd")
    (bench.evidence / "big.dd").rename(bench.evidence / "again.dd")
    quiet = services.queue_triage(bench.examiner, bench.device("again.dd"))
    calm = lab.under_fire(quiet, random.Random(), kills=0)
    assert (calm.state, calm.files, calm.findings) == ("finished", came.files, came.findings)
    assert calm.digest == came.digest
    recovery.recover_dead_runs()
    assert not list((bench.data / "reports" / ".runs").iterdir()), "what a run needs only while it runs is left behind"


def test_a_device_waits_for_the_bench_that_has_its_disk(bench: Bench, lab: Lab) -> None:
    """A worker without the disk would report that the device cannot be read."""
    bench.import_sets()
    device = bench.device()
    services.place_image(bench.examiner, device.images.get(), bench="lab-3")
    run = services.queue_triage(bench.examiner, device)
    lab.start(1, "--batch")
    assert lab.workers[0].wait(60) == 0
    run.refresh_from_db()
    assert run.state == TriageRun.State.QUEUED
    lab.workers.clear()
    lab.start(1, "--queue", "lab-3", "--only", "--batch")
    assert lab.workers[0].wait(60) == 0, lab.log.read_text()[-2000:]
    run.refresh_from_db()
    assert run.state in {"finished", "unread_parts"}
