from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "hashset.viewed": "looked at the hash set",
        "hashset.imported": "imported the hash set",
        "hashset.retired": "retired the hash set",
    }
)
