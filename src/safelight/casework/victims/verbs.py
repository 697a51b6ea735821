from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "victim.recorded": "recorded a victim of the case",
        "victim.entitlement_set": "set what a victim is entitled to",
        "victim.wish_recorded": "recorded whether a victim wishes updates",
        "victim.update_due": "noted that a victim is to be told",
        "victim.told": "recorded that a victim was told",
        "victim.update_not_wished": "noted that a victim does not wish to be told",
    }
)
