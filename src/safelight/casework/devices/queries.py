"""What the pages of devices read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from safelight.casework.base.standards import standards
from safelight.casework.devices.models import CustodyEvent, Device, EvidenceImage, TriageRun

PAGE = 50
#: Points of a device whose priority nobody worked out yet: those of one that nobody has looked at.
NOT_WORKED_OUT = 5
MOST_LISTED = 200
_IMAGE_ENDINGS = {
    ".001", ".aff4", ".dd", ".dmg", ".e01", ".ex01", ".img", ".iso", ".qcow2", ".raw", ".s01", ".vhd", ".vhdx", ".vmdk",
}  # fmt: skip

WAITING, NO_IMAGE, RUNNING, FAILED, UNREAD, DONE, NOT_TRIAGED = (
    "waiting", "no_image", "running", "failed", "unread", "done", "not_triaged",
)  # fmt: skip
STANDINGS = {
    NO_IMAGE: ("Waiting for an image", "orange"),
    WAITING: ("Waiting for triage", "yellow"),
    RUNNING: ("Triage running", "blue"),
    FAILED: ("Could not be read", "red"),
    UNREAD: ("Parts not read", "orange"),
    DONE: ("Triaged", "green"),
    NOT_TRIAGED: ("Not to be triaged", "grey"),
}


def newest_run() -> QuerySet[TriageRun]:
    """For a subquery: the runs of the outer device, newest first."""
    return TriageRun.objects.filter(device=OuterRef("pk")).order_by("-id")


def with_standing(devices: QuerySet[Device]) -> QuerySet[Device]:
    """Add ``latest_state`` (of the newest run, or None), ``latest_pk`` and ``has_image`` to each device."""
    newest = newest_run()
    return devices.annotate(
        latest_state=Subquery(newest.values("state")[:1]),
        latest_pk=Subquery(newest.values("pk")[:1]),
        has_image=Exists(EvidenceImage.objects.filter(device=OuterRef("pk"))),
    )


def standing_of(device: Any) -> str:
    """Where a device of :func:`with_standing` stands; a key of STANDINGS."""
    state = device.latest_state
    if state == "running":
        return RUNNING
    if device.decision == Device.Decision.NOT_TRIAGED:
        return NOT_TRIAGED
    if not device.has_image:
        return NO_IMAGE
    return {"failed": FAILED, "unread_parts": UNREAD, "finished": DONE}.get(state or "", WAITING)


# A device that nobody has decided on waits as one that is to be triaged: not to look is a decision, waiting is none.
_TO_TRIAGE = ~Q(decision="not_triaged")
_FILTERS = {
    NO_IMAGE: Q(has_image=False) & _TO_TRIAGE,
    WAITING: Q(has_image=True) & _TO_TRIAGE & (Q(latest_state=None) | Q(latest_state__in=["queued", "cancelled"])),
    RUNNING: Q(latest_state="running"),
    FAILED: Q(latest_state="failed") & _TO_TRIAGE,
    UNREAD: Q(latest_state="unread_parts") & _TO_TRIAGE,
    DONE: Q(latest_state="finished") & _TO_TRIAGE,
    NOT_TRIAGED: Q(decision="not_triaged"),
}


@dataclass(frozen=True)
class Rows:
    """One keyset page: the rows, and the key after which the next page begins ("" on the last)."""

    rows: list[Any]
    after: str = ""


def with_place(found: QuerySet[Device]) -> QuerySet[Device]:
    """Add what the queue goes by: ``put_off`` (decided not to be triaged, and no child in live contact), ``points``."""
    return found.annotate(
        put_off=Case(When(decision="not_triaged", case__live_contact=False, then=Value(1)), default=Value(0)),
        points=Coalesce("priority__score", NOT_WORKED_OUT),
    )


def page_of(found: QuerySet[Device], after: str, *, by_age: bool = False) -> Rows:
    """One page of devices: by priority (live contact first of all, then points, then longest seized), or by age alone.

    Devices that are not to be triaged come last. ``after`` is the key of the page before.
    """
    found = with_place(found)
    if after.isdecimal() and len(after) <= 15:
        last = with_place(Device.objects.filter(pk=int(after)))
        row = last.values_list("put_off", "case__live_contact", "points", "seized_at", "pk").first()
        if row is not None:
            put_off, live, points, seized, pk = row
            later = Q(seized_at__gt=seized) | Q(seized_at=seized, pk__gt=pk)
            if not by_age:
                later = Q(case__live_contact=live) & (Q(points__lt=points) | Q(points=points) & later)
                if live:
                    later |= Q(case__live_contact=False)
                later = Q(put_off=put_off) & later | Q(put_off__gt=put_off)
            found = found.filter(later)
    order = ("seized_at", "pk") if by_age else ("put_off", "-case__live_contact", "-points", "seized_at", "pk")
    # The keys first: what is added to each row is worked out for the page, not for all that had to be sorted.
    keys = list(found.order_by(*order).values_list("pk", flat=True)[: PAGE + 1])
    read = {row.pk: row for row in found.filter(pk__in=keys).select_related("case__unit", "priority")}
    rows = [read[pk] for pk in keys if pk in read]
    return Rows(rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else "")


def queue(user: Any, *, standing: str = "", risk: str = "", kind: str = "", after: str = "") -> Rows:
    """The devices of open cases that ``user`` sees, by priority. ``after`` is the key of the page before."""
    found = with_standing(Device.objects.visible_to(user)).filter(case__status="open")
    if standing in _FILTERS:
        found = found.filter(_FILTERS[standing])
    if risk:
        found = found.filter(case__risk=risk)
    if kind:
        found = found.filter(kind=kind)
    return page_of(found, after)


def devices_of(case: Any) -> list[Device]:
    """The devices of a case with their standing and images."""
    return list(
        with_standing(Device.objects.filter(case=case))
        .select_related("decided_by")
        .prefetch_related("images")
        .order_by("exhibit")
    )


def newest_runs(device: Device) -> dict[int, TriageRun]:
    """The newest run of each image of the device, by image."""
    return {run.image_id: run for run in TriageRun.objects.newest().filter(device=device)}


def runs_of(device: Device) -> list[TriageRun]:
    """All runs of the device, newest first (at most 200)."""
    return list(device.runs.select_related("image", "queued_by", "accepted_by").order_by("-pk")[:MOST_LISTED])


@dataclass(frozen=True)
class Progress:
    """How far a run is: rate in bytes a second and seconds left, None where it cannot be told."""

    run: TriageRun
    rate: float | None
    seconds_left: float | None
    running_for: timedelta | None
    silent_for: timedelta | None


def progress_of(run: TriageRun) -> Progress:
    """How far ``run`` is now, from its own row: the engine's rate of the present stage, else over the whole run."""
    now = timezone.now()
    if run.started_at is None or run.state != TriageRun.State.RUNNING:
        return Progress(run, None, None, None, None)
    gone = now - run.started_at
    rate, left = run.summary.get("rate"), run.summary.get("seconds_left")
    if not rate and run.bytes_done and gone.total_seconds() > 0:
        rate = run.bytes_done / gone.total_seconds()
    silent = now - run.heartbeat_at if run.heartbeat_at else None
    return Progress(run, rate, left, gone, silent if silent and silent > timedelta(seconds=30) else None)


