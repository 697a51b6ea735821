from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "allocation.made": "gave to an investigator the case",
        "allocation.ended": "ended the allocation of the case",
    }
)
