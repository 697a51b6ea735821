"""What becomes of exhibits in the end: return, destruction or retention; refused while the case needs them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.services import note
from safelight.casework.devices.models import CustodyEvent, Device, Finding, Release
from safelight.casework.devices.runs import LIVE, is_triaged
from safelight.casework.devices.services import ensure_held
from safelight.casework.devices.words import moment_words
from safelight.casework.ledger.services import fingerprint, record
from safelight.triage.verdict import NOT_LISTED

EVENTS = {
    Release.Kind.RETURN: CustodyEvent.Action.RETURNED,
    Release.Kind.DESTROY: CustodyEvent.Action.DESTROYED,
    Release.Kind.RETAIN: CustodyEvent.Action.RETAINED,
}
_LONGEST_REVIEW = timedelta(days=366 * 100)


def still_needed(device: Device) -> list[str]:
    """Why the case still needs the exhibit, one sentence each; empty when it does not.

    What a supervisor settled when the case was closed is settled for the exhibit too.
    """
    from safelight.casework.submissions.material import files_of, submitted, to_grade, to_submit

    said = []
    if device.runs.filter(state__in=LIVE).exists():
        said.append("A triage run of it is waiting or running.")
    if device.examinations.open().exists():
        said.append("Its full examination is not complete.")
    if device.case.status != "open":
        return said
    if device.decision == Device.Decision.UNDECIDED:
        said.append("Nobody has taken a triage decision about it.")
    elif device.decision == Device.Decision.TRIAGE and not is_triaged(device):
        said.append(
            "It is to be triaged, and has not been (or parts of it were not read and nobody accounted for them)."
        )
    files = files_of(device.case, device=device)
    waiting = len(to_grade(files)) + len(to_submit(files, submitted(device.case)))
    if waiting or device.submissions.filter(state="written").exists():
        said.append("Files of it wait to be graded or to be submitted to the national database.")
    return said


def holds_listed(device: Device) -> bool:
    """Whether listed material, or what a person graded A to C, was found on it."""
    from safelight.casework.submissions.material import LETTERS, files_of

    listed = Finding.objects.filter(run__device=device, known_good=False, kind="exact").exclude(category__in=NOT_LISTED)
    if listed.exists():
        return True
    return any(file.category in LETTERS for file in files_of(device.case, device=device).values())


def gaps_of(device: Device) -> list[str]:
    """Where the chain of custody does not join, one sentence each; empty for a complete chain.

    A link joins when it is handed over by whoever received the one before; a seal that was opened must be closed
    again under a number.
    """
    said, before, opened = [], None, None
    for event in device.custody.order_by("at", "pk"):
        if before is not None and _name(event.handed_by) != _name(before.received_by):
            said.append(
                f"{moment_words(before.at)} {before.received_by} received it; {moment_words(event.at)} "
                f"{event.handed_by} handed it over. How it came from one to the other is not recorded."
            )
        if event.action == CustodyEvent.Action.OPENED:
            opened = event
        elif event.action == CustodyEvent.Action.SEALED:
            opened = None
        before = event
    if opened is not None:
        said.append(f"Its seal was opened on {moment_words(opened.at)} and no new seal is recorded.")
    return said


def _name(text: str) -> str:
    return " ".join(text.split()).casefold()


@transaction.atomic
def decide_release(
    actor: Any, device: Device, *, kind: str, authority: str, reason: str, review_on: date | None = None
) -> Release:
    """Decide what becomes of an exhibit.

    Args:
        kind: return, destroy or retain.
        authority: the power, order or policy under which it is done.
        review_on: for retention: when somebody looks again whether it is still right.

    Raises:
        NotAllowed: not a supervisor of the unit.
        NotPossible: the case needs it (all reasons are named); a decision stands; it is no longer held; material that
            nobody may possess would be returned; an exhibit of an open case would be destroyed.
        Invalid: a value is missing.
    """
    need(actor, "devices.release", device, what="Only a supervisor of the unit decides what becomes of an exhibit.")
    device = Device.objects.select_for_update(of=("self",)).select_related("case").get(pk=device.pk)
    if kind not in Release.Kind.values:
        raise Invalid(f"There is no such end {kind!r}.", fix="Choose one of the list.", field="kind")
    power = required_text(authority, field="authority", what="The authority")[:200]
    text = required_text(reason, field="reason", what="The reason")
    ensure_held(device, device.custody.last())
    if device.releases.filter(withdrawn_at=None, event=None).exists():
        raise NotPossible("A decision about this exhibit stands.", fix="Carry it out, or withdraw it first.")
    if kind == Release.Kind.RETAIN:
        if review_on is None:
            raise Invalid("A retention has a day of review.", fix="Enter when to look again.", field="review_on")
        if not timezone.localdate() < review_on < timezone.localdate() + _LONGEST_REVIEW:
            raise Invalid("The day of review lies ahead.", fix="Enter a day in the future.", field="review_on")
    _refuse(device, kind)
    release = Release.objects.create(
        device=device, kind=kind, authority=power, reason=text, decided_by=actor, decided_at=timezone.now(),
        review_on=review_on if kind == Release.Kind.RETAIN else None,
    )  # fmt: skip
    record(
        actor,
        "device.release_decided",
        device,
        payload={"kind": kind, "authority": power, "reason": fingerprint(text), "review_on": release.review_on},
    )
    note(actor, device.case, "device_decision", f"{device.exhibit}: {release.get_kind_display().lower()}. {text}")
    return release


def _refuse(device: Device, kind: str) -> None:
    needed = still_needed(device)
    if needed and kind != Release.Kind.RETAIN:
        raise NotPossible(
            f"The case still needs {device.exhibit}: " + " ".join(needed), fix="Finish this first, or retain it."
        )
    if kind == Release.Kind.DESTROY and device.case.status == "open":
        raise NotPossible(
            f"{device.case.reference} is open: nothing of an open case is destroyed.",
            fix="Close the case, or retain it.",
        )
    if kind == Release.Kind.RETURN and holds_listed(device):
        raise NotPossible(
            f"Material that nobody may possess was found on {device.exhibit}: it is not returned.",
            fix="Destroy or retain it.",
        )


@transaction.atomic
def carry_out(
    actor: Any,
    release: Release,
    *,
    handed_by: str,
    received_by: str,
    place: str,
    receipt: str,
    at: datetime | None = None,
    gaps: str = "",
) -> Release:
    """Record that the decision was carried out: the last link of the chain of custody, with its receipt.

    Args:
        receipt: the reference of what the receiver signed, or of the certificate of destruction.
        gaps: what is known about the places where the chain does not join; needed where there are any.

    Raises:
        NotAllowed, NotPossible: not this person; done or withdrawn already; or the case needs the exhibit again.
        Invalid: a value is missing, or the time lies in the future or before the decision.
    """
    need(actor, "devices.move", release.device, what="You may not record this.")
    release = Release.objects.select_for_update(of=("self",)).select_related("device__case").get(pk=release.pk)
    device = Device.objects.select_for_update(of=("self",)).select_related("case").get(pk=release.device_id)
    if release.withdrawn_at is not None or release.event_id is not None:
        raise NotPossible("This decision was carried out or withdrawn already.")
    ensure_held(device, device.custody.last())
    _refuse(device, release.kind)
    moment = not_in_future(at, field="at", what="The time")
    last = device.custody.order_by("-at", "-id").first()
    earliest = max(release.decided_at.replace(second=0, microsecond=0), last.at.replace(second=0, microsecond=0))
    if moment < earliest:
        raise Invalid(
            f"That is before the decision or before the last link of custody ({moment_words(earliest)}).",
            fix="Check the time.",
            field="at",
        )
    giver = required_text(handed_by, field="handed_by", what="Who handed it over")
    event = CustodyEvent(
        device=device,
        action=EVENTS[Release.Kind(release.kind)],
        at=max(moment, last.at),
        handed_by=giver,
        received_by=required_text(received_by, field="received_by", what="Who received it"),
        place=required_text(place, field="place", what="The place"),
        recorded_by=actor,
        recorded_at=timezone.now(),
    )
    event.save()
    found = gaps_of(device)
    words = (gaps or "").strip()
    if found and not words:
        raise Invalid(
            "The chain of custody does not join: " + " ".join(found), fix="Say what is known about it.", field="gaps"
        )
    release.event, release.gaps = event, words if found else ""
    release.receipt = required_text(receipt, field="receipt", what="The receipt")[:120]
    release.save(update_fields=["event", "receipt", "gaps"])
    record(
        actor,
        "device.released",
        device,
        payload={"kind": release.kind, "at": event.at, "receipt": release.receipt, "gaps": len(found)},
    )
    note(actor, device.case, "device_moved", f"{device.exhibit}: {event.get_action_display().lower()}.", at=event.at)
    return release


@transaction.atomic
def withdraw_release(actor: Any, release: Release, *, reason: str) -> Release:
    """Take a decision back that was not carried out.

    Raises:
        NotAllowed, NotPossible (carried out or withdrawn already), Invalid (no reason).
    """
    need(actor, "devices.release", release.device, what="Only a supervisor of the unit takes this back.")
    release = Release.objects.select_for_update(of=("self",)).select_related("device__case").get(pk=release.pk)
    if release.withdrawn_at is not None or release.event_id is not None:
        raise NotPossible("This decision was carried out or withdrawn already.")
    release.withdrawn_reason = required_text(reason, field="reason", what="The reason")[:300]
    release.withdrawn_at, release.withdrawn_by = timezone.now(), actor
    release.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    record(actor, "device.release_withdrawn", release.device, payload={"kind": release.kind})
    note(actor, release.device.case, "device_decision", f"{release.device.exhibit}: decision taken back. {reason}")
    return release
