"""Asking for triage, stopping it, and accounting for what it did not read."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from safelight.casework.base.errors import NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.cases.services import note
from safelight.casework.clocks.services import stop_clock
from safelight.casework.devices.models import Device, EvidenceImage, TriageRun
from safelight.casework.devices.words import ensure_open, moment_words
from safelight.casework.ledger.services import fingerprint, record

LIVE = (TriageRun.State.QUEUED, TriageRun.State.RUNNING)
TO_ACCOUNT_FOR = (TriageRun.State.UNREAD_PARTS, TriageRun.State.FAILED, TriageRun.State.CANCELLED)


@transaction.atomic
def queue_triage(actor: Any, device: Device, image: EvidenceImage | None = None) -> TriageRun:
    """Ask for triage of an image (the newest when left out). The job starts when this transaction commits.

    Raises:
        NotAllowed: not this person.
        NotPossible: no image, decided not to triage, a run is under way, or there is no hash set to compare with.
    """
    from safelight.casework.hashsets.models import HashSetRecord

    need(actor, "devices.triage", device, what=f"You may not ask for triage of {device.reference}.")
    device = Device.objects.select_for_update(of=("self",)).select_related("case").get(pk=device.pk)
    ensure_open(device.case)
    if device.decision == Device.Decision.NOT_TRIAGED:
        raise NotPossible("It was decided not to triage this device.", fix="Change the decision first.")
    chosen = image or device.images.order_by("-id").first()
    if chosen is None or chosen.device_id != device.pk:
        raise NotPossible("The device has no such image.", fix="Register its image first.")
    if chosen.runs.filter(state__in=LIVE).exists():
        raise NotPossible("A triage run of this image is waiting or running.", fix="Let it finish, or stop it.")
    if not HashSetRecord.objects.filter(retired_at=None).exists():
        raise NotPossible("There is no hash set to compare with.", fix="Import a hash set first.")
    try:
        with transaction.atomic():
            run = TriageRun.objects.create(device=device, image=chosen, queued_at=timezone.now(), queued_by=actor)
    except IntegrityError as error:
        raise NotPossible("A triage run of this image was asked for just now.", fix="Let it finish.") from error
    take_as_decided(actor, device)
    record(actor, "triage.queued", run, case=device.case, payload={"device": device.reference, "image": chosen.path})
    note(actor, device.case, "triage_queued", f"Triage of {device.exhibit} asked for ({run.reference}).")
    send_to_queue(run)
    return run


def take_as_decided(actor: Any, device: Device) -> None:
    """Who has a device triaged has decided on it, where nobody had before."""
    if device.decision != Device.Decision.UNDECIDED:
        return
    device.decision, device.decided_by, device.decided_at = Device.Decision.TRIAGE, actor, timezone.now()
    device.save(update_fields=["decision", "decided_by", "decided_at"])
    record(actor, "device.decided", device, payload={"decision": device.decision, "reason": None, "by": "triage"})


def send_to_queue(run: TriageRun, *, priority: int = 0) -> None:
    """Put a job for the run into the queue of the bench that reaches its image, in the present transaction."""
    from safelight.casework.devices.tasks import triage_job

    job = triage_job.using(queue_name=run.image.bench or "default", priority=priority).enqueue(run_pk=run.pk)
    TriageRun.objects.filter(pk=run.pk).update(job_id=str(job.id))


def call_helpers(run: TriageRun, useful: int) -> None:
    """Call more workers to a device with several chunks. They come after devices that nobody has begun."""
    from safelight.casework.devices.tasks import triage_job

    helper = triage_job.using(queue_name=run.image.bench or "default", priority=-10)
    for _ in range(min(useful, settings.TRIAGE_HELPERS)):
        helper.enqueue(run_pk=run.pk)


@transaction.atomic
def cancel_run(actor: Any, run: TriageRun) -> TriageRun:
    """Stop a run: a waiting one at once, a running one at its next step; what it found until then is kept.

    Raises:
        NotAllowed, NotPossible: not this person; or the run has ended.
    """
    need(actor, "devices.triage", run.device, what=f"You may not stop {run.reference}.")
    run = TriageRun.objects.select_for_update(of=("self",)).select_related("device__case").get(pk=run.pk)
    if run.state not in LIVE:
        raise NotPossible(f"{run.reference} has already ended.")
    run.cancel_asked = True
    if run.state == TriageRun.State.QUEUED:
        run.state, run.finished_at = TriageRun.State.CANCELLED, timezone.now()
        record(actor, "triage.cancelled", run, case=run.device.case, payload={"device": run.device.reference})
        note(actor, run.device.case, "triage_cancelled", f"Triage of {run.device.exhibit} stopped before it began.")
    else:
        record(actor, "triage.cancel_asked", run, case=run.device.case, payload={"device": run.device.reference})
    run.save(update_fields=["cancel_asked", "state", "finished_at"])
    return run


@transaction.atomic
def accept_unread(actor: Any, run: TriageRun, *, reason: str) -> TriageRun:
    """Account for what a run did not read, so that the case need not wait for it. The parts stay 'not read'.

    Raises:
        NotAllowed, NotPossible: not this person; it read everything, is not the newest, or was accounted for.
        Invalid: no reason.
    """
    need(
        actor,
        "devices.accept_unread",
        run.device,
        what="Only an examiner or a supervisor of the unit accounts for unread parts.",
    )
    run = TriageRun.objects.select_for_update(of=("self",)).select_related("device__case").get(pk=run.pk)
    ensure_open(run.device.case)
    text = required_text(reason, field="reason", what="The reason")
    if run.state not in TO_ACCOUNT_FOR:
        raise NotPossible(f"{run.reference} left nothing to account for.")
    if TriageRun.objects.filter(image=run.image_id, pk__gt=run.pk).exists():
        raise NotPossible(f"{run.reference} is not the newest run of this image.", fix="Look at the newest run.")
    if run.accepted_at is not None:
        raise NotPossible(f"What {run.reference} did not read was accounted for on {moment_words(run.accepted_at)}.")
    run.accepted_reason, run.accepted_by, run.accepted_at = text, actor, timezone.now()
    run.save(update_fields=["accepted_reason", "accepted_by", "accepted_at"])
    record(
        actor,
        "triage.unread_accepted",
        run,
        case=run.device.case,
        payload={"unread_bytes": run.unread_bytes, "reason": fingerprint(text)},
    )
    note(
        actor,
        run.device.case,
        "device_decision",
        f"{run.device.exhibit}: what triage {run.reference} did not read was accounted for. {text}",
    )
    settle_triage_clock(actor, run.device)
    return run


def settle_triage_clock(actor: Any, device: Device) -> None:
    """Stop the triage clock once every image of the device was read, or its unread parts were accounted for."""
    if is_triaged(device):
        stop_clock(actor, "device_triage", device, reason="Triaged")


def is_triaged(device: Device) -> bool:
    """Whether the newest run of every image of the device gave an answer, or was accounted for."""
    latest = {run.image_id: run for run in TriageRun.objects.newest().filter(device=device)}
    images = list(device.images.values_list("pk", flat=True))
    return bool(images) and all(pk in latest and counts_as_triaged(latest[pk]) for pk in images)


def counts_as_triaged(run: TriageRun) -> bool:
    """Whether the run gave an answer. One that read no file at all gave none, unless a person accounted for it."""
    if run.accepted_at is not None or run.state == TriageRun.State.FINISHED:
        return True
    return run.state == TriageRun.State.UNREAD_PARTS and bool(run.summary.get("files_read"))
