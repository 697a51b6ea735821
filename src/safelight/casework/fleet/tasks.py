"""The job that gives a first answer: some minutes at most, by one worker under a lease.

A worker that dies over it loses the lease, and the next one begins anew (:mod:`.recovery`): a sample has nothing worth
keeping half done.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django_tasks import task

from safelight.casework.devices.ending import TAKEN
from safelight.casework.devices.leases import clock
from safelight.casework.devices.recording import plain
from safelight.casework.fleet.keeping import keep_priority
from safelight.casework.fleet.models import FirstLook
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.errors import SafelightError
from safelight.triage import TriageResult, TriageSettings, resolve_inside, write_report
from safelight.triage.codec import encode
from safelight.triage.first_answer import first_answer, new_seed
from safelight.triage.first_words import claims, inputs
from safelight.triage.priority import inputs_of
from safelight.triage.sampled import FirstAnswerSettings

log = logging.getLogger(__name__)
WRITE_EVERY = 0.5


@task()
def first_look_job(look_pk: int) -> str:
    """The queued form of :func:`give_first_answer`."""
    return give_first_answer(look_pk)


def give_first_answer(look_pk: int) -> str:
    """Give one first answer. Returns what became of it, in a word, for the job's own record."""
    now = clock()
    started = FirstLook.objects.filter(pk=look_pk, state=FirstLook.State.QUEUED).update(
        state=FirstLook.State.RUNNING, lease=secrets.token_hex(16), attempts=F("attempts") + 1, started_at=now,
        heartbeat_at=now, stage="", done=0, total=0, hits=0,
    )  # fmt: skip
    if not started:
        return "nothing to do"
    look = FirstLook.objects.select_related("device__case", "image", "asked_by").get(pk=look_pk)
    try:
        with Alive(look) as alive:
            result = _look(look, alive)
            return _keep(look, result)
    except LeaseLost:
        return TAKEN
    except (SafelightError, OSError, MemoryError) as error:
        return _fail(look, str(error) or "The memory of this machine was not enough.")
    except Exception:
        _fail(look, "Safelight met a fault of its own; the worker's log has the details. Nothing was learnt.")
        raise


class LeaseLost(Exception):
    """Another worker has this first answer by now."""


class Alive:
    """Signs of life while an answer is worked out: as the engine goes, and from a thread when that is silent."""

    def __init__(self, look: FirstLook) -> None:
        self._mine = FirstLook.objects.filter(pk=look.pk, lease=look.lease, state=FirstLook.State.RUNNING)
        self._over = threading.Event()
        self.last = time.monotonic()  # of the last sign, whoever gave it
        self._thread = threading.Thread(target=self._beat, daemon=True, name="first-answer")

    def __enter__(self) -> Alive:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(2)

    def _beat(self) -> None:
        while not self._over.wait(settings.WORKER_HEARTBEAT / 2):
            if time.monotonic() - self.last < settings.WORKER_HEARTBEAT:
                continue
            try:
                self._mine.update(heartbeat_at=clock())
            except OperationalError:
                log.warning("A sign of life for a first answer could not be written.")
            finally:
                connection.close()


def _held(look: FirstLook) -> Any:
    """Its row, if the lease is still this worker's."""
    return FirstLook.objects.filter(pk=look.pk, lease=look.lease, state=FirstLook.State.RUNNING)


@transaction.atomic
def _keep(look: FirstLook, result: TriageResult) -> str:
    """The report in its place and the answer in the database, by whoever still holds the lease."""
    if not _held(look).select_for_update().exists():
        raise LeaseLost
    folder = f"first/{look.reference}"
    root = Path(settings.REPORTS_ROOT)
    shutil.rmtree(root / folder, ignore_errors=True)  # of an attempt that died while it wrote
    write_report(result, root / folder)
    return keep_answer(look, result, folder)


def _look(look: FirstLook, alive: Alive) -> TriageResult:
    from safelight.casework.hashsets.services import load_live, negative_bank

    last = float("-inf")

    def tell(moment: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < WRITE_EVERY:
            return
        last = now
        try:
            mine = _held(look).update(
                stage=plain(moment.stage, 60), done=moment.files_done, total=moment.files_total, hits=moment.findings,
                heartbeat_at=clock(),
            )  # fmt: skip
            alive.last = now
            if not mine:
                raise LeaseLost
        except OperationalError:
            log.warning("Progress of first answer %s could not be written.", look.pk)

    blocks = settings.BLOCK_SET if Path(settings.BLOCK_SET).is_file() else ""
    return first_answer(
        [resolve_inside(Path(settings.EVIDENCE_ROOT), look.image.path)],
        hash_sets=[*(hash_set for _, hash_set in load_live()), *negative_bank()],
        settings=TriageSettings(block_set=blocks, sandbox=settings.TRIAGE_SANDBOX),
        ask=FirstAnswerSettings(seconds=look.seconds, seed=new_seed()),
        operator=look.asked_by.name,
        on_progress=tell,
    )


@transaction.atomic
def keep_answer(look: FirstLook, result: TriageResult, folder: str, actor: Any = None) -> str:
    """Write what a first answer came to, and work out the device's priority anew."""
    first = result.first
    assert first is not None
    look.state, look.finished_at, look.lease = FirstLook.State.FINISHED, timezone.now(), ""
    look.level, look.verdict = plain(result.verdict.level, 60), plain(result.verdict.sentence)
    look.findings_digest, look.report_folder = result.findings_digest, folder
    look.summary = {
        "reasons": [plain(r) for r in result.verdict.reasons],
        "claims": claims(first),
        "limits": [plain(text) for text in result.limits],
        "numbers": [[name, plain(value)] for name, value in inputs(first)],
        "findings": len(result.findings),
        "probability": first.probability,
        "inputs": encode(inputs_of(result, seized=look.device.seized_at)),
    }
    look.save()
    record(
        actor,
        "first_answer.given",
        look,
        category=Category.SYSTEM,
        case=look.device.case,
        payload={
            "device": look.device.reference,
            "level": look.level,
            "findings": len(result.findings),
            "findings_digest": look.findings_digest,
            "hash_sets": sorted(s.root for s in result.hash_sets),
            "seed": first.settings.seed,
            "places": first.places,
            "drawn": first.drawn,
        },
    )
    keep_priority(look.device)
    return str(look.state)


@transaction.atomic
def _fail(look: FirstLook, reason: str) -> str:
    if not _held(look).select_for_update().exists():
        return TAKEN
    fail(look, reason)
    return str(look.state)


def fail(look: FirstLook, reason: str) -> None:
    """End a first answer without one."""
    look.state, look.finished_at, look.failure, look.lease = FirstLook.State.FAILED, timezone.now(), plain(reason), ""
    look.save(update_fields=["state", "finished_at", "failure", "lease"])
    record(
        None,
        "first_answer.failed",
        look,
        category=Category.SYSTEM,
        case=look.device.case,
        payload={"device": look.device.reference},
    )
