"""Giving on the first answers of dead workers, and those whose job was lost. Called beside the same for triage runs."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django_tasks.exceptions import TaskResultDoesNotExist

from safelight.casework.devices import leases
from safelight.casework.fleet.models import FirstLook
from safelight.casework.fleet.services import send_to_queue
from safelight.casework.fleet.tasks import fail, first_look_job
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record

MOST_ATTEMPTS = 3  # what kills its worker again and again is a fault to look at
_AT_ONCE = 100


def recover_dead_looks() -> int:
    """Queue first answers again whose worker has been silent for too long or whose job is gone; how many."""
    limit = leases.clock() - leases.dead_after()
    # An imported report is RUNNING inside one transaction only, and has no lease.
    silent = FirstLook.objects.filter(state=FirstLook.State.RUNNING, heartbeat_at__lt=limit)
    touched = sum(_from_the_dead(pk, limit) for pk in list(silent.values_list("pk", flat=True)[:_AT_ONCE]))
    waiting = FirstLook.objects.filter(Q(heartbeat_at=None) | Q(heartbeat_at__lt=limit), asked_at__lt=limit)
    for look in waiting.filter(state=FirstLook.State.QUEUED).select_related("image").order_by("pk")[:_AT_ONCE]:
        if _job_is_lost(look, limit):
            send_to_queue(look)
            touched += 1
    return touched


@transaction.atomic
def _from_the_dead(pk: int, limit: datetime) -> int:
    look = (
        FirstLook.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("device__case", "image")
        .filter(pk=pk, state=FirstLook.State.RUNNING, heartbeat_at__lt=limit)
        .first()
    )
    if look is None:
        return 0
    if look.attempts >= MOST_ATTEMPTS:
        fail(look, f"Its worker died {look.attempts} times. Nothing was learnt of this image. Look at the machine.")
        return 1
    look.state, look.lease = FirstLook.State.QUEUED, ""
    look.save(update_fields=["state", "lease"])
    record(
        None,
        "first_answer.taken_over",
        look,
        category=Category.SYSTEM,
        case=look.device.case,
        payload={"device": look.device.reference, "attempts": look.attempts},
    )
    send_to_queue(look)
    return 1


def _job_is_lost(look: FirstLook, limit: datetime) -> bool:
    if not look.job_id:
        return True
    try:
        job = first_look_job.get_result(look.job_id)
    except TaskResultDoesNotExist:
        return True
    return bool(job.is_finished or (job.started_at is not None and job.started_at < limit))
