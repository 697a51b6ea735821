"""Who does which chunk of a triage run: leases that a dead worker loses, and signs of life.

All times are the database's: workers on several machines need not agree about theirs.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Case, F, IntegerField, Sum, Value, When
from django.utils import timezone

from safelight.casework.devices.models import TriageChunk, TriageRun
from safelight.casework.devices.recording import plain
from safelight.triage.plan import IDENTITY, DevicePlan

log = logging.getLogger(__name__)

WRITE_EVERY = 0.5  # seconds between two writes of progress


def dead_after() -> timedelta:
    """How long a worker may be silent before it is taken for dead."""
    return timedelta(seconds=settings.WORKER_DEAD_AFTER)


def clock() -> datetime:
    """What time the database has."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


def me() -> str:
    """This worker, for people who look for it."""
    return f"{socket.gethostname()} {os.getpid()}"[:120]


def lay_out(run: TriageRun, plan: DevicePlan) -> None:
    """Write down the chunks of a plan; those that stand already stay as they are."""
    TriageChunk.objects.bulk_create(
        [TriageChunk(run=run, index=c.index, kind=c.kind, size=c.bytes, files=c.last - c.first) for c in plan.chunks],
        ignore_conflicts=True,
    )


@transaction.atomic
def take(run: TriageRun, *, helping: bool) -> TriageChunk | None:
    """The next chunk, with a lease on it; None when there is none to be had.

    Args:
        helping: take the digest of the whole media first, which cannot be split. Who planned the run takes it last: if
            nobody helps, it has come by with the rest.
    """
    waiting = TriageChunk.objects.select_for_update(of=("self",), skip_locked=True).filter(
        run=run, run__state=TriageRun.State.RUNNING, run__cancel_asked=False, state=TriageChunk.State.WAITING
    )
    order = Case(When(kind=IDENTITY, then=Value(0 if helping else 2)), default=Value(1), output_field=IntegerField())
    chunk = waiting.order_by(order, "index").first()
    if chunk is None:
        return None
    chunk.state, chunk.lease, chunk.worker = TriageChunk.State.RUNNING, secrets.token_hex(16), me()
    chunk.attempts += 1
    chunk.heartbeat_at, chunk.bytes_done, chunk.files_done, chunk.findings = clock(), 0, 0, 0
    chunk.save()
    return chunk


def done(chunk: TriageChunk, *, findings: int) -> None:
    """The chunk's result is in the run's folder. Had the lease been lost meanwhile: it is the same result."""
    TriageChunk.objects.filter(pk=chunk.pk, lease=chunk.lease, state=TriageChunk.State.RUNNING).update(
        state=TriageChunk.State.DONE, lease="", finished_at=clock(), bytes_done=chunk.size, files_done=chunk.files,
        findings=findings,
    )  # fmt: skip


def give_back(chunk: TriageChunk) -> None:
    """The chunk was not finished, and no one died: it waits again, and this attempt does not count."""
    TriageChunk.objects.filter(pk=chunk.pk, lease=chunk.lease, state=TriageChunk.State.RUNNING).update(
        state=TriageChunk.State.WAITING, lease="", attempts=chunk.attempts - 1
    )


@dataclass
class _Moment:
    stage: str = ""
    files: int = 0
    size: int = 0
    findings: int = 0


