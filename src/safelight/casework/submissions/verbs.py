from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "submission.viewed": "looked at the submission",
        "submission.graded": "recorded grades in",
        "submission.grade_settled": "settled a disagreement of graders in",
        "submission.written": "wrote the submission",
        "submission.downloaded": "took a copy of the submission file",
        "submission.sent": "sent the submission",
        "submission.receipted": "recorded the receipt of the submission",
        "submission.item_settled": "settled a rejected item of the submission",
        "submission.nothing_to_submit": "recorded that there is nothing to submit from the device",
    }
)
