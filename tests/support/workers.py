"""Real workers as processes of their own, killed without warning: for the tests and for scripts/trust worker-kills."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from safelight.casework.devices.models import TriageChunk, TriageRun


@dataclass
class Outcome:
    """What became of one run under fire."""

    state: str
    digest: str
    files: int
    findings: int
    kills: int
    taken_over: int
    seconds: float
    waits: list[float] = field(default_factory=list)
    #: The longest time in which the watcher itself got nothing done: then the whole machine stood still.
    stood_still: float = 0.0


class Lab:
    """Three workers on one database.

    Args:
        database: DATABASE_URL of the workers.
        data, evidence: their folders.
        more: further settings of theirs, by variable.
    """

    def __init__(self, database: str, data: Path, evidence: Path, **more: str) -> None:
        self.environment = {
            **os.environ, "DATABASE_URL": database, "SAFELIGHT_DATA": str(data), "SAFELIGHT_TESTING": "1",
            "SAFELIGHT_EVIDENCE_ROOT": str(evidence), "SAFELIGHT_WORKER_HEARTBEAT": "0.4",
            "SAFELIGHT_WORKER_DEAD_AFTER": "2", "SAFELIGHT_TRIAGE_CHUNK_MIB": "64", **more,
        }  # fmt: skip
        self.log = data / "workers.log"
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, count: int, *options: str) -> None:
        """Start workers."""
        with self.log.open("ab") as log:
            for _ in range(count):
                command = [sys.executable, "-m", "safelight.cli.main", "worker", "--interval", "0.2", *options]
                self.workers.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """As a power cut would: no handler, no goodbye."""
        self.workers.remove(worker)
        worker.kill()
        worker.wait()

    def close(self) -> None:
        """End what is left."""
        for worker in self.workers:
            worker.kill()
        for worker in self.workers:
            worker.wait()
        self.workers.clear()

    def under_fire(self, run: TriageRun, rng: random.Random, *, kills: int, most: float = 120.0) -> Outcome:
        """Wait for a run's end; meanwhile kill whoever works on it, so many times, each at a random moment of its work,
        and start another worker in its place.
        """
        begun = time.monotonic()
        done, waits = 0, []
        strike: float | None = None
        hurt: tuple[float, int] | None = None
        before, stood_still = begun, 0.0
        while time.monotonic() - begun < most:
            run.refresh_from_db()
            now = time.monotonic()
            before, stood_still = now, max(stood_still, now - before)
            working = {int(w.split()[-1]) for w in self._holders(run)}
            if hurt and (run.state not in ("queued", "running") or working - {hurt[1]}):
                waits.append(now - hurt[0])
                hurt = None
            if run.state not in ("queued", "running"):
                break
            if run.state == "running" and done < kills and hurt is None:
                strike = strike or now + rng.random() * 0.6
                victims = [w for w in self.workers if w.pid in working] or ([] if now < strike + 1 else self.workers)
                if now >= strike and victims:
                    victim = rng.choice(victims)
                    self.kill(victim)
                    self.start(1)
                    done, strike, hurt = done + 1, None, (now, victim.pid)
            time.sleep(0.03)
        from safelight.casework.ledger.models import LedgerEntry

        return Outcome(
            run.state, run.findings_digest, run.summary.get("files", -1), run.findings.count(), done,
            LedgerEntry.objects.filter(verb="triage.taken_over", subject_id=str(run.pk)).count(),
            time.monotonic() - begun, waits, stood_still,
        )  # fmt: skip

    def _holders(self, run: TriageRun) -> list[str]:
        """Who has a lease on the run or a chunk of it. (Who plans or ends it is told by the ledger alone.)"""
        held = TriageChunk.objects.filter(run=run, state=TriageChunk.State.RUNNING)
        return list(held.values_list("worker", flat=True))


#: Files that `big_image` holds.
FILES = 3 + 20 + 100 + 12


def big_image(folder: Path) -> Path:
    """An ext4 image of 900 MiB, so several chunks (each ends where a window of 256 MiB does): known pictures, files."""
    from tests.support.hostile import picture
    from tests.triage.conftest import make_ext

    from safelight.demo.hashsets import known_picture

    rng = random.Random("big image")
    files: dict[str, bytes] = {f"DCIM/p{n}.png": picture("PNG", seed=n, side=64) for n in range(20)}
    files |= {f"known/{n}.jpg": known_picture(n).content for n in range(3)}
    files |= {f"text/{n}.txt": rng.randbytes(3000) for n in range(100)}
    files |= {f"large/{n}.bin": rng.randbytes(9 << 20) for n in range(12)}
    return make_ext(folder / "big.dd", files, size="900M")