def findings(
    run: TriageRun,
    *,
    known_good: bool = False,
    kind: str = "",
    category: str | None = None,
    deleted: bool | None = None,
    after: int = 0,
) -> Rows:
    """A page of findings in the order in which they were found.

    Args:
        category: a code, "" for those without one, None for all.
        after: the key of the last finding of the page before.
    """
    found = run.findings.filter(known_good=known_good, pk__gt=after).select_related("hash_set")
    if kind:
        found = found.filter(kind=kind)
    if category is not None:
        found = found.filter(category=category)
    if deleted is not None:
        found = found.filter(deleted=deleted)
    rows = list(found.order_by("pk")[: PAGE + 1])
    return Rows(rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else "")


def tally(run: TriageRun) -> list[dict[str, Any]]:
    """How many findings by known-good, category, kind of match, and live or deleted; gravest first."""
    rows = run.findings.values("known_good", "category", "kind", "deleted").annotate(number=Count("pk"))
    order = {code: row.order for code, row in standards().categories.items()}
    return sorted(
        rows, key=lambda row: (row["known_good"], order.get(row["category"], 99), row["kind"], row["deleted"])
    )


def case_has_unread_parts(case: Any) -> bool:
    """Whether the newest run of some image of the case left parts unread or failed; the case then says so.

    Accounting for the parts does not change it: what was not read stays not read.
    """
    states = [TriageRun.State.UNREAD_PARTS, TriageRun.State.FAILED]
    return TriageRun.objects.newest().filter(device__case=case, state__in=states).exists()


