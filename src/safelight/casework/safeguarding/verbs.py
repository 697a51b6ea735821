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
        "safeguarding.escalated": "escalated the silence of social care about the referral",
        "safeguarding.voice_added": "wrote down what was said by the child at risk",
        "safeguarding.around_added": "recorded somebody around the child at risk",
        "safeguarding.around_assessed": "assessed the risk from an adult around the child at risk",
        "safeguarding.school_added": "recorded a school of the child at risk",
        "safeguarding.bulk_referred": "told social care about the children linked to a suspect of",
        "safeguarding.measure_began": "recorded what was set in motion for the child at risk",
        "safeguarding.measure_ended": "recorded what came of a measure for the child at risk",
        "strategy.called": "called the strategy discussion",
        "strategy.held": "recorded the strategy discussion",
        "strategy.no_quorum": "recorded a meeting without a quorum of the strategy discussion",
        "strategy.circulated": "circulated the record of the strategy discussion",
        "strategy.called_off": "called off the strategy discussion",
        "strategy.listed": "put on the need-to-know list of the strategy discussion",
        "strategy.unlisted": "took off the need-to-know list of the strategy discussion",
        "strategy.opened": "ended the secrecy of the strategy discussion",
        "strategy.viewed": "looked at the strategy discussion",
        "enquiry47.decided": "recorded the decision for the section 47 enquiry",
        "enquiry47.changed": "recorded a step of the section 47 enquiry",
        "enquiry47.viewed": "looked at the section 47 enquiry",
        "protection.taken": "recorded the police protection",
        "protection.changed": "recorded who was told or designated in the police protection",
        "protection.ended": "ended the police protection",
        "protection.viewed": "looked at the police protection",
        "child.viewed": "looked at the child at risk",
        "safeguarding_referral.viewed": "looked at the referral to social care",
        "contact_check.viewed": "looked at the contact check of",
    }
)
