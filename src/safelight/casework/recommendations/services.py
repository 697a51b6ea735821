"""Recording recommendations, answering for them and closing them. The only writers."""

from __future__ import annotations

import calendar
from datetime import date, datetime, time
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import must, need
from safelight.casework.base.values import required_text
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell
from safelight.casework.recommendations.models import Proof, Recommendation, Report

MONTHS = {Recommendation.Term.IMMEDIATELY: 0, Recommendation.Term.THREE_MONTHS: 3, Recommendation.Term.SIX_MONTHS: 6}
OWNERS = ("chief_officer", "supervisor", "administrator")
PLAN, AT_ONCE = "hmicfrs_action_plan", "hmicfrs_action_plan_immediate"


def due_day(published: date, term: str) -> date:
    """The day by which a recommendation is to be met: of publication, or the same day three or six months later (the
    last of the month where there is no such day)."""
    months = MONTHS[Recommendation.Term(term)]
    year, month = divmod(published.month - 1 + months, 12)
    year, month = published.year + year, month + 1
    return date(year, month, min(published.day, calendar.monthrange(year, month)[1]))


@transaction.atomic
def record_report(
    actor: Any, *, title: str, body: str, published_on: date, source: str = "", audit: Any = None
) -> Report:
    """Record a report that carries recommendations; ``audit`` names one of the force's own.

    Raises:
        NotAllowed; Invalid: no title or body, a day in the future or before 1900, the same report twice.
    """
    must(actor, "recommendations.record", what="record an inspection report")
    if not date(1900, 1, 1) <= published_on <= timezone.localdate():
        raise Invalid(
            "The day of publication lies in the future or too far back.", fix="Give the real day.", field="published_on"
        )
    title = required_text(title, field="title", what="The title")[:160]
    body = required_text(body, field="body", what="Who published it")[:80]
    if Report.objects.filter(title=title, body=body, published_on=published_on).exists():
        raise Invalid("This report is recorded already.", fix="Add recommendations to it.", field="title")
    row = Report.objects.create(
        title=title, body=body, published_on=published_on, source=source.strip()[:300], audit=audit,
        recorded_by=actor, recorded_at=timezone.now(),
    )  # fmt: skip
    record(actor, "inspection_report.recorded", row, payload={"published_on": str(published_on)})
    return row


@transaction.atomic
def add_recommendation(
    actor: Any, report: Report, *, kind: str, text: str, term: str, owner: Any = None, number: int | None = None
) -> Recommendation:
    """Record one recommendation. Its action plan's clock starts with the publication of the report.

    Raises:
        NotAllowed; Invalid: kind, term, text, number or owner.
    """
    must(actor, "recommendations.record", what="record a recommendation")
    report = Report.objects.select_for_update().get(pk=report.pk)
    if kind not in Recommendation.Kind.values:
        raise Invalid("There is no such kind.", fix="Choose from the list.", field="kind")
    if term not in Recommendation.Term.values:
        raise Invalid("There is no such term.", fix="Choose from the list.", field="term")
    taken = set(report.recommendations.values_list("number", flat=True))
    if number is None:
        number = max(taken, default=0) + 1
    if number in taken or not 1 <= number <= 999:
        raise Invalid(f"Number {number} is taken or out of range.", fix="Give another.", field="number")
    _check_owner(owner)
    row = Recommendation.objects.create(
        report=report,
        number=number,
        kind=kind,
        text=required_text(text, field="text", what="The recommendation"),
        term=term,
        due_on=due_day(report.published_on, term),
        owner=owner,
    )
    start_clock(
        actor,
        AT_ONCE if term == Recommendation.Term.IMMEDIATELY else PLAN,
        row,
        triggered_at=timezone.make_aware(datetime.combine(report.published_on, time())),
        owner=owner,
    )
    record(
        actor,
        "recommendation.recorded",
        row,
        payload={"report": report.reference, "number": number, "kind": kind, "term": term, "due_on": str(row.due_on),
                 "owner": owner.pk if owner else None},
    )  # fmt: skip
    tell([owner], "recommendation.assigned", row)
    return row


def _check_owner(owner: Any) -> None:
    if owner is not None and (owner.role not in OWNERS or not owner.is_active):
        raise Invalid("That person cannot own a recommendation.", fix="Choose from the list.", field="owner")


