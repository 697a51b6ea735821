"""Why an allocation ends, as codes, so that moves can be counted."""

from __future__ import annotations

REASONS = {
    "caseload": "Caseload adjusted",
    "risk_changed": "The risk changed",
    "skill_needed": "Another skill is needed",
    "left": "The investigator left or moved unit",
    "absent": "The investigator is absent",
    "posted": "The investigator is posted away",
    "returned": "Given back after an absence",
    "conflict": "Conflict of interest",
    "safety": "Risk to the investigator",
    "unit_changed": "The case moved to another unit",
    "mistake": "Given by mistake",
    "other": "Another reason (say which)",
}
