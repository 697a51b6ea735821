from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "referral.recorded": "recorded the referral",
        "referral.received_again": "received again the report held as",
        "referral.flag_raised": "raised the flags of the referral",
        "referral.closed": "closed without a case the referral",
        "referral.imported": "imported a file of referrals as",
        "referral.quarantined": "put in quarantine a record of",
        "referral.quarantine_resolved": "resolved a quarantined record of",
        "referral.viewed": "looked at the referral",
        "import.viewed": "looked at the import",
        "person.combined": "linked to a further record the person",
    }
)
