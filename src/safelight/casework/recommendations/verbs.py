from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "inspection_report.recorded": "recorded the inspection report",
        "recommendation.viewed": "looked at the recommendation",
        "recommendation.recorded": "recorded the recommendation",
        "recommendation.assigned": "made somebody answerable for the recommendation",
        "recommendation.planned": "wrote the action plan for the recommendation",
        "recommendation.proof_added": "added evidence for the recommendation",
        "recommendation.offered": "said that the recommendation is met",
        "recommendation.not_accepted": "did not accept that the recommendation is met",
        "recommendation.closed": "closed the recommendation",
    }
)
