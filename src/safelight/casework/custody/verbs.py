from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "custody.opened": "opened the custody record of the child",
        "custody.reviewed": "recorded a review of the detention",
        "custody.adult_asked": "asked for an appropriate adult for",
        "custody.adult_came": "recorded that the appropriate adult came for",
        "custody.told": "recorded who was told about",
        "custody.extended": "recorded the extension to 36 hours of",
        "custody.charged": "recorded charge and bail of",
        "custody.accommodation_asked": "asked the local authority for accommodation for",
        "custody.accommodation_answered": "recorded the local authority's answer about",
        "custody.certified": "recorded the certificate that kept in custody",
        "custody.certificate_to_court": "recorded that the court had the certificate of",
        "custody.ended": "ended the detention",
        "custody.cost_claimed": "claimed the cost of the transfer of",
        "custody.linked": "linked to a case the detention",
        "custody.viewed": "looked at the custody record",
    }
)
