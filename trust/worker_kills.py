"""Workers killed (SIGKILL) at random moments of their work, again and again (F6).

Three workers read one device of several chunks. Whoever works on it is killed and another worker started in its
place; the device is read anew until all kills are used up: two a run, because three deaths over the same piece of work
end a run by rule, as a fault to look at. Every run must end finished, with every file counted once, with the findings
digest of an undisturbed run, and no one may wait longer than 30 s. A run during which the whole machine stood still for
longer than a worker may be silent, the watcher too, proves nothing about kills: it is read again, and counted apart.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from trust import Progress, Result, Size, say

TITLE = "Workers killed at random"
DATABASES = ("sqlite", "postgresql")
ORDER = 80

#: Seconds in which somebody else must take the work up.
LONGEST_WAIT = 30


@dataclass(frozen=True)
class Settings:
    """Kills in all, kills of one run, seconds between signs of life (the product's: 4), seconds of silence after which
    a worker is taken for dead (the product's: 18)."""

    kills: int
    a_run: int = 2
    heartbeat: str = "1"
    dead_after: str = "5"


SIZES = {"small": Settings(kills=4), "full": Settings(kills=100)}


def run(size: Size) -> Result:
    """F6 on the database that Django is set up for."""
    from django.conf import settings

    asked = SIZES[size]
    evidence, data = Path(settings.EVIDENCE_ROOT), Path(settings.DATA)
    os.environ["SAFELIGHT_TRIAGE_CHUNK_MIB"] = "64"
    settings.TRIAGE_CHUNK_MIB = 64
    database = os.environ["DATABASE_URL"]
    with tempfile.TemporaryDirectory() as folder:
        return _fire(asked, Path(folder), data, evidence, database)


def _fire(asked: Settings, work: Path, data: Path, evidence: Path, database: str) -> Result:
    from tests.casework.factories import make_case, make_device, make_user
    from tests.support.workers import FILES, Lab, big_image

    from safelight.casework.devices import services
    from safelight.casework.hashsets.services import import_hash_set
    from safelight.demo.hashsets import write_hash_sets

    examiner = make_user("examiner", "CN", skills=["image_grading"])
    lists = write_hash_sets(work / "lists")
    import_hash_set(
        examiner, path=lists.vics, file_name="list.json", name="Synthetic list", kind="known", version="1",
        source="Synthetic publisher", legal_basis="A test",
    )  # fmt: skip
    image = big_image(evidence)
    rng = random.Random("2026")
    lab = Lab(
        database, data, evidence, SAFELIGHT_WORKER_HEARTBEAT=asked.heartbeat,
        SAFELIGHT_WORKER_DEAD_AFTER=asked.dead_after,
    )  # fmt: skip
    killed = wrong = runs = taken = still = 0
    waits: list[float] = []
    failures: list[str] = []
    step = Progress("kills", asked.kills)
    wanted = None
    try:
        lab.start(3)
        while killed < asked.kills:
            here = image.with_name(f"image-{runs}-{still}.dd")
            image = image.rename(here)
            device = make_device(make_case(), examiner)
            services.register_image(examiner, device, path=here.name)
            run = services.queue_triage(examiner, device)
            # The first run is undisturbed: the others must find what it found.
            kills = 0 if wanted is None else min(asked.a_run, asked.kills - killed)
            came = lab.under_fire(run, rng, kills=kills, most=600)
            right = (came.state, came.files, came.digest) == ("finished", FILES, wanted or came.digest)
            if came.stood_still > float(asked.dead_after) and not (came.state == "finished" and not right):
                still += 1
                say(f"{run.reference}: the machine stood still: {came}")
                continue
            runs += 1
            killed, taken = killed + came.kills, taken + came.taken_over
            waits += came.waits
            wanted = wanted or came.digest
            if not right:
                wrong += 1
                failures.append(f"{run.reference}: {came}; {run.failure}")
            say(f"{run.reference}: {came}")
            step(came.kills)
    finally:
        lab.close()
    longest, usual = max(waits, default=0.0), statistics.median(waits or [0.0])
    result = Result()
    result.add(
        "F6 runs under fire", runs, runs - wrong,
        f"{killed} kills, {taken} leases taken over; {still} runs read again because the whole machine stood still",
    )  # fmt: skip
    late = sum(one > LONGEST_WAIT for one in waits)
    result.add("F6 waits for another worker, at most 30 s", len(waits), len(waits) - late, f"longest {longest:.1f} s")
    result.measured("wait for another worker: median, longest", f"{usual:.1f} s, {longest:.1f} s", "30 s", met=not late)
    for what in failures:
        result.fail(what)
    return result
