from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "case.viewed": "looked at the case",
        "case.opened": "opened the case",
        "case.noted": "added to the chronology of the case",
        "case.risk_recorded": "recorded the risk of the case",
        "case.live_contact_found": "recorded live contact with a child in the case",
        "case.live_contact_unallocated": "told the chief officers of live contact in the case, which nobody has",
        "case.live_contact_ended": "recorded the end of live contact in the case",
        "case.person_added": "added a person to the case",
        "case.access_granted": "gave a person access to the case",
        "case.access_ended": "ended a person's access to the case",
        "case.settled": "settled an unfinished part of the case",
        "case.closed": "closed the case",
        "case.reopened": "reopened the case",
    }
)
