"""What waits for a person in the forensic queue."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import carried_by
from safelight.casework.clocks.models import Clock
from safelight.casework.fleet.examinations import lifted_by
from safelight.casework.fleet.lab import waiting_now
from safelight.casework.fleet.models import Block, Examination
from safelight.casework.fleet.order import in_order
from safelight.standards.forensic_queue import queue_rule

GROUP = "Forensic queue"
MOST = 50


def items_for(user: Any) -> list[WorkItem]:
    """An examiner's own devices and the next one to take; for whoever can lift it, what is blocked."""
    if user.role not in ("examiner", "investigator", "supervisor"):
        return []
    seen = Examination.objects.visible_to(user).filter(device__case__status="open").select_related("device__case")
    made = _blocked(user, seen)
    if user.role == "examiner":
        mine = seen.filter(state=Examination.State.IN_PROGRESS, examiner=user).order_by("started_at")[:MOST]
        made += [_item(row, "Complete the examination") for row in mine]
        may = set(seen.filter(state=Examination.State.WAITING).values_list("pk", flat=True))
        following = (
            next((one for one in in_order(waiting_now(user), timezone.now()) if one.key in may), None) if may else None
        )
        if following is not None:
            made.append(_item(seen.get(pk=following.key), "Take the next device of the forensic queue"))
    return made


def _blocked(user: Any, seen: Any) -> list[WorkItem]:
    if not _any_block(None):
        return []
    blocks = Block.objects.filter(seen.holding("examination"), until=None)
    blocks = blocks.select_related("examination__device__case")
    if user.role == "investigator":
        blocks = blocks.filter(
            carried_by(user, "examination__device__case"),
            lifter__in=[Block.Lifter.INVESTIGATOR, Block.Lifter.OUTSIDE],
        )
    elif user.role == "supervisor":
        blocks = blocks.filter(lifter=Block.Lifter.SUPERVISOR)
    else:
        blocks = blocks.filter(lifter=Block.Lifter.EXAMINER)
    return [
        _item(block.examination, f"Lift what blocks the examination: {block.reason} ({lifted_by(block)})", "unblock")
        for block in blocks.order_by("since")[:MOST]
    ]


@prepared
def _any_block(nobody: None) -> Any:
    return Block.objects.filter(until=None).values_list("pk")[:1]


def _item(row: Examination, title: str, page: str = "") -> WorkItem:
    device = row.device
    clock = Clock.objects.open().filter(
        rule=queue_rule().clock, subject_type="devices.device", subject_id=device.pk
    ).first()  # fmt: skip
    arguments = [device.reference, row.reference]
    return WorkItem(
        title=title,
        url=reverse(f"fleet:{page}", args=arguments) if page else reverse("devices:detail", args=arguments[:1]),
        subject=f"{device.get_kind_display()} {device.exhibit} · {device.case.reference} {device.case.title}",
        due_at=clock.due_at if clock else None,
        clock=clock,
        risk=device.case.risk,
        group=GROUP,
    )