def outstanding(case: Any) -> list[str]:
    """What is unsettled about the devices of a case, one sentence each. Empty when all is settled."""
    said: list[str] = []
    runs: dict[int, TriageRun] = {run.image_id: run for run in TriageRun.objects.newest().filter(device__case=case)}
    for device in Device.objects.filter(case=case).prefetch_related("images", "examinations").order_by("exhibit"):
        live = [
            run for image in device.images.all() if (run := runs.get(image.pk)) and run.state in {"queued", "running"}
        ]
        said += [f"Device {device.exhibit}: triage {run.reference} is {_doing(run)}." for run in live]
        said += [
            f"Device {device.exhibit}: full examination {one.reference} is {one.get_state_display().lower()}."
            for one in device.examinations.all()
            if one.state in one.OPEN
        ]
        if device.decision == Device.Decision.NOT_TRIAGED:
            continue
        if device.decision == Device.Decision.UNDECIDED:
            said.append(f"Device {device.exhibit} has no triage decision.")
        if not device.images.all():
            said.append(f"Device {device.exhibit} is to be triaged and has no image.")
        for image in device.images.all():
            run = runs.get(image.pk)
            if run is None:
                said.append(f"Device {device.exhibit}: image {image.path} has not been triaged.")
            elif run.accepted_at is None and run.state == TriageRun.State.UNREAD_PARTS:
                said.append(
                    f"Device {device.exhibit}: parts were not read ({run.reference}), and nobody accounted for them."
                )
            elif run.accepted_at is None and run.state == TriageRun.State.FAILED:
                said.append(f"Device {device.exhibit}: image {image.path} could not be read ({run.reference}).")
            elif run.accepted_at is None and run.state == TriageRun.State.CANCELLED:
                said.append(f"Device {device.exhibit}: triage of image {image.path} was stopped ({run.reference}).")
    return said


def _doing(run: TriageRun) -> str:
    return "waiting" if run.state == TriageRun.State.QUEUED else "running"


def custody_of(device: Device) -> list[CustodyEvent]:
    """The chain of custody, first link first."""
    return list(device.custody.select_related("recorded_by").order_by("at", "pk"))


def pickable_images() -> tuple[list[str], bool]:
    """Files below the evidence folder that look like images, as relative paths, and whether there are more.

    Links are not followed and hidden folders are left out. Parts after the first of a set are left out.
    """
    root = Path(settings.EVIDENCE_ROOT)
    if not root.is_dir():
        return [], False
    taken = set(EvidenceImage.objects.values_list("path", flat=True)[:10_000])
    found: list[str] = []
    for folder, folders, files in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder) / name
            if not _looks_like_an_image(name) or path.is_symlink():
                continue
            relative = str(path.relative_to(root))
            if relative not in taken and relative.isprintable():
                found.append(relative)
            if len(found) > MOST_LISTED:
                return found[:MOST_LISTED], True
    return found, False


def _looks_like_an_image(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in _IMAGE_ENDINGS


def places_of(run: TriageRun) -> list[str]:
    """Where else on the device's page the state of a run stands: its head, its image's row, and the list of runs."""
    runs = list(run.device.runs.order_by("-pk").values_list("pk", "image_id"))
    newest = next((pk for pk, image in runs if image == run.image_id), None)
    return ["device", *(["image"] if newest == run.pk else []), *(["run"] if len(runs) > 1 else [])]
