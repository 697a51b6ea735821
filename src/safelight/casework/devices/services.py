"""Booking exhibits in, custody, the triage decision, and images. The verbs of triage runs live in :mod:`.runs`."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.models import Case
from safelight.casework.cases.services import note
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.devices.models import CustodyEvent, Device, EvidenceImage
from safelight.casework.devices.runs import LIVE, accept_unread, cancel_run, queue_triage
from safelight.casework.devices.words import ensure_open, moment_words
from safelight.casework.ledger.services import fingerprint, record
from safelight.errors import EvidenceError
from safelight.triage import resolve_inside

#: Custody steps that a person records by hand; the others are written by what they belong to.
STEPS = (
    CustodyEvent.Action.MOVED, CustodyEvent.Action.OPENED, CustodyEvent.Action.SEALED, CustodyEvent.Action.IMAGED,
)  # fmt: skip
__all__ = [
    "accept_unread", "book_in", "cancel_run", "decide", "evidence_path", "move", "place_image", "queue_triage",
    "register_image",
]  # fmt: skip


@transaction.atomic
def book_in(
    actor: Any,
    case: Case,
    *,
    exhibit: str,
    kind: str,
    description: str,
    seized_at: datetime,
    seized_from: str,
    seized_by: str,
    place: str,
    seal: str,
    booked_in_at: datetime | None = None,
    handed_by: str = "",
    decision: str = "",
    decision_reason: str = "",
) -> Device:
    """Book an exhibit in: the device, the first link of its chain of custody, and the clock for its triage.

    Args:
        exhibit: the exhibit reference on the label, unique in the case.
        seized_at, booked_in_at: aware times; booking in defaults to now.
        place: where it lies now. seal: the number of the seal it is under.
        handed_by: who brought it; the person who seized it when left out.
        decision: the triage decision, where the actor may take it; left out, it waits for somebody who may.

    Raises:
        NotAllowed: the actor may not decide, or may not book in for this case.
        NotPossible: the case is closed, or has an exhibit of that reference.
        Invalid: a value is missing, or a time lies in the future or before the seizure.
    """
    need(actor, "devices.book_in", case, what=f"You may not book devices in for {case.reference}.")
    ensure_open(case)
    label = required_text(exhibit, field="exhibit", what="The exhibit reference").upper()
    if kind not in Device.Kind.values:
        raise Invalid(f"There is no kind of device {kind!r}.", fix="Choose one of the list.", field="kind")
    if seized_at is None:
        raise Invalid("The time of seizure is missing.", fix="Enter when it was seized.", field="seized_at")
    seized = not_in_future(seized_at, field="seized_at", what="The time of seizure")
    now = not_in_future(booked_in_at, field="booked_in_at", what="The time of booking in")
    if now < seized:
        raise Invalid(
            f"The device was booked in ({moment_words(now)}) before it was seized ({moment_words(seized)}).",
            fix="Check the two times.",
            field="seized_at",
        )
    if Device.objects.filter(case=case, exhibit=label).exists():
        raise NotPossible(f"{case.reference} already has an exhibit {label}.", fix="Check the label of the exhibit.")
    holder = required_text(seized_by, field="seized_by", what="Who seized it")
    device = Device.objects.create(
        case=case,
        exhibit=label,
        kind=kind,
        description=required_text(description, field="description", what="The description"),
        seized_at=seized,
        seized_from=required_text(seized_from, field="seized_from", what="From whom it was seized"),
        seized_by=holder,
        booked_in_at=now,
        booked_in_by=actor,
    )
    CustodyEvent.objects.create(
        device=device,
        action=CustodyEvent.Action.BOOKED_IN,
        at=now,
        handed_by=handed_by.strip() or holder,
        received_by=actor.name,
        place=required_text(place, field="place", what="The place"),
        seal=required_text(seal, field="seal", what="The seal number"),
        recorded_by=actor,
        recorded_at=timezone.now(),
    )
    start_clock(actor, "device_triage", device, triggered_at=now, case=case, unit=case.unit, risk=case.risk)
    record(
        actor,
        "device.booked_in",
        device,
        payload={"exhibit": label, "kind": kind, "seized_at": seized, "booked_in_at": now, "seal": seal.strip()},
    )
    note(
        actor, case, "device_booked_in", f"{device.get_kind_display()} {label} booked in as {device.reference}.", at=now
    )
    if decision and decision != Device.Decision.UNDECIDED:
        return decide(actor, device, decision=decision, reason=decision_reason)
    return device


@transaction.atomic
def move(
    actor: Any,
    device: Device,
    *,
    action: str,
    handed_by: str,
    received_by: str,
    place: str,
    at: datetime | None = None,
    seal: str = "",
    remark: str = "",
) -> CustodyEvent:
    """Record the next link of the chain of custody.

    Raises:
        NotAllowed, NotPossible: not this person; or the exhibit was returned and is no longer held.
        Invalid: a value is missing, or the time lies in the future or before the last link.
    """
    need(actor, "devices.move", device, what=f"You may not record custody of {device.reference}.")
    device = Device.objects.select_for_update().get(pk=device.pk)
    if action not in STEPS:
        raise Invalid(f"There is no custody step {action!r}.", fix="Choose one of the list.", field="action")
    moment = not_in_future(at, field="at", what="The time")
    last = device.custody.order_by("-at", "-id").first()
    if last is not None and moment < last.at:
        raise Invalid(
            f"The chain of custody runs forward: the last step, {last.get_action_display().lower()}, "
            f"was on {moment_words(last.at)}.",
            fix="Enter a later time.",
            field="at",
        )
    ensure_held(device, last)
    seal = seal.strip()
    if action == CustodyEvent.Action.SEALED and not seal:
        raise Invalid("The new seal has no number.", fix="Enter the number on the seal.", field="seal")
    event = CustodyEvent.objects.create(
        device=device,
        action=action,
        at=moment,
        handed_by=required_text(handed_by, field="handed_by", what="Who handed it over"),
        received_by=required_text(received_by, field="received_by", what="Who received it"),
        place=required_text(place, field="place", what="The place"),
        seal=seal,
        note=remark.strip()[:300],
        recorded_by=actor,
        recorded_at=timezone.now(),
    )
    record(actor, "device.moved", device, payload={"step": action, "at": moment, "seal": seal, "event": event.pk})
    note(actor, device.case, "device_moved", f"{device.exhibit}: {event.get_action_display().lower()}.", at=moment)
    return event


@transaction.atomic
def decide(actor: Any, device: Device, *, decision: str, reason: str = "") -> Device:
    """Decide whether the device is triaged. Not triaging needs a reason and ends the clock; it can be taken back.

    Raises:
        NotAllowed, NotPossible: not this person; or a run is under way.
        Invalid: no such decision, or no reason.
    """
    need(
        actor,
        "devices.decide",
        device,
        what="Only the investigator of the case or a supervisor of its unit decides on triage.",
    )
    device = Device.objects.select_for_update().get(pk=device.pk)
    ensure_open(device.case)
    if decision not in (Device.Decision.TRIAGE, Device.Decision.NOT_TRIAGED):
        raise Invalid(f"There is no decision {decision!r}.", fix="Choose one of the list.", field="decision")
    text = (reason or "").strip()
    if decision == Device.Decision.NOT_TRIAGED:
        text = required_text(reason, field="reason", what="The reason for not triaging")
        if device.runs.filter(state__in=LIVE).exists():
            raise NotPossible("A triage run of this device is under way.", fix="Stop it first, or let it finish.")
        stop_clock(actor, "device_triage", device, reason="Decided not to triage")
    elif device.decision == Device.Decision.NOT_TRIAGED:
        case = device.case
        # The device has waited since it was booked in, whatever was decided in between.
        start_clock(
            actor, "device_triage", device, triggered_at=device.booked_in_at, case=case, unit=case.unit, risk=case.risk
        )
    device.decision, device.decision_reason = decision, text
    device.decided_by, device.decided_at = actor, timezone.now()
    device.save(update_fields=["decision", "decision_reason", "decided_by", "decided_at"])
    record(
        actor,
        "device.decided",
        device,
        payload={"decision": decision, "reason": fingerprint(text) if text else None},
    )
    words = f"{device.exhibit}: {device.get_decision_display().lower()}. {text}".strip()
    note(actor, device.case, "device_decision", words)
    return device


def ensure_held(device: Device, last: CustodyEvent | None) -> None:
    """Raises NotPossible for an exhibit that was returned or destroyed."""
    if last is not None and last.action in (CustodyEvent.Action.RETURNED, CustodyEvent.Action.DESTROYED):
        raise NotPossible(
            f"{device.exhibit} was {last.action} on {moment_words(last.at)}.", fix="Book it in again if it came back."
        )


def evidence_path(path: str) -> Path:
    """The real path of an image inside the evidence folder.

    Raises:
        Invalid: it leads outside, does not exist or cannot be used.
    """
    try:
        return resolve_inside(Path(settings.EVIDENCE_ROOT), path)
    except EvidenceError as error:
        raise Invalid(error.what, fix=error.fix, field="path") from error


@transaction.atomic
def register_image(
    actor: Any, device: Device, *, path: str, imaged_at: datetime | None = None, bench: str = ""
) -> EvidenceImage:
    """Register a forensic copy of the device by its path in the evidence folder; of a set of parts, the first.

    Args:
        bench: the one bench whose workers reach it (see :func:`place_image`); empty when all do.

    Raises:
        NotAllowed, NotPossible: not this person; or the image is registered already.
        Invalid: the path leads outside the evidence folder or does not exist; the time does not fit the seizure.
    """
    need(actor, "devices.register_image", device, what=f"You may not register images of {device.reference}.")
    ensure_open(device.case)
    found = evidence_path(required_text(path, field="path", what="The path of the image"))
    root = Path(settings.EVIDENCE_ROOT).resolve()
    if found == root:
        raise Invalid("That is the evidence folder itself.", fix="Name one image in it.", field="path")
    moment = not_in_future(imaged_at, field="imaged_at", what="The time of imaging")
    if moment < device.seized_at:
        raise Invalid(
            f"The image was made ({moment_words(moment)}) before the device was seized "
            f"({moment_words(device.seized_at)}).",
            fix="Check the time.",
            field="imaged_at",
        )
    relative = str(found.relative_to(root))
    try:
        relative.encode()
    except UnicodeEncodeError as error:
        raise Invalid(
            "The name of the file holds bytes that are not text.", fix="Rename the copy.", field="path"
        ) from error
    if len(relative) > 500:
        raise Invalid("The path is longer than 500 characters.", fix="Move the image nearer.", field="path")
    used = EvidenceImage.objects.filter(path=relative).select_related("device").first()
    if used is not None:
        mine = used.device_id == device.pk
        raise NotPossible(
            f"{relative} is already registered" + (" for this device." if mine else " as the image of another device."),
            fix="Choose another image.",
        )
    image = EvidenceImage.objects.create(
        device=device, path=relative, bench=bench_name(bench), imaged_at=moment, registered_by=actor,
        registered_at=timezone.now(),
    )  # fmt: skip
    case = device.case
    start_clock(actor, "caid_upload", device, triggered_at=moment, case=case, unit=case.unit, risk=case.risk)
    record(
        actor,
        "device.image_registered",
        device,
        payload={"image": image.pk, "path": relative, "imaged_at": moment, "bench": image.bench},
    )
    note(actor, case, "image_registered", f"Image of {device.exhibit} registered.")
    return image


def bench_name(bench: str) -> str:
    """The name of a bench as it is kept; "" for all. Raises Invalid for what is no name."""
    name = bench.strip()
    if name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", name):
        raise Invalid(
            "The name of a bench has letters, digits, dots, hyphens and underlines only.",
            fix="Give it as its workers have it (safelight worker --queue NAME).",
            field="bench",
        )
    return name


@transaction.atomic
def place_image(actor: Any, image: EvidenceImage, *, bench: str) -> EvidenceImage:
    """Say which one bench can reach an image (its disk is there); its triage then waits for that bench's workers.

    Args:
        bench: its name, as `safelight worker --queue` has it; empty when every worker reaches the image.

    Raises:
        NotAllowed, NotPossible: not this person; or a run of the image is waiting or running.
        Invalid: that is no name of a bench.
    """
    need(
        actor, "devices.register_image", image.device, what=f"You may not register images of {image.device.reference}."
    )
    name = bench_name(bench)
    image = EvidenceImage.objects.select_for_update(of=("self",)).select_related("device__case").get(pk=image.pk)
    if image.runs.filter(state__in=LIVE).exists():
        raise NotPossible("A triage run of this image is waiting or running.", fix="Let it finish, or stop it.")
    image.bench = name
    image.save(update_fields=["bench"])
    record(actor, "device.image_placed", image.device, payload={"image": image.pk, "bench": name})
    return image
