"""Writing an assessment, the unit's own or the auditor's, and finishing it. Each side is blind to the other until the
independent audit is done: services refuse it, and :func:`shown_to` keeps it off every page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.inspection.evidence import KINDS, records_of
from safelight.casework.inspection.models import Assessment, AuditCase, AuditPlan, Evidence, HeadingGrade
from safelight.casework.ledger.services import fingerprint, record
from safelight.standards import CriteriaSet, GradeScale

SELF, INSPECTOR = Assessment.Stage.SELF, Assessment.Stage.INSPECTOR


def stage_for(user: Any) -> str:
    """Which assessment this person writes: the unit's supervisor its own, the auditor the independent one."""
    return INSPECTOR if user.role == "auditor" else SELF


def criteria_of(plan: AuditPlan) -> CriteriaSet:
    """The criteria set of a plan.

    Raises:
        NotPossible: the standards no longer hold that version.
    """
    found = standards().criteria.get(plan.criteria)
    if found is None or found.version != plan.criteria_version:
        raise NotPossible(
            f"The criteria set {plan.criteria} {plan.criteria_version} is no longer in the standards.",
            fix="Put it back into the force's own file: grades by another version are not comparable.",
        )
    return found


def scale_of(scale: str) -> GradeScale:
    """The scale that grades are on. Raises NotPossible when the standards no longer hold it."""
    found = standards().grades.get(scale)
    if found is None:
        raise NotPossible(f"The grade scale {scale} is no longer in the standards.", fix="Put it back.")
    return found


def shown_to(user: Any, audit: AuditCase) -> dict[str, Assessment]:
    """The assessments that this person may read now, by stage. The only way by which pages get at them.

    The unit reads its own; an auditor the own draft. Each reads the other side's once the independent audit is
    finished, when neither can change anything.
    """
    rows = {row.stage: row for row in audit.assessments.select_related("by").prefetch_related("headings", "evidence")}
    done = INSPECTOR in rows and rows[INSPECTOR].finished_at is not None
    own = stage_for(user)

    def readable(stage: str, row: Assessment) -> bool:
        if done:
            return True
        if stage != own:
            return False
        return own == SELF or row.by_id == user.pk

    return {stage: row for stage, row in rows.items() if readable(stage, row)}


@transaction.atomic
def write(
    actor: Any,
    audit: AuditCase,
    *,
    grade: str,
    summary: str,
    headings: Mapping[str, tuple[str, str]],
    finish: bool = False,
) -> Assessment:
    """Write an assessment, as a draft or to the end. Which one follows from who writes.

    Args:
        grade: of the whole case; it may be empty in a draft.
        headings: for each heading of the criteria set its grade ("" where it does not apply) and a note.
        finish: nothing can be changed afterwards. Needs a grade, a summary, an answer under every heading, a note
            wherever the grade is not the best, and a record of the case as evidence.

    Raises:
        NotAllowed: another unit's case, the auditor's own unit, or another auditor has begun.
        NotPossible: the audit is closed, the file is missing, this side is finished; for the unit: the audit is done;
            for the auditor, to finish: the unit has neither assessed nor run out of time.
        Invalid: a grade that is not on the scale, a heading that is not in the set, something missing.
    """
    row = _own(actor, audit)
    plan = row.audit.plan
    scale, criteria = scale_of(plan.scale), criteria_of(plan)
    known = {one.id for one in scale}
    for name, given in (("grade", grade), *((heading, one[0]) for heading, one in headings.items())):
        if given and given not in known:
            raise Invalid(f"{given[:40]!r} is not a grade of this scale.", fix="Choose from the list.", field=name)
    if strange := set(headings) - {one.id for one in criteria}:
        raise Invalid(f"{sorted(strange)[0][:40]!r} is no heading of these criteria.")
    summary = summary.strip()
    notes = {heading: (one[0], one[1].strip()) for heading, one in headings.items()}
    if finish:
        _complete(row, criteria, scale, grade, summary, notes)
    row.grade, row.summary = grade, summary
    if finish:
        row.finished_at = timezone.now()
    row.save()
    for heading, (given, note) in notes.items():
        HeadingGrade.objects.update_or_create(assessment=row, heading=heading, defaults={"grade": given, "note": note})
    # Both sides can read the ledger of the case: no grade stands there, only what binds it.
    said = json.dumps({"grade": grade, "summary": summary, "headings": notes}, sort_keys=True)
    record(
        actor,
        "audit_case.assessed" if finish else "audit_case.drafted",
        row.audit,
        payload={"stage": row.stage, "plan": plan.reference, "said": fingerprint(said)},
    )
    return row


