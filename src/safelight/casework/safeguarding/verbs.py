from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "safeguarding.check_answered": "answered who is in contact with children in",
        "safeguarding.check_raised": "set an answer to yes in the contact check of",
        "safeguarding.child_added": "recorded the child at risk",
        "safeguarding.child_changed": "changed the record of the child at risk",
        "safeguarding.referral_sent": "sent to social care the referral",
        "safeguarding.chased": "chased social care about the referral",
        "safeguarding.acknowledged": "recorded that social care acknowledged the referral",
        "safeguarding.decided": "recorded the decision of social care on the referral",
        "child.viewed": "looked at the child at risk",
        "safeguarding_referral.viewed": "looked at the referral to social care",
        "contact_check.viewed": "looked at the contact check of",
    }
)
