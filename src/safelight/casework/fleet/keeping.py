"""Keeping each device's place in the queue true: worked out anew whenever something behind it changes."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max, Q, Sum
from django.db.models.signals import post_save
from django.utils import timezone

from safelight.casework.devices.models import Device, Finding, TriageRun
from safelight.casework.devices.models import UnreadPart as UnreadRow
from safelight.casework.fleet.models import DevicePriority, FirstLook
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.errors import EvidenceError
from safelight.triage.codec import decode, encode
from safelight.triage.priority import Priority, PriorityInputs, band_of, prioritise
from safelight.triage.verdict import NOT_LISTED, SEALED_WORDS

ENDED = ("finished", "unread_parts", "failed")
MOST = 500


def inputs_now(device: Device) -> PriorityInputs:
    """What the rule looks at, from the newest run of each image; from first answers where there is no run yet."""
    runs = list(TriageRun.objects.newest().filter(device=device, state__in=ENDED))
    if not runs:
        look = device.first_looks.filter(state=FirstLook.State.FINISHED).first()
        return read_inputs(look.summary.get("inputs")) if look else PriorityInputs()
    found = Finding.objects.filter(run__in=runs, known_good=False).exclude(category__in=NOT_LISTED)
    exact = found.filter(kind="exact").values_list("category").annotate(Count("path", distinct=True))
    alike = found.exclude(kind="exact").values_list("category").annotate(Count("path", distinct=True))
    newest = found.filter(written__lte=device.seized_at).aggregate(Max("written"))["written__max"]
    sealed = Q()
    for word in SEALED_WORDS:
        sealed |= Q(reason__icontains=word)
    parts = UnreadRow.objects.filter(run__in=runs)
    unread = parts.aggregate(size=Sum("length"), number=Count("pk"), sealed=Count("pk", filter=sealed))
    media = sum(int(run.summary.get("media_size") or 0) for run in runs)
    share: float | None = 0.0
    if unread["number"]:
        share = min(1.0, unread["size"] / media) if unread["size"] and media else None
    read = any(run.summary.get("files_read") for run in runs)
    numbers = dict(sorted(exact)), dict(sorted(alike))
    return PriorityInputs(
        exact=numbers[0],
        alike=numbers[1],
        newest_days=(device.seized_at - newest).days if newest else None,
        encrypted=unread["sealed"],
        unread_share=share,
        run="full" if read or any(numbers) else "failed",
    )


def read_inputs(kept: Any) -> PriorityInputs:
    """The inputs as a row keeps them; those of a device nobody looked at where another version kept others."""
    try:
        return decode(PriorityInputs, kept or {})
    except EvidenceError:
        return PriorityInputs()


def priority_of(device: Any) -> Priority:
    """The priority with its reasons, from the kept inputs and the case as it is now. No query for a joined device."""
    row = getattr(device, "priority", None)
    inputs = read_inputs(row.inputs) if row is not None else PriorityInputs()
    kept = {**encode(inputs), "live_contact": device.case.live_contact}
    return prioritise(decode(PriorityInputs, kept))


@transaction.atomic
def keep_priority(device: Device) -> DevicePriority:
    """Work a device's priority out anew; a change of band is recorded."""
    inputs = inputs_now(device)
    made = prioritise(inputs)
    before = DevicePriority.objects.filter(device=device).first()
    row, _ = DevicePriority.objects.update_or_create(
        device=device,
        defaults={
            "score": made.score, "inputs": encode(inputs), "rule": made.rule, "worked_out_at": timezone.now(),
        },
    )  # fmt: skip
    if before is None or band_of(before.score) != made.band:
        record(
            None,
            "device.prioritised",
            device,
            category=Category.SYSTEM,
            case=device.case,
            payload={"score": made.score, "band": made.band, "rule": made.rule, "inputs": encode(inputs)},
        )
    return row


def keep_all() -> int:
    """Work out what is missing or older than the newest run. ``safelight tick`` calls it; how many were done."""
    stale = (
        Device.objects.filter(case__status="open")
        .annotate(last=Max("runs__finished_at", filter=Q(runs__state__in=ENDED)))
        .filter(Q(priority=None) | Q(last__gt=F("priority__worked_out_at")))
    )
    devices = list(stale.select_related("case").order_by("pk")[:MOST])
    for device in devices:
        keep_priority(device)
    return len(devices)


def _on_saved(sender: Any, instance: Any, **_: Any) -> None:
    if isinstance(instance, Device) or instance.state in ENDED:
        keep_priority(instance if isinstance(instance, Device) else instance.device)


def listen() -> None:
    """A run that ended, and a device that was booked in or decided on, changes the queue in the same transaction."""
    post_save.connect(_on_saved, sender=TriageRun, dispatch_uid="fleet.run")
    post_save.connect(_on_saved, sender=Device, dispatch_uid="fleet.device")
