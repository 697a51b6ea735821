from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "allocation.made": "gave to an investigator the case",
        "allocation.ended": "ended the allocation of the case",
        "allocation.moved": "moved to another investigator the case",
        "complexity.recorded": "recorded the complexity of the case",
        "conflict.declared": "declared a conflict of interest with",
        "conflict.ended": "ended a conflict of interest with",
    }
)
