from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "series.viewed": "looked at the series",
        "series.made": "recorded the series",
        "series.files_added": "added files to the series",
        "unidentified.viewed": "looked at the record of the unidentified child",
        "unidentified.recorded": "recorded the unidentified child",
        "unidentified.lead_added": "recorded a lead to the unidentified child",
        "unidentified.lead_closed": "closed a lead to the unidentified child",
        "unidentified.identified": "identified the child",
        "unidentified.identified_elsewhere": "recorded that the child was identified elsewhere",
        "feedback_file.viewed": "looked at the answers of the national database",
        "feedback_file.imported": "imported answers of the national database",
        "feedback.viewed": "looked at an answer of the national database",
        "feedback.told": "told the case an answer of the national database",
        "feedback.settled": "settled an answer of the national database",
    }
)