@transaction.atomic
def assign(actor: Any, row: Recommendation, *, owner: Any) -> Recommendation:
    """Make somebody answerable for a recommendation.

    Raises:
        NotAllowed; NotPossible: it is closed; Invalid: that person cannot own one.
    """
    row = _open(row)
    need(actor, "recommendations.assign", row, what="Only a chief officer makes somebody answerable.")
    if owner is None:
        raise Invalid("No owner is chosen.", fix="Choose from the list.", field="owner")
    _check_owner(owner)
    row.owner = owner
    row.save(update_fields=["owner"])
    record(actor, "recommendation.assigned", row, payload={"owner": owner.pk})
    tell([owner], "recommendation.assigned", row)
    return row


@transaction.atomic
def write_plan(actor: Any, row: Recommendation, *, plan: str) -> Recommendation:
    """Write the action plan; its clock stops with the first one.

    Raises:
        NotAllowed: neither the owner nor a chief officer; NotPossible: it is closed; Invalid: nothing is written.
    """
    row = _open(row)
    need(actor, "recommendations.act", row, what="Its owner or a chief officer writes the action plan.")
    row.plan = required_text(plan, field="plan", what="The action plan")
    first = row.planned_at is None
    row.planned_by, row.planned_at = actor, timezone.now()
    row.save(update_fields=["plan", "planned_by", "planned_at"])
    if first:
        for rule in (PLAN, AT_ONCE):
            stop_clock(actor, rule, row, reason="Action plan written")
    record(actor, "recommendation.planned", row, payload={"plan": fingerprint(row.plan), "first": first})
    return row


@transaction.atomic
def add_proof(
    actor: Any, row: Recommendation, *, text: str, where: str = "", audit: Any = None, done: bool = False
) -> Proof:
    """Add evidence; ``done`` says that the recommendation is met, for an inspector to judge.

    Raises:
        NotAllowed: neither the owner nor a chief officer; NotPossible: it is closed; Invalid: nothing is written.
    """
    row = _open(row)
    need(actor, "recommendations.act", row, what="Its owner or a chief officer adds evidence.")
    made = Proof.objects.create(
        recommendation=row,
        text=required_text(text, field="text", what="The evidence"),
        where=where.strip()[:300],
        audit=audit,
        added_by=actor,
        added_at=timezone.now(),
    )
    record(actor, "recommendation.proof_added", row, payload={"proof": made.pk, "text": fingerprint(made.text)})
    if done and row.done_at is None:
        row.done_at = timezone.now()
        row.save(update_fields=["done_at"])
        record(actor, "recommendation.offered", row)
        auditors = User.objects.filter(is_active=True, role="auditor").exclude(pk=row.owner_id)
        tell(auditors, "recommendation.offered", row)
    return made


@transaction.atomic
def judge(actor: Any, row: Recommendation, *, met: bool, note: str) -> Recommendation:
    """An inspector's word: it is met and closed, or it is not and runs on.

    Raises:
        NotAllowed: no auditor, or its own owner; NotPossible: it is closed, or there is no evidence to close it on;
            Invalid: no note.
    """
    row = _open(row)
    need(actor, "recommendations.close", row, what="An inspector closes a recommendation, not its owner.")
    if row.owner_id == actor.pk:
        raise NotAllowed("Nobody closes an own recommendation.", fix="Ask another auditor.")
    text = required_text(note, field="note", what="What you saw")
    if met:
        if not row.proofs.exists():
            raise NotPossible("There is no evidence to close it on.", fix="Ask its owner for some.")
        row.closed_by, row.closed_at, row.closed_note = actor, timezone.now(), text
        row.save(update_fields=["closed_by", "closed_at", "closed_note"])
        late = timezone.localdate(row.closed_at) > row.due_on
        record(actor, "recommendation.closed", row, payload={"note": fingerprint(text), "late": late})
    else:
        row.done_at = None
        row.save(update_fields=["done_at"])
        Proof.objects.create(recommendation=row, text=f"Not accepted: {text}", added_by=actor, added_at=timezone.now())
        record(actor, "recommendation.not_accepted", row, payload={"note": fingerprint(text)})
    return row


def _open(row: Recommendation) -> Recommendation:
    found = Recommendation.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if found.closed_at:
        raise NotPossible(f"{found.reference} is closed.")
    return found
