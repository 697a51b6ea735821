from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "keys.rotation_begun": "began to rotate the keys of encrypted fields",
        "keys.rotated": "rotated the keys of encrypted fields",
    }
)