class Heartbeat:
    """Signs of life of one worker over one run: progress as the engine goes, and a beat of its own when that is silent.

    It learns on the way whether the run is to stop (`stop`), and whether it is another's by now (`lost`).
    """

    def __init__(self, run: TriageRun) -> None:
        self._run = run.pk
        self._lease = run.lease
        self._chunk: TriageChunk | None = None
        self._moment = _Moment()
        self._last = float("-inf")
        self._began: tuple[float, int] | None = None
        self._over = threading.Event()
        self.stop = False
        self.lost = False
        self._thread = threading.Thread(target=self._beat_alone, daemon=True, name="heartbeat")

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(2)

    def holds(self, *, lease: str = "", chunk: TriageChunk | None = None) -> None:
        """What this worker has a lease on from now on: the run's planning or end, or a chunk of it."""
        self._lease, self._chunk, self._moment = lease, chunk, _Moment()

    def tell(self, stage: str, files: int, size: int, findings: int) -> None:
        """Called by the engine: how far the chunk (or the listing) is."""
        changed = stage != self._moment.stage
        self._moment = _Moment(stage, files, size, findings)
        self.beat(force=changed)

    def should_stop(self) -> bool:
        """Called by the engine."""
        self.beat()
        return self.stop

    def beat(self, *, force: bool = False) -> None:
        """Write progress, at most twice a second, and look whether the run goes on."""
        now = time.monotonic()
        if not force and now - self._last < WRITE_EVERY:
            return
        self._last = now
        try:
            if not self._sign(self._figures()):
                self._alive_after_all()
                self.lost = self.stop = True
            elif TriageRun.objects.filter(pk=self._run, cancel_asked=True).exists():
                self.stop = True
        except OperationalError:
            # A busy database costs a line of progress, not the run; the next beat tries again.
            log.warning("Progress of triage run %s could not be written.", self._run)

    def _alive_after_all(self) -> None:
        """This worker was taken for dead, and lives: what was counted as its death was none."""
        if self._chunk is not None and not self.lost:
            TriageChunk.objects.filter(pk=self._chunk.pk, attempts__gt=0).exclude(lease=self._chunk.lease).exclude(
                state=TriageChunk.State.DONE
            ).update(attempts=F("attempts") - 1)

    def _figures(self) -> dict[str, Any]:
        at = self._moment
        run: dict[str, Any] = {"stage": plain(at.stage, 60)} if at.stage else {}
        if self._chunk is None:
            return {**run, "files_done": at.files, "bytes_done": at.size} if at.stage else run
        self._chunk.files_done = min(at.files, self._chunk.files)
        self._chunk.bytes_done = min(at.size, self._chunk.size)
        self._chunk.findings = at.findings
        others = TriageChunk.objects.filter(run=self._run).exclude(pk=self._chunk.pk).aggregate(
            bytes=Sum("bytes_done"), read=Sum("files_done"), found=Sum("findings"), total=Sum("size")
        )  # fmt: skip
        size = (others["bytes"] or 0) + self._chunk.bytes_done
        now = time.monotonic()
        self._began = self._began or (now, size)
        rate = (size - self._began[1]) / (now - self._began[0]) if now > self._began[0] else 0.0
        left = (others["total"] or 0) + self._chunk.size - size
        return {
            **run,
            "bytes_done": size,
            "files_done": (others["read"] or 0) + self._chunk.files_done,
            "summary": {
                "rate": int(rate),
                "seconds_left": int(left / rate) if rate > 0 else None,
                "findings": (others["found"] or 0) + at.findings,
            },
        }

    def _sign(self, figures: dict[str, Any]) -> bool:
        """A sign of life; False when the run or the lease is no longer this worker's."""
        moment = clock()
        mine = TriageRun.objects.filter(pk=self._run, state=TriageRun.State.RUNNING)
        if self._lease:
            mine = mine.filter(lease=self._lease)
        if self._chunk is not None:
            held = TriageChunk.objects.filter(
                pk=self._chunk.pk, lease=self._chunk.lease, state=TriageChunk.State.RUNNING
            )
            c = self._chunk
            if not held.update(
                heartbeat_at=moment, bytes_done=c.bytes_done, files_done=c.files_done, findings=c.findings
            ):
                return False
        return bool(mine.update(heartbeat_at=moment, **figures))

    def _beat_alone(self) -> None:
        """In a thread: the engine may be silent for long over one picture, but this process lives."""
        while not self._over.wait(settings.WORKER_HEARTBEAT / 2):
            if time.monotonic() - self._last < settings.WORKER_HEARTBEAT:
                continue
            try:
                # What it says of a lost lease is left to the next beat of the engine.
                self._sign({})
            except OperationalError:
                log.warning("A sign of life for triage run %s could not be written.", self._run)
            finally:
                connection.close()