def _complete(
    row: Assessment,
    criteria: CriteriaSet,
    scale: GradeScale,
    grade: str,
    summary: str,
    notes: Mapping[str, tuple[str, str]],
) -> None:
    plan = row.audit.plan
    if row.stage == INSPECTOR and not self_settled(row.audit):
        raise NotPossible(
            f"The unit has until {timezone.localtime(plan.self_due_at):%d %B %Y, %H:%M} to assess the case itself.",
            fix="Keep your draft; finish it when the unit is done or its time has run out.",
        )
    best = next(iter(scale)).id
    for heading in criteria:
        if heading.id not in notes:
            raise Invalid(f"{heading.title}: nothing is said.", fix="Grade it, or say that it does not apply.")
        given, note = notes[heading.id]
        if given and given != best and not note:
            raise Invalid(
                f"{heading.title}: why it is not {scale[best].title.lower()} is not said.",
                fix="Write what you saw, in a sentence.",
                field=f"{heading.id}_note",
            )
    if not any(given for given, _ in notes.values()):
        raise Invalid("No heading is graded.", fix="At least one must apply to the case.")
    if not grade:
        raise Invalid("The case has no grade.", fix="Grade it last, after the headings.", field="grade")
    if not summary:
        raise Invalid("The summary is missing.", fix="Say in a few sentences what decided the grade.", field="summary")
    if not row.evidence.exists():
        raise Invalid("No record of the case is linked as evidence.", fix="Save the draft and link at least one.")


def self_settled(audit: AuditCase) -> bool:
    """The unit has assessed the case, or its time has run out."""
    done = audit.assessments.filter(stage=SELF, finished_at__isnull=False).exists()
    return done or audit.plan.self_due_at <= timezone.now()


def _own(actor: Any, audit: AuditCase) -> Assessment:
    """This side's assessment, locked; begun if it was not."""
    locked = AuditCase.objects.select_for_update(of=("self",)).select_related("plan", "case", "unit").get(pk=audit.pk)
    stage = stage_for(actor)
    need(
        actor,
        "inspection.assess",
        locked,
        what="You may not assess this case.",
        fix="The unit assesses its own cases; an auditor those of other units.",
    )
    if not locked.plan.drawn_at or locked.plan.closed_at:
        raise NotPossible(f"The audit {locked.plan.reference} is closed.")
    if locked.missing_at:
        raise NotPossible("The file of this case is recorded as missing.")
    if stage == SELF and locked.assessments.filter(stage=INSPECTOR, finished_at__isnull=False).exists():
        raise NotPossible("The independent audit is finished: the unit's own assessment comes before it.")
    row = locked.assessments.filter(stage=stage).first()
    if row is None:
        plan = locked.plan
        row = Assessment.objects.create(
            audit=locked,
            stage=stage,
            scale=plan.scale,
            criteria=plan.criteria,
            criteria_version=plan.criteria_version,
            by=actor,
            started_at=timezone.now(),
        )
    row.audit = locked
    if row.finished_at:
        raise NotPossible("This assessment is finished and stays as it is.", fix="A disagreement is settled beside it.")
    if row.by_id != actor.pk:
        if stage == INSPECTOR:
            raise NotAllowed(f"{row.by} has begun to audit this case.", fix="Two auditors audit two cases.")
        row.by = actor
    return row


@transaction.atomic
def link_evidence(actor: Any, audit: AuditCase, *, heading: str, records: list[str]) -> Assessment:
    """Link records of the case (``kind:key`` as :func:`records_of` gives them) to a heading of the own assessment.

    Raises:
        NotAllowed, NotPossible: as :func:`write`; Invalid: no record, one that is not of this case, or no such heading.
    """
    row = _own(actor, audit)
    if heading not in {one.id for one in criteria_of(row.audit.plan)}:
        raise Invalid("That is no heading of these criteria.", fix="Choose from the list.", field="heading")
    known = {one.code: one for one in records_of(row.audit.case, actor)}
    if not records:
        raise Invalid("No record is chosen.", fix="Choose at least one.", field="records")
    for code in records:
        if code not in known:
            raise Invalid(f"{code[:40]!r} is no record of this case.", fix="Choose from the list.", field="records")
        one = known[code]
        assert one.kind in KINDS
        Evidence.objects.get_or_create(
            assessment=row, heading=heading, kind=one.kind, key=one.key,
            defaults={"label": one.label[:200], "added_at": timezone.now()},
        )  # fmt: skip
    record(
        actor,
        "audit_case.evidence_linked",
        row.audit,
        payload={"stage": row.stage, "heading": heading, "records": sorted(records)},
    )
    return row
