from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "retention.viewed": "looked at how long the case is kept",
        "retention.grouped": "set the review group of",
        "retention.proposed": "proposed to keep or erase",
        "retention.approved": "approved the retention decision on",
        "retention.refused": "refused the retention decision on",
        "retention.erased": "erased the content of",
        "retention.held": "placed a hold on erasure on",
        "access.viewed": "looked at the subject access of",
        "access.recorded": "recorded a request for subject access of",
        "access.decided": "decided on items of the subject access of",
        "access.answered": "gave out the subject access of",
        "retention.lifted": "lifted the hold on erasure on",
    }
)
