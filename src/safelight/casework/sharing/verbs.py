from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "sharing.shared": "shared with a partner",
        "sharing.withdrawn": "withdrew from a partner",
        "sharing.replied": "wrote to the partner about",
        "sharing.asked": "asked police about",
        "sharing.acknowledged": "acknowledged as a partner",
        "sharing.attends": "answered, as a partner, the invitation",
        "sharing.viewed": "looked at what was shared",
        "agency.created": "recorded an agency",
        "agency.joined": "gave a partner's account to an agency",
        "agency.left": "took a partner's account from an agency",
    }
)
