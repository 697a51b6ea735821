"""One audit with everything in it, as rows, for tests that walk all pages. It is closed, so that its case stays closed
to the auditor (test_assessing.py opens one that runs)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.inspection.models import AuditCase, AuditPlan, PopulationCase, ReferredBack
from safelight.casework.ledger.services import record
from safelight.casework.recommendations.models import Recommendation, Report


def audit_arguments(case: Any, people: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The arguments of every page of audits and recommendations; the case was sent back to who has it."""
    now = timezone.now()
    auditor, chief = people["auditor"], people["chief"]
    plan = AuditPlan.objects.create(
        title="Synthetic", criteria="force_own", criteria_version="1", scale="case", strata_by=["unit"],
        strata=[{"name": "CN", "population": 1, "sampled": 1}], population=1, population_digest="0" * 64, margin=0.1,
        minimum=2, size=1, seed="x", digest="0" * 64, self_due_at=now, made_by=auditor, made_at=now,
        draw_seed="x/0", drawn_by=auditor, drawn_at=now, closed_by=auditor, closed_at=now,
    )  # fmt: skip
    with transaction.atomic():
        plan.entry = record(auditor, "audit_plan.made", plan)
        plan.save(update_fields=["entry"])
    PopulationCase.objects.create(plan=plan, case=case, stratum="CN")
    audit = AuditCase.objects.create(
        plan=plan, case=case, unit=case.unit, stratum="CN", weight=1, position=1, key="0" * 64
    )
    back = ReferredBack.objects.create(
        audit=audit, recipient=people["has"], reason="procedure", note="Synthetic.", made_by=auditor, made_at=now,
        due_at=now + timedelta(days=2),
    )  # fmt: skip
    report = Report.objects.create(
        title=f"Synthetic {case.pk}",
        body="Synthetic",
        published_on=date(2026, 1, 5),
        recorded_by=chief,
        recorded_at=now,
    )
    one = Recommendation.objects.create(
        report=report, number=1, kind="recommendation", text="Synthetic.", term="3_months", due_on=date(2026, 4, 5)
    )
    made = {f"inspection:{name}": {"reference": plan.reference} for name in ("plan", "result", "population")}
    steps = ("case", "assess", "evidence", "missing", "settle", "send_back")
    made |= {f"inspection:{name}": {"reference": audit.reference} for name in steps}
    made["inspection:answer"] = {"reference": back.reference}
    made["recommendations:new"] = {"reference": report.reference}
    for name in ("detail", "owner", "plan", "proof", "judge"):
        made[f"recommendations:{name}"] = {"reference": one.reference}
    return made
