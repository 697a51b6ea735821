"""Asking for a first answer. Importing the report of a field bench lives in :mod:`.importing`."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.devices.models import Device, EvidenceImage
from safelight.casework.devices.words import ensure_open
from safelight.casework.fleet.models import FirstLook
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.ledger.services import record

MINUTES = {1: "1 minute", 5: "5 minutes", 15: "15 minutes"}


@transaction.atomic
def ask_first_answer(actor: Any, device: Device, image: EvidenceImage | None = None, *, minutes: int = 5) -> FirstLook:
    """Ask for a first answer about an image (the newest when left out). The job starts when this transaction commits.

    Raises:
        NotAllowed: not this person.
        NotPossible: the case is closed, there is no image or no hash set, or one is under way.
        Invalid: a time that is not offered.
    """
    need(actor, "fleet.first_answer", device, what=f"You may not ask for a first answer about {device.reference}.")
    device = Device.objects.select_for_update(of=("self",)).select_related("case").get(pk=device.pk)
    ensure_open(device.case)
    if minutes not in MINUTES:
        raise Invalid(f"A first answer of {minutes} minutes is not offered.", fix="Choose one of the list.")
    chosen = image or device.images.order_by("-id").first()
    if chosen is None or chosen.device_id != device.pk:
        raise NotPossible("The device has no such image.", fix="Register its image first.")
    if not HashSetRecord.objects.filter(retired_at=None).exists():
        raise NotPossible("There is no hash set to compare with.", fix="Import a hash set first.")
    now = timezone.now()
    try:
        with transaction.atomic():
            look = FirstLook.objects.create(
                device=device, image=chosen, seconds=minutes * 60, asked_at=now, asked_by=actor
            )
    except IntegrityError as error:
        raise NotPossible("A first answer about this image is under way.", fix="Let it finish.") from error
    record(
        actor,
        "first_answer.asked",
        look,
        case=device.case,
        payload={"device": device.reference, "image": chosen.path, "seconds": look.seconds},
    )
    send_to_queue(look)
    return look


def send_to_queue(look: FirstLook) -> None:
    """Put its job into the queue of the bench that reaches the image, in the present transaction."""
    from safelight.casework.fleet.tasks import first_look_job

    job = first_look_job.using(queue_name=look.image.bench or "default").enqueue(look_pk=look.pk)
    FirstLook.objects.filter(pk=look.pk).update(job_id=str(job.id))
