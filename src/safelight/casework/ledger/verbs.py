from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "ledger.viewed": "looked at the ledger",
        "ledger.verified": "verified the ledger",
        "ledger.refused": "was refused by a witness of the ledger",
        "list.viewed": "looked at a list",
        "demo.built": "built the synthetic demo force",
    }
)
