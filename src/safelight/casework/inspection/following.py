"""What follows an assessment: a missing file, a disagreement settled, a case sent back and its answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.cases.models import Case
from safelight.casework.inspection.assessing import INSPECTOR, SELF, scale_of
from safelight.casework.inspection.models import Agreement, Assessment, AuditCase, ReferredBack
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell


def _locked(actor: Any, audit: AuditCase, what: str) -> AuditCase:
    row = AuditCase.objects.select_for_update(of=("self",)).select_related("plan", "case", "unit").get(pk=audit.pk)
    need(actor, "inspection.audit", row, what=f"You may not {what}.", fix="An auditor of another unit does.")
    return row


@transaction.atomic
def file_missing(actor: Any, audit: AuditCase, *, reason: str) -> AuditCase | None:
    """Record that a file cannot be had; the next case in reserve of its stratum stands in for it.

    Returns:
        The case that stands in, or None when the reserve of the stratum is used up.

    Raises:
        NotAllowed; NotPossible: it is missing already, was begun, or the audit is closed; Invalid: no reason.
    """
    row = _locked(actor, audit, "replace a case of the audit")
    if row.plan.closed_at:
        raise NotPossible(f"The audit {row.plan.reference} is closed.")
    if row.missing_at:
        raise NotPossible("The file of this case is recorded as missing already.")
    if row.assessments.filter(stage=INSPECTOR).exists():
        raise NotPossible("This case has been looked at.", fix="A case is never replaced for what was seen in it.")
    row.missing_reason = required_text(reason, field="reason", what="The reason")
    row.missing_by, row.missing_at = actor, timezone.now()
    row.save(update_fields=["missing_reason", "missing_by", "missing_at"])
    payload = {"plan": row.plan.reference, "reason": fingerprint(row.missing_reason)}
    record(actor, "audit_case.missing", row, payload=payload)
    following = (
        AuditCase.objects.select_for_update(of=("self",))
        .filter(plan=row.plan, stratum=row.stratum, reserve=True)
        .order_by("position")
        .first()
    )
    if following is None:
        return None
    # It takes over what the missing one stood for; figures follow the cases that were in fact audited.
    following.reserve, following.stands_in_for, following.weight = False, row, row.weight
    following.save(update_fields=["reserve", "stands_in_for", "weight"])
    record(actor, "audit_case.stood_in", following, payload={"plan": row.plan.reference, "for": row.reference})
    return following


@transaction.atomic
def settle(actor: Any, audit: AuditCase, *, grade: str, unit_person: Any, reason: str) -> Agreement:
    """Record how the two sides settled a disagreement. Both grades stay as they were given.

    Args:
        grade: the one that stands after the talk. unit_person: the supervisor of the unit who took part in it.

    Raises:
        NotAllowed; NotPossible: there is no disagreement, or it is settled; Invalid: grade, person or reason.
    """
    row = _locked(actor, audit, "settle a disagreement")
    grades = {one.stage: one for one in row.assessments.all() if one.finished_at}
    if set(grades) != {SELF, INSPECTOR} or grades[SELF].grade == grades[INSPECTOR].grade:
        raise NotPossible("There is no disagreement to settle.")
    if Agreement.objects.filter(audit=row).exists():
        raise NotPossible("The disagreement is settled already.")
    if grade not in {one.id for one in scale_of(row.plan.scale)}:
        raise Invalid("That is not a grade of this scale.", fix="Choose from the list.", field="grade")
    if unit_person is None or unit_person.role != "supervisor" or unit_person.unit_id != row.unit_id:
        raise Invalid("That is no supervisor of the unit.", fix="Choose from the list.", field="unit_person")
    text = required_text(reason, field="reason", what="The reason")
    made = Agreement.objects.create(
        audit=row, grade=grade, reason=text, unit_person=unit_person, by=actor, at=timezone.now()
    )
    record(
        actor,
        "audit_case.settled",
        row,
        payload={"grade": grade, "unit_person": unit_person.pk, "reason": fingerprint(text)},
    )
    return made


def recipients(audit: AuditCase) -> Any:
    """To whom a case can be sent back: active supervisors of its unit, and who has it now; both see it."""
    has = Q(allocations__case=audit.case_id, allocations__ended_at=None)
    found = User.objects.filter(is_active=True).filter(Q(role="supervisor", unit=audit.unit_id) | has)
    return found.distinct().order_by("name", "pk")


@transaction.atomic
def send_back(actor: Any, audit: AuditCase, *, recipient: Any, reason: str, note: str) -> ReferredBack:
    """Send a case back: it needs somebody to act. The time for an answer follows from the reason.

    It can be done before the assessment is finished: a child at risk does not wait for a grade.

    Raises:
        NotAllowed; NotPossible: sent back for that reason and not yet answered; Invalid: reason, recipient or note.
    """
    row = _locked(actor, audit, "send a case back")
    why = standards().refer_back_reasons.get(reason)
    if why is None:
        raise Invalid("There is no such reason.", fix="Choose from the list.", field="reason")
    if recipient is None or not recipients(row).filter(pk=recipient.pk).exists():
        raise Invalid("A case goes back to a supervisor of its unit or to who has it.", field="recipient")
    if not Case.objects.visible_to(recipient).filter(pk=row.case_id).exists():
        raise Invalid(f"{recipient} may not see this case.", fix="Choose somebody who does.", field="recipient")
    if row.referred_back.filter(reason=reason, outcome_at=None).exists():
        raise NotPossible("It has been sent back for that reason and is not yet answered.")
    text = required_text(note, field="note", what="What must be done")
    now = timezone.now()
    made = ReferredBack.objects.create(
        audit=row, recipient=recipient, reason=reason, note=text, made_by=actor, made_at=now,
        due_at=now + timedelta(hours=why.hours),
    )  # fmt: skip
    record(
        actor,
        "referred_back.made",
        made,
        payload={"audit": row.reference, "reason": reason, "recipient": recipient.pk, "due_at": made.due_at,
                 "note": fingerprint(text)},
    )  # fmt: skip
    tell([recipient], "audit.sent_back", made, case=row.case)
    return made


@transaction.atomic
def answer(actor: Any, back: ReferredBack, *, outcome: str, note: str) -> ReferredBack:
    """Answer for a case that was sent back: what came of it.

    Raises:
        NotAllowed: only the recipient answers; NotPossible: answered already; Invalid: outcome or note.
    """
    row = ReferredBack.objects.select_for_update(of=("self",)).select_related("audit__case", "made_by").get(pk=back.pk)
    need(actor, "inspection.answer", row, what="Only the person it was sent to answers.", fix=f"Ask {row.recipient}.")
    if row.outcome_at:
        raise NotPossible(f"{row.reference} is answered.")
    if outcome not in standards().refer_back_outcomes:
        raise Invalid("There is no such outcome.", fix="Choose from the list.", field="outcome")
    row.outcome = outcome
    row.outcome_note = required_text(note, field="note", what="What was done")
    row.outcome_by, row.outcome_at = actor, timezone.now()
    row.save(update_fields=["outcome", "outcome_note", "outcome_by", "outcome_at"])
    late = row.outcome_at > row.due_at
    record(
        actor,
        "referred_back.answered",
        row,
        payload={"outcome": outcome, "late": late, "note": fingerprint(row.outcome_note)},
    )
    tell([row.made_by], "audit.answered", row, case=row.audit.case)
    return row


def disagreements(plan: Any) -> Any:
    """Audited cases of a plan whose two finished grades differ and are not settled."""
    both: dict[int, dict[str, str]] = {}
    rows = Assessment.objects.filter(audit__plan=plan, finished_at__isnull=False, audit__agreement=None)
    for audit, stage, grade in rows.values_list("audit", "stage", "grade"):
        both.setdefault(audit, {})[stage] = grade
    return [key for key, one in both.items() if len(one) == 2 and one[SELF] != one[INSPECTOR]]
