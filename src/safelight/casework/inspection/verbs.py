from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "audit_plan.viewed": "looked at the audit plan",
        "audit_plan.made": "sealed the audit plan",
        "audit_plan.drawn": "drew the cases of the audit",
        "audit_plan.closed": "closed the audit",
        "audit_plan.list_taken": "took out of the system the frozen list of the audit",
        "audit_result.viewed": "looked at the result of the audit",
        "audit_case.viewed": "looked at the audited case",
        "audit_case.missing": "recorded that the file of an audited case cannot be had",
        "audit_case.stood_in": "put a case in reserve in the place of another",
        "audit_case.assessed": "finished an assessment of the audited case",
        "audit_case.drafted": "wrote in an assessment of the audited case",
        "audit_case.evidence_linked": "linked a record of the case to an assessment",
        "audit_case.settled": "recorded how a disagreement about the audited case was settled",
        "referred_back.made": "sent the case back",
        "referred_back.answered": "answered for the case that was sent back",
        "referred_back.viewed": "looked at the case that was sent back",
    }
)
