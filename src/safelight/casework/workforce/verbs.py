from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "unit.added": "added the unit",
        "staff.viewed": "looked at the page of a colleague",
        "accreditation.recorded": "recorded an accreditation of",
        "accreditation.ended": "ended an accreditation of",
        "absence.recorded": "recorded an absence of",
        "posting.recorded": "recorded a posting of",
        "posting.moved": "moved to the unit of the posting",
        "period.cancelled": "took back an absence, posting or reduction of",
        "period.end_set": "set the end of an absence, posting or reduction of",
        "hours.recorded": "recorded the working hours of",
        "exposure.started": "began to grade",
        "exposure.ended": "stopped grading",
        "appointment.recorded": "recorded a welfare appointment of",
        "reduction.recorded": "recorded reduced hours of",
    }
)
