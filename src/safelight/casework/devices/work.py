"""What waits for a person about devices."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.urls import reverse

from safelight.casework.base.work import WorkItem
from safelight.casework.clocks.models import Clock
from safelight.casework.devices.models import Device, TriageRun
from safelight.casework.devices.queries import FAILED, NO_IMAGE, UNREAD, WAITING, standing_of, with_standing

GROUP = "Devices"
MOST = 100
# Spelled out: SQL's NOT drops the rows without any run.
_UNFINISHED = Q(latest_state=None) | ~Q(latest_state="finished")
_TITLES = {
    NO_IMAGE: "Image the device, or decide not to triage it",
    WAITING: "Triage the device",
    FAILED: "The image could not be read: image it again, or account for it",
    UNREAD: "Account for the parts that were not read",
}
_FOR_ROLE = {
    "examiner": (NO_IMAGE, WAITING, FAILED, UNREAD),
    "investigator": (NO_IMAGE, FAILED, UNREAD),
    "supervisor": (FAILED,),
}


def items_for(user: Any) -> list[WorkItem]:
    """Devices that wait for an image, for triage, or for someone to account for what was not read; by their clocks."""
    wanted = _FOR_ROLE.get(user.role, ())
    if not wanted:
        return []
    found = with_standing(Device.objects.visible_to(user)).filter(case__status="open").exclude(decision="not_triaged")
    if user.role == "investigator":
        found = found.filter(case__allocations__investigator=user, case__allocations__ended_at=None)
    devices = list(found.filter(_UNFINISHED).select_related("case").order_by("seized_at", "pk")[: MOST * 2])
    accounted = set(
        TriageRun.objects.filter(pk__in=[d.latest_pk for d in devices if d.latest_pk])
        .exclude(accepted_at=None)
        .values_list("pk", flat=True)
    )
    waiting = [
        (device, standing)
        for device in devices
        if (standing := standing_of(device)) in wanted
        and device.latest_pk not in accounted
        and device.latest_state != "queued"
    ][:MOST]
    clocks = {
        clock.subject_id: clock
        for clock in Clock.objects.open().filter(
            rule="device_triage", subject_type="devices.device", subject_id__in=[device.pk for device, _ in waiting]
        )
    }
    return [_item(device, standing, clocks.get(device.pk)) for device, standing in waiting]


def _item(device: Device, standing: str, clock: Clock | None) -> WorkItem:
    return WorkItem(
        title=_TITLES[standing],
        url=reverse("devices:detail", args=[device.reference]),
        subject=f"{device.get_kind_display()} {device.exhibit} · {device.case.reference} {device.case.title}",
        due_at=clock.due_at if clock else None,
        clock=clock,
        risk=device.case.risk,
        group=GROUP,
    )
