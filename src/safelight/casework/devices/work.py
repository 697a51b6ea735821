"""What waits for a person about devices."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from safelight.casework.base.links import address
from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import carried_by
from safelight.casework.cases.seen import first_seen
from safelight.casework.clocks.models import Clock
from safelight.casework.devices.models import Device, Release, TriageRun
from safelight.casework.devices.queries import FAILED, NO_IMAGE, UNREAD, WAITING, standing_of, with_standing

GROUP = "Devices"
MOST = 50
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
    if user.role == "supervisor":
        devices = first_seen(lambda at, to: _failed(user, at, to), user, MOST)
    else:
        devices = _unfinished(user)
    accounted = set(_accounted(None, runs=[device.latest_pk for device in devices if device.latest_pk]))
    waiting = [
        (device, standing)
        for device in devices
        if (standing := standing_of(device)) in wanted
        and device.latest_pk not in accounted
        and device.latest_state != "queued"
    ][:MOST]
    clocks = {
        clock.subject_id: clock
        for clock in (_clocks(None, devices=[device.pk for device, _ in waiting]) if waiting else ())
    }
    made = [_item(device, standing, clocks.get(device.pk)) for device, standing in waiting]
    return made + _undecided(user) + _reviews(user)


@prepared
def _accounted(nobody: None, *, runs: Any) -> Any:
    return TriageRun.objects.filter(pk__anyof=runs).exclude(accepted_at=None).values_list("pk", flat=True)


@prepared
def _clocks(nobody: None, *, devices: Any) -> Any:
    rows = Clock.objects.open().filter(rule="device_triage", subject_type="devices.device")
    return rows.filter(subject_id__anyof=devices)


@prepared
def _unfinished(user: Any) -> Any:
    found = with_standing(Device.objects.visible_to(user)).filter(case__status="open")
    if user.role == "investigator":
        found = found.filter(carried_by(user, "case"))
    found = found.filter(_UNFINISHED).exclude(decision="not_triaged")
    return found.select_related("case").order_by("seized_at", "pk")[: MOST * 2]


@prepared
def _failed(user: Any, at: int, to: int) -> Any:
    """The devices of the unit whose newest run could not read them, nobody having accounted for it. They are few in
    any force, and an index leads to them."""
    failed = TriageRun.objects.filter(device=OuterRef("pk"), state="failed", accepted_at=None)
    found = with_standing(Device.objects.filter(Exists(failed), case__unit=user.unit_id, case__status="open"))
    found = found.filter(latest_state="failed").exclude(decision="not_triaged")
    return found.select_related("case").order_by("seized_at", "pk")[at:to]


def _undecided(user: Any) -> list[WorkItem]:
    """Devices without a triage decision, for those who may take it."""
    if user.role == "investigator":
        devices = _undecided_of_own(user)
    elif user.role == "supervisor":
        devices = first_seen(lambda at, to: _undecided_in_unit(user, at, to), user, MOST)
    else:
        return []
    return [
        _item(device, "", None, title="Decide whether the device is triaged", page="decision") for device in devices
    ]


def _without_decision() -> Any:
    found = Device.objects.filter(case__status="open", decision=Device.Decision.UNDECIDED)
    return found.select_related("case").order_by("seized_at", "pk")


@prepared
def _undecided_of_own(user: Any) -> Any:
    return _without_decision().filter(carried_by(user, "case"))[:MOST]


@prepared
def _undecided_in_unit(user: Any, at: int, to: int) -> Any:
    return _without_decision().filter(case__unit=user.unit_id)[at:to]


def _reviews(user: Any) -> list[WorkItem]:
    """Retained exhibits whose day of review has come, for the supervisor of the unit."""
    if user.role != "supervisor":
        return []
    today = timezone.localdate()
    if not _any_to_review(user, today=today):
        return []
    rows = _to_review(user, today=today)
    title = "Look again whether the exhibit must be kept"
    return [_item(row.device, "", None, title=title, page="release") for row in rows]


def _retained(user: Any, today: Any) -> Any:
    return Release.objects.filter(
        device__case__unit=user.unit_id, kind="retain", withdrawn_at=None, event__isnull=False, review_on__lte=today
    )


@prepared
def _any_to_review(user: Any, *, today: Any) -> Any:
    return _retained(user, today).values_list("pk")[:1]


@prepared
def _to_review(user: Any, *, today: Any) -> Any:
    due = _retained(user, today)
    due = due.filter(Device.objects.visible_to(user).holding("device"))
    due = due.exclude(device__custody__action__in=["returned", "destroyed"])
    newest = Release.objects.filter(device=OuterRef("device"), withdrawn_at=None).order_by("-pk").values("pk")[:1]
    return due.filter(pk=Subquery(newest)).select_related("device__case").order_by("review_on")[:MOST]


def _item(device: Device, standing: str, clock: Clock | None, *, title: str = "", page: str = "detail") -> WorkItem:
    return WorkItem(
        title=title or _TITLES[standing],
        url=address(f"devices:{page}", device.reference),
        subject=f"{device.get_kind_display()} {device.exhibit} · {device.case.reference} {device.case.title}",
        due_at=clock.due_at if clock else None,
        clock=clock,
        risk=device.case.risk,
        group=GROUP,
    )
