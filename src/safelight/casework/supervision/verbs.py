from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "review.recorded": "reviewed the case",
        "review.escalated": "told the chief officer of missed reviews of the case",
        "plan.action_added": "added an action to the plan of the case",
        "plan.action_done": "did an action of the plan of the case",
        "plan.action_cancelled": "cancelled an action of the plan of the case",
    }
)
