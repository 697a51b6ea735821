"""What waits in audits: cases sent back first, then assessments."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.prepared import prepared
from safelight.casework.base.standards import standards
from safelight.casework.base.work import WorkItem
from safelight.casework.inspection.assessing import INSPECTOR, SELF
from safelight.casework.inspection.models import Assessment, AuditCase, AuditPlan, ReferredBack
from safelight.casework.inspection.services import seal_of

MOST = 30


def items_for(user: Any) -> list[WorkItem]:
    """For whoever a case was sent back to: the answer. For a supervisor: the unit's own assessments. For an auditor:
    cases that are ready to be audited, and plans to seal and draw."""
    found = [_answer(row) for row in _open_back(user)]
    if user.role == "supervisor":
        found += _own(user)
    if user.role == "auditor":
        found += _ready(user)
        found += [_draw(plan) for plan in AuditPlan.objects.filter(drawn_at=None, made_by=user).order_by("pk")[:MOST]]
    return found


def _open_back(user: Any) -> Any:
    if not _any_back(user):  # mostly so; whether the person may see them is the dearer question
        return []
    rows = ReferredBack.objects.visible_to(user).filter(recipient=user, outcome_at=None)
    return rows.select_related("audit__case").order_by("due_at", "pk")[:MOST]


@prepared
def _any_back(user: Any) -> Any:
    return ReferredBack.objects.filter(recipient=user, outcome_at=None).values_list("pk")[:1]


@prepared
def _any_running(nobody: None) -> Any:
    return AuditCase.objects.filter(plan__closed_at=None, missing_at=None).values_list("pk")[:1]


def _answer(row: ReferredBack) -> WorkItem:
    reason = standards().refer_back_reasons.get(row.reason)
    return WorkItem(
        title=f"The auditor sent this case back: {reason.title.lower() if reason else row.reason}",
        url=reverse("inspection:answer", kwargs={"reference": row.reference}),
        subject=f"{row.audit.case.reference} {row.audit.case.title}",
        due_at=row.due_at,
        risk=row.audit.case.risk,
        urgent=row.reason == "immediate_risk" or row.due_at < timezone.now(),
        group="Audit",
    )


def _finished(stage: str) -> Any:
    return Exists(Assessment.objects.filter(audit=OuterRef("pk"), stage=stage, finished_at__isnull=False))


def _running(user: Any) -> Any:
    running = {"plan__closed_at": None, "missing_at": None}
    if not _any_running(None):
        return AuditCase.objects.none()
    rows = AuditCase.objects.visible_to(user).filter(**running)
    return rows.exclude(_finished(INSPECTOR)).select_related("case", "plan").order_by("plan__self_due_at", "pk")


def _own(user: Any) -> list[WorkItem]:
    return [
        WorkItem(
            title="Assess this case for the audit",
            url=reverse("inspection:assess", kwargs={"reference": row.reference}),
            subject=f"{row.case.reference} {row.case.title}",
            due_at=row.plan.self_due_at,
            risk=row.case.risk,
            group="Audit",
        )
        for row in _running(user).exclude(_finished(SELF))[:MOST]
    ]


def _ready(user: Any) -> list[WorkItem]:
    ready = [row for row in _running(user).annotate(own=_finished(SELF))[:200] if row.own or _past(row)]
    return [
        WorkItem(
            title="Audit this case",
            url=reverse("inspection:assess", kwargs={"reference": row.reference}),
            subject=f"{row.case.reference} {row.case.title}",
            risk=row.case.risk,
            group="Audit",
        )
        for row in ready[:MOST]
    ]


def _past(row: AuditCase) -> bool:
    return bool(row.plan.self_due_at <= timezone.now())


def _draw(plan: AuditPlan) -> WorkItem:
    return WorkItem(
        title="Draw the cases" if seal_of(plan) else "Seal the audit plan",
        url=reverse("inspection:plan", kwargs={"reference": plan.reference}),
        subject=f"{plan.reference} {plan.title}",
        group="Audit",
    )
