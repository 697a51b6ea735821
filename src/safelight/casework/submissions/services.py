"""Grades, and the writing, sending and answering of submissions to the national database."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from safelight import __version__
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.services import note
from safelight.casework.clocks.services import stop_clock
from safelight.casework.devices.models import Device, TriageRun
from safelight.casework.devices.runs import is_triaged
from safelight.casework.devices.words import ensure_open, moment_words
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.submissions.grading import import_grades, record_grade, record_grades, settle_grade, votes_of
from safelight.casework.submissions.material import (
    GRADED,
    KNOWN,
    File,
    answered,
    files_of,
    submitted,
    to_grade,
    to_settle,
    to_submit,
)  # fmt: skip
from safelight.casework.submissions.models import Submission, SubmissionItem
from safelight.errors import MatchingError
from safelight.matching import UK_CONTEXT, VicsCase, VicsMedia, VicsMediaFile, validate_vics, write_vics_submission

__all__ = [
    "import_grades", "mark_sent", "nothing_to_submit", "record_grade", "record_grades", "record_receipt",
    "settle_grade", "settle_item", "submission_path", "write_submission",
]  # fmt: skip

RECIPIENT = "CAID"
_NAMESPACE = uuid.UUID("5b0c1a3e-7a54-4a0e-9d52-7f1d7f6f9a10")


def submission_path(submission: Submission) -> Path:
    """Where the file of a submission lies."""
    return Path(settings.DATA) / submission.path


@transaction.atomic
def write_submission(actor: Any, target: Device | TriageRun, *, again: Any = ()) -> Submission:
    """Write the VICS 2.0 (UK) file of what is known and graded, and not yet submitted.

    Args:
        target: a device, or one of its runs.
        again: rejected items to submit again; each is settled as resubmitted.

    Raises:
        NotAllowed: not this person.
        NotPossible: nothing to submit; or the force has not set the category numbers; or the file is not valid.
    """
    device = target if isinstance(target, Device) else target.device
    need(actor, "submissions.write", device, what=f"You may not write a submission for {device.reference}.")
    device = Device.objects.select_for_update(of=("self",)).select_related("case__unit").get(pk=device.pk)
    case = device.case
    ensure_open(case)
    if not answered(device):
        raise NotPossible(f"{device.exhibit} has not been triaged.", fix="Triage it first.")
    run = target if isinstance(target, TriageRun) else None
    files = files_of(case, run=run) if run else files_of(case, device=device)
    chosen = to_submit(files, submitted(case))
    retries = list(SubmissionItem.objects.filter(pk__in=[item.pk for item in again], submission__device=device))
    for item in retries:
        if item.state != SubmissionItem.State.REJECTED or item.md5 not in files:
            raise NotPossible("An item to submit again is not a rejected one of this device.", fix="Choose it again.")
        if files[item.md5].basis not in (KNOWN, GRADED):
            raise NotPossible("An item to submit again is now not pertinent or ungraded.", fix="Settle or grade it.")
        chosen.append(files[item.md5])
    if not chosen:
        raise NotPossible(
            f"There is nothing new to submit from {device.exhibit}.",
            fix="Grade what waits for a grade, or record why not.",
        )
    run = run or max((file.findings[-1].run for file in chosen), key=lambda one: one.pk)
    now = timezone.now()
    submission = Submission.objects.create(
        case=case, device=device, run=run, context=UK_CONTEXT, path="", sha256="", written_at=now, written_by=actor
    )
    _write_file(actor, submission, chosen)
    votes = votes_of(case, [file.md5 for file in chosen if file.basis == GRADED])
    SubmissionItem.objects.bulk_create(
        (
            SubmissionItem(
                submission=submission,
                finding=file.first,
                md5=file.md5,
                category=file.category,
                basis=file.basis,
                votes=sum(vote.category == file.category for vote in votes.get(file.md5, ())),
            )
            for file in chosen
        ),
        batch_size=500,
    )
    for item in retries:
        _settle(actor, item, f"Submitted again in {submission.reference}.")
    record(
        actor,
        "submission.written",
        submission,
        case=case,
        payload={
            "device": device.reference,
            "run": run.reference,
            "items": len(chosen),
            "sha256": submission.sha256,
            "context": UK_CONTEXT,
        },
    )
    note(actor, case, "submission_written", f"{submission.reference}: {len(chosen)} files of {device.exhibit} written.")
    return submission


def _write_file(actor: Any, submission: Submission, files: list[File]) -> None:
    folder = Path(settings.DATA) / "submissions"
    path = folder / f"{submission.reference}.json"
    case, device = submission.case, submission.device
    known = standards()
    about = VicsCase(
        case_number=case.reference,
        contact_organization=case.unit.name,
        contact_name=actor.name,
        case_id=uuid.uuid5(_NAMESPACE, f"{case.reference}/{submission.pk}"),
        seizure_date=device.seized_at,
        source_application_version=__version__,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = write_vics_submission(
            path,
            case=about,
            media=[_media(file, device) for file in files],
            category_number=lambda category: known.vics_number(UK_CONTEXT, category),
            context_uri=UK_CONTEXT,
        )
        problems = validate_vics(path)
    except MatchingError as error:
        path.unlink(missing_ok=True)
        raise NotPossible(error.what, fix=error.fix) from error
    except OSError as error:
        raise NotPossible(
            f"{path} cannot be written: {error.strerror}.", fix="Free space or permit writing."
        ) from error
    if problems:
        path.unlink(missing_ok=True)
        raise NotPossible(
            f"The file did not pass its check and was not kept: {' '.join(problems[:3])}", fix="Tell your support."
        )
    submission.path, submission.sha256 = str(path.relative_to(Path(settings.DATA))), written.sha256
    submission.save(update_fields=["path", "sha256"])


def _media(file: File, device: Device) -> VicsMedia:
    first = file.first
    places = {(place.volume, place.path): place for place in file.findings}
    return VicsMedia(
        md5=bytes.fromhex(first.md5),
        category=file.category,
        sha1=bytes.fromhex(first.sha1) if first.sha1 else None,
        sha256=bytes.fromhex(first.sha256) if first.sha256 else None,
        pdq=bytes.fromhex(first.pdq) if first.pdq else None,
        size=first.size,
        mime_type=first.media_type if "/" in first.media_type else "",
        files=tuple(
            VicsMediaFile(
                file_name=place.path.rsplit("/", 1)[-1] or "no name",
                file_path=place.path or "no path",
                created=place.created,
                written=place.written,
                accessed=place.accessed,
                deleted=place.deleted,
                source_id=device.exhibit,
                physical_location="" if place.offset is None else str(place.offset),
            )
            for place in places.values()
        ),
    )


def _locked(submission: Submission) -> Submission:
    return Submission.objects.select_for_update(of=("self",)).select_related("case", "device").get(pk=submission.pk)


@transaction.atomic
def mark_sent(actor: Any, submission: Submission, *, at: datetime | None = None) -> Submission:
    """Record that the file was sent to the national database. This, not the writing, stops the clock of the device.

    Raises:
        NotAllowed, NotPossible (sent already; the file is gone or changed since it was written), Invalid (the time).
    """
    need(actor, "submissions.send", submission, what=f"You may not send {submission.reference}.")
    submission = _locked(submission)
    if submission.state != Submission.State.WRITTEN:
        raise NotPossible(f"{submission.reference} was sent on {moment_words(submission.sent_at)}.")
    moment = not_in_future(at, field="at", what="The time of sending")
    # The form has minutes, the record has microseconds: sent in the minute of writing is not before it.
    if moment < submission.written_at.replace(second=0, microsecond=0):
        raise Invalid(
            f"The file was written on {moment_words(submission.written_at)} and cannot have been sent before.",
            fix="Check the time.",
            field="at",
        )
    check_file(submission)
    submission.state, submission.sent_at = Submission.State.SENT, max(moment, submission.written_at)
    submission.save(update_fields=["state", "sent_at"])
    case = submission.case
    record(
        actor,
        "submission.sent",
        submission,
        category=Category.DISCLOSURE,
        recipient=RECIPIENT,
        payload={"sent_at": submission.sent_at, "sha256": submission.sha256, "items": submission.items.count()},
    )
    note(
        actor, case, "submission_sent", f"{submission.reference} sent to the national database.", at=submission.sent_at
    )
    if _all_sent(submission.device):
        stop_clock(
            actor, "caid_upload", submission.device, reason=f"{submission.reference} sent", at=submission.sent_at
        )
    return submission


def check_file(submission: Submission) -> Path:
    """The file of a submission, after its SHA-256 was compared. Raises NotPossible when it is gone or changed."""
    from safelight.casework.hashsets.services import sha256_of

    path = submission_path(submission)
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise NotPossible(f"The file of {submission.reference} is not there: {error.strerror}.") from error
    if digest != submission.sha256:
        raise NotPossible(
            f"The file of {submission.reference} was changed since it was written.",
            fix="Do not send it; write a new one.",
        )
    return path


def _all_sent(device: Device) -> bool:
    """Whether nothing known or graded of the device waits to be written or sent."""
    waiting = to_submit(files_of(device.case, device=device), submitted(device.case))
    return not waiting and not device.submissions.filter(state=Submission.State.WRITTEN).exists()


@transaction.atomic
def record_receipt(
    actor: Any,
    submission: Submission,
    *,
    receipt: str,
    rejected: dict[str, str] | None = None,
    owner: Any = None,
    at: datetime | None = None,
) -> Submission:
    """Record what the national database answered.

    Args:
        receipt: its reference.
        rejected: MD5 to the reason, for the items that it did not take.
        owner: who looks after the rejected items; the case's investigator, or else the actor.

    Raises:
        NotAllowed, NotPossible (not sent, or answered already), Invalid (no reference, a foreign MD5, no reason).
    """
    need(actor, "submissions.receipt", submission, what=f"You may not record the receipt of {submission.reference}.")
    submission = _locked(submission)
    if submission.state == Submission.State.WRITTEN:
        raise NotPossible(f"{submission.reference} has not been sent.", fix="Record that it was sent first.")
    if submission.state != Submission.State.SENT:
        raise NotPossible(f"{submission.reference} already has the receipt {submission.receipt}.")
    reference = required_text(receipt, field="receipt", what="The reference of the receipt")[:120]
    moment = not_in_future(at, field="at", what="The time of the receipt")
    reasons = {md5.strip().lower(): (why or "").strip() for md5, why in (rejected or {}).items()}
    items = {item.md5: item for item in submission.items.all()}
    unknown = [md5 for md5 in reasons if md5 not in items]
    if unknown:
        raise Invalid(
            f"{len(unknown)} rejected digests are not in {submission.reference}; the first is {unknown[0][:40]!r}.",
            fix="Check that it is the receipt of this submission.",
            field="rejected",
        )
    bare = [md5 for md5, why in reasons.items() if not why]
    if bare:
        raise Invalid(f"The rejected item {bare[0]} has no reason.", fix="Enter the reason given.", field="rejected")
    person = owner or submission.case.investigator or actor
    for md5, item in items.items():
        if md5 in reasons:
            item.state, item.rejected_reason, item.owner = SubmissionItem.State.REJECTED, reasons[md5][:300], person
        else:
            item.state = SubmissionItem.State.ACCEPTED
    SubmissionItem.objects.bulk_update(items.values(), ["state", "rejected_reason", "owner"], batch_size=500)
    submission.state = Submission.State.PART_REJECTED if reasons else Submission.State.RECEIPTED
    submission.receipt, submission.receipted_at = reference, moment
    submission.save(update_fields=["state", "receipt", "receipted_at"])
    record(
        actor,
        "submission.receipted",
        submission,
        payload={
            "receipt": reference,
            "accepted": len(items) - len(reasons),
            "rejected": sorted(reasons),
            "owner": person.pk if reasons else None,
        },
    )
    words = f"{submission.reference}: receipt {reference}; {len(items) - len(reasons)} taken, {len(reasons)} rejected."
    note(actor, submission.case, "submission_receipt", words)
    return submission


@transaction.atomic
def settle_item(actor: Any, item: SubmissionItem, *, settled_note: str) -> SubmissionItem:
    """Settle a rejected item without submitting it again.

    Raises:
        NotAllowed, NotPossible (not a rejected item), Invalid (no note).
    """
    if actor.pk != item.owner_id:
        need(
            actor,
            "submissions.settle",
            item.submission,
            what="Only the person who has the item, or someone who works the case, settles it.",
        )
    item = SubmissionItem.objects.select_for_update(of=("self",)).select_related("submission__case").get(pk=item.pk)
    if item.state != SubmissionItem.State.REJECTED:
        raise NotPossible("This item does not wait to be settled.")
    _settle(actor, item, required_text(settled_note, field="settled_note", what="How it was settled"))
    note(
        actor,
        item.submission.case,
        "submission_settled",
        f"Rejected item of {item.submission.reference} settled: {item.settled_note}",
    )
    return item


def _settle(actor: Any, item: SubmissionItem, words: str) -> None:
    item.state, item.settled_note = SubmissionItem.State.SETTLED, words[:300]
    item.save(update_fields=["state", "settled_note"])
    record(
        actor,
        "submission.item_settled",
        item.submission,
        case=item.submission.case,
        payload={"md5": item.md5, "note": fingerprint(words)},
    )


@transaction.atomic
def nothing_to_submit(actor: Any, device: Device, *, reason: str) -> None:
    """Record that a triaged device holds nothing to submit. Ends its clock; a later grade starts it again.

    Raises:
        NotAllowed, NotPossible (not triaged; something waits for a grade or for submission), Invalid (no reason).
    """
    need(actor, "submissions.write", device, what=f"You may not do this for {device.reference}.")
    device = Device.objects.select_for_update(of=("self",)).select_related("case").get(pk=device.pk)
    text = required_text(reason, field="reason", what="The reason")
    if not is_triaged(device):
        raise NotPossible(
            f"{device.exhibit} has not been triaged in full.",
            fix="Triage every image of it, or account for what was not read.",
        )
    files = files_of(device.case, device=device)
    if to_submit(files, submitted(device.case)) or device.submissions.filter(state=Submission.State.WRITTEN).exists():
        raise NotPossible(f"{device.exhibit} has files to submit.", fix="Submit them.")
    if to_grade(files) or to_settle(files):
        raise NotPossible(f"{device.exhibit} has files that wait for a grade.", fix="Grade or settle them first.")
    stopped = stop_clock(actor, "caid_upload", device, reason=f"Nothing to submit: {text}")
    if stopped is None:
        raise NotPossible(f"No clock for submission runs for {device.exhibit}.")
    record(actor, "submission.nothing_to_submit", device, payload={"reason": fingerprint(text)})
    note(actor, device.case, "submission_settled", f"{device.exhibit}: nothing to submit. {text}")
