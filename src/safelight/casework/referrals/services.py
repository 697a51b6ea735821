"""Recording, closing and receiving again a referral. Files of referrals come in through :mod:`.imports`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.boroughs import known_borough, unit_code_of
from safelight.casework.people.services import create_person
from safelight.casework.people.tasks import match_later
from safelight.casework.people.values import EARLIEST, one_line, plain
from safelight.casework.referrals.importers.embedded import without_embedded_content
from safelight.casework.referrals.importers.record import LONGEST_SUMMARY, FileFields
from safelight.casework.referrals.models import (
    ImportBatch,
    ImportLine,
    Referral,
    ReferralFile,
    ReferralPerson,
    Source,
    State,
)
from safelight.casework.workforce.models import Unit

Role = ReferralPerson.Role


@transaction.atomic
def record_referral(
    actor: Any,
    *,
    source: str,
    source_reference: str,
    received_at: datetime | None = None,
    summary: str,
    suspect: Mapping[str, Any] | None = None,
    children: Sequence[Mapping[str, Any]] = (),
    more_suspects: Sequence[Mapping[str, Any]] = (),
    reporter: Mapping[str, Any] | None = None,
    incident_type: str = "",
    platform: str = "",
    incident_at: datetime | None = None,
    high_priority: bool = False,
    live_contact: bool = False,
    borough: str = "",
    files: Iterable[FileFields] = (),
    batch: ImportBatch | None = None,
) -> tuple[Referral, bool]:
    """Record a report that arrived, with the people and files it names.

    The same report (source and the sender's reference) is one referral however often and by whatever way it arrives. A
    later copy can raise the flags (live contact, high priority) but never lower them, and changes nothing else.

    Args:
        suspect, more_suspects, children, reporter: the arguments of people.services.create_person.
        borough: of the suspect, as the sender writes it; "" takes the suspect's own. It decides the unit.

    Returns:
        The referral, and whether it is new.

    Raises:
        NotAllowed: the role may not.
        Invalid: a value is missing, too long, before 1900 or in the future; nothing is written.
    """
    need(
        actor,
        "referrals.record",
        what="Your role may not record referrals.",
        fix="Pass the report to the referral desk.",
    )
    if source not in Source.values:
        raise Invalid(f"{source!r} is not a source.", fix=f"Use one of {', '.join(Source.values)}.", field="source")
    what = "The sender's reference"
    source_reference = one_line(
        required_text(source_reference, field="source_reference", what=what),
        longest=120, field="source_reference", what=what,
    )  # fmt: skip
    held = _held(source, source_reference)
    if held is not None:
        _receive_again(actor, held, live_contact=live_contact, high_priority=high_priority)
        return held, False
    moment = _past(received_at, field="received_at", what="The time of receipt")
    if incident_at is not None:
        incident_at = _past(incident_at, field="incident_at", what="The time of the incident")
    people = [
        (role, person)
        for role, persons in (
            (Role.SUSPECT, [*([suspect] if suspect else []), *more_suspects]),
            (Role.CHILD, children),
            (Role.REPORTER, [reporter] if reporter else []),
        )
        for person in persons
        if person
    ]
    place = borough or next(
        (p.get("borough", "") for role, p in people if role == Role.SUSPECT and p.get("borough")), ""
    )
    place = one_line(place, longest=60, field="borough", what="The borough")
    text = plain(
        without_embedded_content(required_text(summary, field="summary", what="The summary")),
        longest=LONGEST_SUMMARY, field="summary", what="The summary",
    )  # fmt: skip
    referral = Referral(
        source=source,
        source_reference=source_reference,
        received_at=moment,
        recorded_at=timezone.now(),
        recorded_by=actor,
        batch=batch,
        summary=text,
        incident_type=one_line(incident_type, longest=120, field="incident_type", what="The kind of incident"),
        platform=one_line(platform, longest=120, field="platform", what="The platform"),
        incident_at=incident_at,
        high_priority=high_priority,
        live_contact=live_contact,
        borough=known_borough(place) or place,
        unit=Unit.objects.filter(code=unit_code_of(place)).first() if place else None,
    )
    try:
        with transaction.atomic():
            referral.save(force_insert=True)
    except IntegrityError:
        # Two people at the same moment: the other one was first.
        held = _held(source, source_reference)
        if held is None:
            raise
        _receive_again(actor, held, live_contact=live_contact, high_priority=high_priority)
        return held, False
    for role, person in people:
        ReferralPerson.objects.create(referral=referral, person=create_person(actor, **person), role=role)
    if people:
        match_later(referral.pk)
    # Here, not above: the register of offenders reads referrals.
    from safelight.casework.offenders.alerts import search_register

    search_register(referral)
    held_files = ReferralFile.objects.bulk_create(_files(referral, files))
    record(
        actor,
        "referral.recorded",
        referral,
        category=Category.COLLECTION,
        payload={
            "source": source,
            "received_at": moment,
            "live_contact": live_contact,
            "high_priority": high_priority,
            "unit": referral.unit.code if referral.unit else None,
            "people": [str(role) for role, _ in people],
            "files": len(held_files),
            "batch": batch.reference if batch else None,
            "summary": fingerprint(text),
        },
    )
    if live_contact:
        _tell_of_live_contact(referral)
    return referral, True


def _past(value: datetime | None, *, field: str, what: str) -> datetime:
    moment = not_in_future(value, field=field, what=what)
    if moment.date() < EARLIEST:
        raise Invalid(f"{what} lies before 1900.", fix="Check the year.", field=field)
    return moment


def _held(source: str, source_reference: str) -> Referral | None:
    return Referral.objects.filter(source=source, source_reference=source_reference).first()


def _files(referral: Referral, files: Iterable[FileFields]) -> list[ReferralFile]:
    return [
        ReferralFile(
            referral=referral,
            name=one_line(one.name, longest=400, field="files", what="The name of a file"),
            md5=one.md5,
            sha1=one.sha1,
            ip_address=one.ip_address,
            uploaded_at=one.uploaded_at,
        )
        for one in files
    ]


def _receive_again(actor: Any, referral: Referral, *, live_contact: bool, high_priority: bool) -> None:
    """Note the copy; a copy that says contact is live, or that it is urgent, is believed."""
    raised = [
        name
        for name, new in (("live_contact", live_contact), ("high_priority", high_priority))
        if new and not getattr(referral, name)
    ]
    record(actor, "referral.received_again", referral, category=Category.COLLECTION, payload={"raised": raised})
    if not raised:
        return
    for name in raised:
        setattr(referral, name, True)
    referral.save(update_fields=raised)
    record(actor, "referral.flag_raised", referral, payload={"raised": raised})
    if "live_contact" in raised and referral.case_id and not referral.case.live_contact:
        from safelight.casework.cases.live import begin
        from safelight.casework.cases.writing import lock

        # Written past the rights of the desk: it may not see the (restricted) case, but must be able to alarm it.
        words = f"A further copy of {referral.reference} says that a suspect is in contact with a child now."
        begin(actor, lock(referral.case), words, timezone.now(), payload={"referral": referral.reference})
    elif "live_contact" in raised:
        _tell_of_live_contact(referral)


def _tell_of_live_contact(referral: Referral) -> None:
    """Nobody waits for somebody to open the list of referrals."""
    from safelight.casework.notices.audience import desk, supervisors
    from safelight.casework.notices.services import tell

    people = [*desk(), *supervisors(referral.unit_id)]
    tell(people, "live_contact.found", referral, key=f"live:referral:{referral.pk}")


@transaction.atomic
def close_referral(actor: Any, referral: Referral, *, reason: str) -> Referral:
    """Close a referral that does not become a case. Only after the children were looked for, and never with a child at
    risk on it.

    Raises:
        NotAllowed: the role may not; or a question about children is open and the actor is no supervisor.
        NotPossible: the children were not looked for, a child is recorded, or the referral has ended already.
        Invalid: no reason.
    """
    need(actor, "referrals.close", what="Your role may not close referrals.")
    referral = Referral.objects.select_for_update().get(pk=referral.pk)
    if referral.state in (State.CASE, State.CLOSED):
        raise NotPossible(f"{referral.reference} has ended already ({referral.get_state_display().lower()}).")
    check = getattr(referral, "contact_check", None)
    if check is None:
        raise NotPossible(
            f"Nobody has looked for children in {referral.reference}.", fix="Answer the three questions first."
        )
    if referral.children.exists():
        raise NotPossible(
            f"A child at risk is recorded in {referral.reference}.", fix="Open a case, so that social care is told."
        )
    if "yes" in (check.lives_with, check.sees, check.works_with):
        raise NotPossible(
            "The answers say that a child is near the suspect, and no child is named.", fix="Name the children first."
        )
    if check.open_questions and actor.role != "supervisor":
        raise NotAllowed(
            "It is not known yet whether a child is near the suspect; only a supervisor may close it like this.",
            fix="Find out, or ask a supervisor.",
        )
    text = plain(
        required_text(reason, field="reason", what="The reason"), longest=4_000, field="reason", what="The reason"
    )
    referral.state, referral.closed_reason = State.CLOSED, text
    referral.save(update_fields=["state", "closed_reason"])
    record(
        actor,
        "referral.closed",
        referral,
        payload={"open_questions": check.open_questions, "reason": fingerprint(text)},
    )
    return referral


@transaction.atomic
def resolve_quarantined(actor: Any, line: ImportLine, *, resolution: str) -> ImportLine:
    """Say in words what was done about a record that could not be imported.

    Raises:
        NotAllowed: the role may not.
        NotPossible: the record is not in quarantine, or resolved already.
        Invalid: no words.
    """
    need(actor, "referrals.import", what="Your role may not resolve quarantined records.")
    line = ImportLine.objects.select_for_update().select_related("batch").get(pk=line.pk)
    if line.outcome != ImportLine.Outcome.QUARANTINED:
        raise NotPossible("This record was not put in quarantine.")
    if line.resolved_at is not None:
        raise NotPossible("This record has been resolved already.")
    what = "What was done"
    text = plain(required_text(resolution, field="resolution", what=what), longest=500, field="resolution", what=what)
    line.resolved_at, line.resolved_by, line.resolution = timezone.now(), actor, text
    line.save(update_fields=["resolved_at", "resolved_by", "resolution"])
    record(
        actor,
        "referral.quarantine_resolved",
        line.batch,
        payload={"record": line.number, "resolution": fingerprint(text)},
    )
    return line


def import_file(actor: Any, *, name: str, content: bytes) -> ImportBatch:
    """Import a file of referrals; see :func:`safelight.casework.referrals.imports.import_file`."""
    from safelight.casework.referrals.imports import import_file as run

    return run(actor, name=name, content=content)
